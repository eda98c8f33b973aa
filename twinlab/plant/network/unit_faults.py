"""Wrong units, for evaluations: channels of trucks, rooms and forklifts that write another unit than they state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinlab.errors import SchemaError
from twinlab.model.units import convert
from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.faults import Fault
from twinlab.plant.network.network import Network

__all__ = ["CHANNELS", "Channel", "channel_values", "declared_unit", "plant_unit_faults"]


@dataclass(frozen=True)
class Channel:
    """A signal that may get wrong units: its unit in the twin, the unit stated in the files, and what may be written."""

    asset_type: str
    signal: str
    unit: str
    declared: tuple[str, str]
    """Unit in the files; of trucks by maker."""
    written: tuple[str, ...]
    """Units that may be written instead."""
    tenths: bool
    """Whether tenths of the stated unit may be written instead."""
    decimals: int


CHANNELS: tuple[Channel, ...] = (
    Channel("truck", "speed", "km/h", ("km/h", "mph"), ("mph", "km/h", "m/s", "kn"), tenths=True, decimals=1),
    Channel("truck", "fuel", "L", ("L", "gal"), ("gal", "L"), tenths=True, decimals=1),
    Channel("truck", "odometer", "km", ("km", "mile"), ("mile", "km", "m"), tenths=False, decimals=1),
    Channel("cold_room", "temperature", "degC", ("degF", "degF"), ("degC", "K"), tenths=True, decimals=1),
    Channel("forklift", "battery", "%", ("%", "%"), ("1",), tenths=True, decimals=1),
    Channel("forklift", "load", "kg", ("kg", "kg"), ("lb", "g"), tenths=False, decimals=0),
)


def declared_unit(network: Network, channel: Channel, asset: int) -> str:
    """Return the unit that an asset's files state."""
    second = channel.asset_type == "truck" and asset >= -(-network.size.trucks * 3 // 5)
    return channel.declared[second]


def plant_unit_faults(network: Network, count: int) -> Network:
    """Return the network with ``count`` more channels that write a wrong unit, half of them from some time on.

    The states of trucks and rooms stay; what their sensors report, and what files are written from, differs. The
    faults' details have ``written``, ``declared`` and ``factor``; a fault from the first sample on begins with the files.

    Raises
    ------
    SchemaError
        If there are fewer channels than that.
    """
    random = network.size.random("unit faults")
    assets = {
        "truck": network.size.trucks, "cold_room": network.size.cold_rooms, "forklift": network.size.forklifts
    }  # fmt: skip
    free = [(channel, asset) for channel in CHANNELS for asset in range(assets[channel.asset_type])]
    taken = {(fault.asset_type, fault.asset, fault.signal) for fault in network.faults if fault.kind == "unit_swap"}
    free = [one for one in free if (one[0].asset_type, one[1], one[0].signal) not in taken]
    if not 0 <= count <= len(free):
        msg = f"expected at most {len(free)} wrong units, the number of channels, got {count}"
        raise SchemaError(msg)
    # Each signal about equally often, not in proportion to its assets.
    order = random.permutation(len(free))
    rank = {channel.signal: 0 for channel in CHANNELS}
    ranked: list[tuple[int, int, tuple[Channel, int]]] = []
    for place in order.tolist():
        signal = free[place][0].signal
        ranked.append((rank[signal], len(ranked), free[place]))
        rank[signal] += 1
    begin, stop = network.size.span
    for number, (_, _, (channel, asset)) in enumerate(sorted(ranked, key=lambda one: one[:2])[:count]):
        declared = declared_unit(network, channel, asset)
        choices = [(unit, 1.0) for unit in channel.written if unit != declared]
        choices += [(declared, 10.0)] if channel.tenths else []
        written, factor = choices[int(random.integers(len(choices)))]
        share = float(random.uniform(0.2, 0.8)) if number % 2 else 0.0
        start = begin + int(share * (stop - begin)) // 300 * 300
        details: dict[str, float | str] = {"written": written, "declared": declared, "factor": factor}
        fault = Fault("unit_swap", channel.asset_type, asset, channel.signal, start, stop, details)
        network = _with_fault(network, channel, fault)
    return network


def _with_fault(network: Network, channel: Channel, fault: Fault) -> Network:
    written, declared = str(fault.details["written"]), str(fault.details["declared"])
    factor = float(fault.details["factor"])

    def seen(right: Floats) -> Floats:
        """Return what a reader that trusts the stated unit gets."""
        return convert(convert(right, channel.unit, written) * factor, declared, channel.unit)

    faults = (*network.faults, fault)
    if channel.asset_type == "truck":
        tracks = network.reported.tracks
        here = (tracks.truck == fault.asset) & (tracks.time >= fault.start)
        values = getattr(tracks, channel.signal).copy()
        values[here] = seen(values[here])
        changed = replace(tracks, **{channel.signal: values})
        return replace(network, reported=replace(network.reported, tracks=changed), faults=faults)
    if channel.asset_type == "cold_room":
        temperature = network.logged.temperature.copy()
        here = network.rooms.time >= fault.start
        temperature[fault.asset, here] = seen(temperature[fault.asset, here])
        return replace(network, logged=replace(network.logged, temperature=temperature), faults=faults)
    values = getattr(network.sent, channel.signal).copy()
    here = network.sent.time >= fault.start
    values[fault.asset, here] = seen(values[fault.asset, here])
    return replace(network, sent=replace(network.sent, **{channel.signal: values}), faults=faults)


def channel_values(network: Network, channel: Channel) -> tuple[Ints, Floats]:
    """Return times (seconds since 1970, UTC) and values [asset, time] as a twin that trusts the files gets them.

    Values are in the channel's unit, rounded in the files' unit as the files are; NaN where there is no report.
    """
    if channel.asset_type == "truck":
        tracks, silent = network.reported.tracks, network.reported.silent
        time = np.arange(*network.size.span, 300, dtype=np.int64)
        values = np.full((network.size.trucks, len(time)), np.nan)
        at = np.flatnonzero(~silent)
        values[tracks.truck[at], (tracks.time[at] - time[0]) // 300] = getattr(tracks, channel.signal)[at]
    elif channel.asset_type == "cold_room":
        logged, time = network.logged, network.rooms.time
        swapped = convert(logged.temperature, "degF", "degC")
        values = np.where(logged.silent, np.nan, np.where(logged.celsius, swapped, logged.temperature))
    else:
        time = network.sent.time
        values = np.where(network.forklift_silent, np.nan, getattr(network.sent, channel.signal))
    for unit in set(channel.declared):
        mine = np.array([declared_unit(network, channel, asset) == unit for asset in range(len(values))])
        numbers = np.round(convert(values[mine], channel.unit, unit), channel.decimals)
        values[mine] = convert(numbers, unit, channel.unit)
    return time, values
