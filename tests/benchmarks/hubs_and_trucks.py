"""One model three times: 12 hubs with shifts, 300 trucks, 121,000 parcels a week; as a Network, in SimPy, and on a plain heap."""

import heapq
import math
import random
from collections import deque
from itertools import pairwise

import numpy as np

from twinlab.simulate import Network

HUBS = 12
TRUCKS = 300
PER_HOUR = 60.0
SERVED_PER_HOUR = 30.0
CAPACITY = 80
WEEK_HOURS = 168.0
SIGMA = 0.3
DAY = [24] * 3 + [10] * 9
NIGHT = [16] * 3 + [6] * 9

_PLACES = np.random.default_rng(7).random((HUBS, 2)) * 400
_DISTANCE = np.sqrt(((_PLACES[:, None] - _PLACES[None]) ** 2).sum(-1))
MEAN_HOURS = 0.5 + _DISTANCE / 75.0


def way(origin: int, destination: int) -> list[int]:
    """By the main hub of the origin and that of the destination; the first three are main hubs."""
    found = [origin]
    for hub in (origin % 3, destination % 3, destination):
        if hub != found[-1]:
            found.append(hub)
    return found


NEXT = np.full((HUBS, HUBS), -1, np.int64)
_PAIRS: set[tuple[int, int]] = set()
for _o in range(HUBS):
    for _d in range(HUBS):
        if _o != _d:
            _way = way(_o, _d)
            for _a, _b in pairwise(_way):
                NEXT[_a, _d] = _b
                _PAIRS.add((min(_a, _b), max(_a, _b)))
PAIRS = sorted(_PAIRS)


def network() -> Network:
    """The model as a description."""
    shifts = {
        f"shift_{day}": {
            "shifts": [
                {"from": "00:00", "to": "16:00", "servers": day},
                {"from": "16:00", "to": "00:00", "servers": night},
            ]
        }
        for day, night in {(24, 16), (10, 6)}
    }
    return Network(
        name="hubs_and_trucks",
        calendars=shifts,
        nodes={
            f"hub_{hub}": {
                "type": "hub",
                "servers": f"shift_{DAY[hub]}",
                "service": {"kind": "exponential", "mean": f"{3600 / SERVED_PER_HOUR} s"},
            }
            for hub in range(HUBS)
        },
        links=[
            {
                "from": f"hub_{a}",
                "to": f"hub_{b}",
                "both_ways": True,
                "distance": f"{_DISTANCE[a, b]:.3f} km",
                "travel": {
                    "kind": "lognormal",
                    "mean": f"{MEAN_HOURS[a, b]!r} h".replace("np.float64(", "").replace(")", ""),
                    "cv": math.sqrt(math.expm1(SIGMA**2)),
                },
            }
            for a, b in PAIRS
        ],
        next_hops={
            f"hub_{hub}": {f"hub_{d}": f"hub_{NEXT[hub, d]}" for d in range(HUBS) if NEXT[hub, d] >= 0}
            for hub in range(HUBS)
        },
        transporters={
            f"trucks_{a}_{b}": {
                "type": "truck",
                "count": sum(k % len(PAIRS) == place for k in range(TRUCKS)),
                "route": [f"hub_{a}", f"hub_{b}"],
                "capacity": CAPACITY,
                "turnaround": {"kind": "uniform", "low": "15 min", "high": "45 min"},
                "first_ready": {"kind": "uniform", "low": "0 h", "high": "2 h"},
            }
            for place, (a, b) in enumerate(PAIRS)
        },
        demand={
            f"parcels_{hub}": {
                "kind": "parcel",
                "at": f"hub_{hub}",
                "rate": f"{PER_HOUR} /h",
                "to": {f"hub_{d}": 1 / (HUBS - 1) for d in range(HUBS) if d != hub},
            }
            for hub in range(HUBS)
        },
    )


def with_simpy(seed: int, hours: float = WEEK_HOURS) -> dict[str, float]:
    """The same in SimPy, one process a parcel, truck and source."""
    import simpy

    draw = random.Random(seed)
    env = simpy.Environment()
    count = {"events": 0, "arrived": 0, "delivered": 0, "sojourn": 0.0}
    hubs = [simpy.Resource(env, servers) for servers in DAY]
    outbound = {(a, b): deque() for a in range(HUBS) for b in range(HUBS)}
    following, means = NEXT.tolist(), MEAN_HOURS.tolist()

    def sort(hub, parcel):
        with hubs[hub].request() as request:
            yield request
            yield env.timeout(draw.expovariate(SERVED_PER_HOUR))
            count["events"] += 1
        if parcel[0] == hub:
            count["delivered"] += 1
            count["sojourn"] += env.now - parcel[1]
        else:
            outbound[hub, following[hub][parcel[0]]].append(parcel)

    def source(hub):
        while True:
            yield env.timeout(draw.expovariate(PER_HOUR))
            count["events"] += 1
            count["arrived"] += 1
            destination = draw.randrange(HUBS - 1)
            env.process(sort(hub, (destination + (destination >= hub), env.now)))

    def truck(number):
        here, there = PAIRS[number % len(PAIRS)]
        yield env.timeout(2 * draw.random())
        while True:
            count["events"] += 1
            queue = outbound[here, there]
            load = [queue.popleft() for _ in range(min(CAPACITY, len(queue)))]
            yield env.timeout(means[here][there] * math.exp(draw.gauss(0, 1) * SIGMA - SIGMA * SIGMA / 2))
            count["events"] += 1
            for parcel in load:
                env.process(sort(there, parcel))
            here, there = there, here
            yield env.timeout(0.25 + 0.5 * draw.random())

    def shifts():
        while True:
            for lasting, servers in ((16, DAY), (8, NIGHT)):
                for hub, number in zip(hubs, servers, strict=True):
                    hub._capacity = number
                    hub._trigger_put(None)
                yield env.timeout(lasting)
                count["events"] += 1

    for hub in range(HUBS):
        env.process(source(hub))
    for number in range(TRUCKS):
        env.process(truck(number))
    env.process(shifts())
    env.run(hours)
    return count


def with_heapq(seed: int, hours: float = WEEK_HOURS) -> dict[str, float]:  # noqa: C901, PLR0912
    """The same on Python's heapq, tuned: no classes, local names, deques."""
    draw = random.Random(seed)
    exponential, uniform, push, pop = draw.expovariate, draw.random, heapq.heappush, heapq.heappop
    events = order = arrived = delivered = 0
    sojourn = 0.0
    heap: list[tuple] = []
    waiting = [deque() for _ in range(HUBS)]
    busy, servers = [0] * HUBS, list(DAY)
    outbound = [[deque() for _ in range(HUBS)] for _ in range(HUBS)]
    following, means = NEXT.tolist(), MEAN_HOURS.tolist()
    starts = [PAIRS[k % len(PAIRS)] for k in range(TRUCKS)]
    turned, loads = [0] * TRUCKS, [None] * TRUCKS
    day = True
    for hub in range(HUBS):
        order += 1
        push(heap, (exponential(PER_HOUR), order, 0, hub, None))
    for k in range(TRUCKS):
        order += 1
        push(heap, (2 * uniform(), order, 2, k, None))
    order += 1
    push(heap, (16.0, order, 4, 0, None))
    while True:
        t, _, kind, x, parcel = pop(heap)
        if t >= hours:
            break
        events += 1
        order += 1
        if kind == 0:
            arrived += 1
            destination = int(uniform() * (HUBS - 1))
            parcel = (destination + (destination >= x), t)
            push(heap, (t + exponential(PER_HOUR), order, 0, x, None))
            if busy[x] < servers[x]:
                busy[x] += 1
                order += 1
                push(heap, (t + exponential(SERVED_PER_HOUR), order, 1, x, parcel))
            else:
                waiting[x].append(parcel)
        elif kind == 1:
            if parcel[0] == x:
                delivered += 1
                sojourn += t - parcel[1]
            else:
                outbound[x][following[x][parcel[0]]].append(parcel)
            if busy[x] <= servers[x] and waiting[x]:
                push(heap, (t + exponential(SERVED_PER_HOUR), order, 1, x, waiting[x].popleft()))
            else:
                busy[x] -= 1
        elif kind == 2:
            a, b = starts[x] if turned[x] == 0 else starts[x][::-1]
            queue = outbound[a][b]
            loads[x] = [queue.popleft() for _ in range(min(CAPACITY, len(queue)))]
            lasting = means[a][b] * math.exp(draw.gauss(0, 1) * SIGMA - SIGMA * SIGMA / 2)
            push(heap, (t + lasting, order, 3, x, None))
        elif kind == 3:
            hub = starts[x][1 - turned[x]]
            turned[x] ^= 1
            for one in loads[x]:
                if busy[hub] < servers[hub]:
                    busy[hub] += 1
                    order += 1
                    push(heap, (t + exponential(SERVED_PER_HOUR), order, 1, hub, one))
                else:
                    waiting[hub].append(one)
            order += 1
            push(heap, (t + 0.25 + 0.5 * uniform(), order, 2, x, None))
        else:
            day = not day
            servers = list(DAY if day else NIGHT)
            for hub in range(HUBS):
                while busy[hub] < servers[hub] and waiting[hub]:
                    busy[hub] += 1
                    order += 1
                    push(heap, (t + exponential(SERVED_PER_HOUR), order, 1, hub, waiting[hub].popleft()))
            order += 1
            push(heap, (t + (16.0 if day else 8.0), order, 4, 0, None))
    return {"events": events, "arrived": arrived, "delivered": delivered, "sojourn": sojourn}
