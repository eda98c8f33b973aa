"""A real small model for tests of runs: M/M/c queues, in numba, with random numbers that depend on seed, replication and n only."""

import os
from pathlib import Path

import numpy as np
import xarray as xr
from numba import njit

from twinlab.simulate import Advanced

SECOND = np.timedelta64(1, "s")


@njit(nogil=True, cache=True)
def uniform(seed, replication, n):
    """Return a number in (0, 1) that depends on its arguments only (splitmix64)."""
    x = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(replication + 1) * np.uint64(0xBF58476D1CE4E5B9)
    x += np.uint64(n + 1) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (np.float64(x >> np.uint64(11)) + 0.5) / 9007199254740992.0


@njit(nogil=True, cache=True)
def simulate(seed, replication, arrival, service, servers, hours, first, waiting, busy):
    """Advance customers one by one: each takes the server that is free first. Return the mean wait and the number."""
    free = np.zeros(servers)
    now, total, n = 0.0, 0.0, 0
    while True:
        now -= np.log(uniform(seed, replication, 2 * (first + n))) / arrival
        if now >= hours:
            break
        best = 0
        for one in range(1, servers):
            if free[one] < free[best]:
                best = one
        begin = max(now, free[best])
        free[best] = begin - np.log(uniform(seed, replication, 2 * (first + n) + 1)) / service
        total += begin - now
        cell = int(now)
        waiting[cell] += begin - now
        busy[cell, best] += free[best] - begin
        n += 1
    return total / max(n, 1), n


class Queue:
    """Customers per hour and server, number of servers. Its state is the number of customers so far."""

    def __init__(self, arrival=20.0, servers=3, service=10.0, name="queue", log=None):
        self.arrival, self.servers, self.service, self.name, self.log = arrival, servers, service, name, log

    def content_hash(self):
        return f"queue-{self.arrival}-{self.servers}-{self.service}"

    def initial_state(self, *, start, seed=0, replication=0):
        start = np.datetime64(start, "ns")
        values = {"start": start, "time": start, "seed": np.int64(seed), "replication": np.int64(replication)}
        return xr.Dataset(values | {"customers": 0}, attrs={"model": self.name, "model_hash": self.content_hash()})

    def _arrays(self, state, replications, until, step):
        assert step == np.timedelta64(3600 * 10**9, "ns")
        begin, until = state["time"].values, np.datetime64(until, "ns")
        hours = int((until - begin) / np.timedelta64(1, "h"))
        count, seed, first = len(replications), int(state["seed"]), int(state["customers"])
        waiting, busy = np.zeros((count, hours)), np.zeros((count, hours, self.servers))
        kpis = [
            simulate(seed, n, self.arrival, self.service, self.servers, float(hours), first, waiting[i], busy[i])
            for i, n in enumerate(replications)
        ]
        return begin + np.arange(hours) * np.timedelta64(1, "h"), waiting, busy, kpis

    def advance_many(self, state, *, replications, until, step):
        times, waiting, busy, kpis = self._arrays(state, replications, until, step)
        if self.log and len(times) > 1:
            with Path(self.log).open("a") as file:
                file.write("".join(f"{n} {os.getpid()}\n" for n in replications))
        about = {"asset_type": "server", "units": "h"}
        return xr.Dataset(
            {
                "queue_wait": (("replication", "time"), waiting, {"units": "h"}),
                "server_busy": (("replication", "time", "server"), busy, {**about, "signal": "busy"}),
                "mean_wait": ("replication", [one[0] for one in kpis], {"units": "h", "better": "lower"}),
                "customers": ("replication", np.array([one[1] for one in kpis]), {"units": "1"}),
            },
            coords={"time": times, "server": [f"s{n}" for n in range(self.servers)], "replication": list(replications)},
        )

    def advance(self, state, *, until, step, trace=False):
        import pandas as pd

        number = int(state["replication"])
        results = self.advance_many(state, replications=[number], until=until, step=step).isel(replication=0, drop=True)
        later = state.assign(time=np.datetime64(until, "ns"), customers=state["customers"] + results["customers"])
        events = {}
        if trace:
            hour = pd.Timestamp(state["time"].values)
            rows = {"event_id": [f"{number}-a"], "type": "visit", "asset": "s0", "start": hour, "end": hour}
            events["visit"] = pd.DataFrame(rows | {"links": [{"server": "s0"}], "properties": [{"n": number}]})
        return Advanced(later, results, events)


class Plain(Queue):
    """The same without the method for many replications."""

    advance_many = None

    def advance(self, state, *, until, step, trace=False):
        one = Queue(self.arrival, self.servers, self.service, self.name, self.log)
        return one.advance(state, until=until, step=step, trace=trace)
