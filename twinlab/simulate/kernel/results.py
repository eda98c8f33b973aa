"""From the cells of a run to labelled results: signals by asset type, and KPIs of the whole span."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.simulate.kernel.records import CLIMATE_CELL, NODE_CELL, TRANSPORTER_CELL

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names

__all__ = ["Cells", "Energy", "add_cells", "empty_cells", "labelled", "stacked_cells"]

Rows = npt.NDArray[Any]
Floats = npt.NDArray[Any]

#: Signal of a node -> long name, unit, cell method.
NODE_SIGNALS: Final = {
    "queue": ("entities that wait for a server", "1", "time: mean"),
    "busy": ("servers with an entity", "1", "time: mean"),
    "servers": ("servers that work", "1", "time: mean"),
    "blocked": ("servers whose entity finds no room ahead", "1", "time: mean"),
    "outbound": ("entities that wait for a transporter", "1", "time: mean"),
    "arrivals": ("entities that came to the node", "1", "time: sum"),
    "served": ("services completed", "1", "time: sum"),
    "rejected": ("entities lost because the buffer was full", "1", "time: sum"),
    "delivered": ("entities that left the network here", "1", "time: sum"),
    "down": ("share of time under repair", "1", "time: mean"),
    "energy": ("electric energy of the servers", "kWh", "time: sum"),
    "waiting_time": ("wait for a server, of services begun", "s", "time: mean"),
    "sojourn": ("time in the network, of entities that left it here", "s", "time: mean"),
}
#: Signals of types that have nodes with docks.
DOCK_SIGNALS: Final = {
    "docked": ("transporters that load or unload at a dock", "1", "time: mean"),
    "in_line": ("transporters that wait for a dock", "1", "time: mean"),
}
TRANSPORTER_SIGNALS: Final = {
    "trips": ("trips begun", "1", "time: sum"),
    "carried": ("entities loaded", "1", "time: sum"),
    "distance": ("distance of the trips begun", "km", "time: sum"),
    "driving": ("share of time under way", "1", "time: mean"),
    "load": ("entities aboard", "1", "time: mean"),
    "down": ("share of time under repair", "1", "time: mean"),
    "energy": ("energy of the trips begun", "kWh", "time: sum"),
}
#: Signals of types that have a pool.
POOL_SIGNALS: Final = {
    "busy": ("share of time with an order of who called them", "1", "time: mean"),
    "empty": ("share of time under way without a load", "1", "time: mean"),
}
#: KPI -> long name, unit, which direction is better.
KPIS: Final = {
    "arrived": ("entities that came from outside", "1", None),
    "delivered": ("entities that left the network at their end", "1", "higher"),
    "rejected": ("entities lost because a buffer was full", "1", "lower"),
    "on_time": ("share of the delivered entities with a due time that were on time", "1", "higher"),
    "sojourn": ("mean time in the network of delivered entities", "s", "lower"),
    "waiting_time": ("mean wait for a server", "s", "lower"),
    "queue": ("mean number of entities that wait for a server", "1", "lower"),
    "utilisation": ("share of the servers' working time with an entity", "1", None),
    "trips": ("trips begun", "1", None),
    "distance": ("distance of the trips begun", "km", "lower"),
    "load": ("mean number of entities loaded on a trip", "1", None),
    "energy": ("energy of servers, compressors and transporters", "kWh", "lower"),
    "temperature_max": ("highest temperature of a node", "degC", "lower"),
    "spoilage": ("degrees above the limit times hours, of all nodes", "K·h", "lower"),
    "pool_wait": ("mean wait for a transporter that is called, of entities loaded", "s", "lower"),
    "pool_utilisation": ("share of the working time of transporters that are called with an order", "1", None),
    "dock_line": ("mean number of transporters that wait for a dock", "1", "lower"),
    "empty_share": ("share of the distance of transporters that are called without a load", "1", "lower"),
}


CLIMATE_SIGNALS: Final = {
    "temperature": ("temperature", "degC", "time: mean"),
    "temperature_max": ("highest temperature", "degC", "time: maximum"),
    "cooling": ("share of time with the compressor on", "1", "time: mean"),
    "spoilage": ("degrees above the limit times hours", "K·h", "time: sum"),
}


#: A cell in which nothing happened.
_NO_CLIMATE: Final = np.array((0.0, 0.0, -np.inf, 0.0, 0.0), CLIMATE_CELL)


class Cells(NamedTuple):
    """What happened, as records with dims time and asset, and any dims before them."""

    nodes: Rows
    transporters: Rows
    climates: Rows


def empty_cells(shape: tuple[int, ...], names: Names) -> Cells:
    """Return records for dims that end with time."""
    return Cells(
        np.zeros((*shape, len(names.nodes)), NODE_CELL),
        np.zeros((*shape, len(names.transporters)), TRANSPORTER_CELL),
        np.full((*shape, len(names.climates)), _NO_CLIMATE, CLIMATE_CELL),
    )


def add_cells(cells: Cells, part: Cells, first: int) -> None:
    """Add what happened in a part of a run, whose cells begin at the place ``first`` of all cells."""
    for whole, own in zip(cells, part, strict=True):
        for field in own.dtype.names or ():
            target = whole[field][first : first + len(own)]
            if field == "temperature_max":
                np.maximum(target, own[field], out=target)
            else:
                target += own[field]


def stacked_cells(found: Sequence[Cells]) -> Cells:
    """Return cells with a first dim for those given."""
    return Cells(*(np.stack(rows) for rows in zip(*found, strict=True)))


class Energy(NamedTuple):
    """What energy is computed from."""

    power: Floats
    """Of a server that works, by node, kW."""
    per_distance: Floats
    """By transporter, kWh/km."""
    compressors: Floats
    """Of the compressor, by node with a temperature, kW."""

    def of_nodes(self, cells: Cells, names: Names) -> Floats:
        """Return the energy by cell and node, kWh."""
        found = np.asarray(cells.nodes["busy_area"] * self.power / 3600)
        places = [names.nodes.index(name) for name in names.climates]
        found[..., places] += cells.climates["cooling_area"] * self.compressors / 3600
        return found

    def of_transporters(self, cells: Rows) -> Floats:
        """Return the energy by cell and transporter, kWh."""
        return np.asarray(cells["distance"] * self.per_distance)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where nothing happened."""
    found: Floats = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return found


def _mean(areas: Rows, width: Floats) -> Floats:
    """Return areas by widths, rounded to float32 in the same pass."""
    found: Floats = np.divide(areas, width, out=np.empty(areas.shape, np.float32), casting="same_kind")
    return found


def _node_values(cells: Rows, signal: str, width: Floats) -> Floats:
    if signal == "waiting_time":
        return _ratio(cells["wait"], cells["started"])
    if signal == "sojourn":
        return _ratio(cells["sojourn"], cells["delivered"])
    if signal in {"queue", "busy", "servers", "blocked", "outbound", "down"}:
        return _mean(cells[f"{signal}_area"], width)
    return cells[signal]


def _transporter_values(cells: Rows, signal: str, width: Floats) -> Floats:
    lasting = {"driving", "load", "down", *POOL_SIGNALS}
    return _mean(cells[f"{signal}_area"], width) if signal in lasting else cells[signal]


def _kpis(cells: Cells, arrived: Floats, energy: Floats, seconds: float, names: Names) -> dict[str, Floats]:
    """Return the KPIs of the span; ``energy`` is that of all nodes and transporters."""

    def total(rows: Rows, field: str) -> Floats:
        return np.asarray(rows[field].sum(axis=(-2, -1), dtype=np.float64))

    nodes, transporters, climates = cells
    found = {
        "arrived": arrived,
        "delivered": total(nodes, "delivered"),
        "rejected": total(nodes, "rejected"),
        "on_time": _ratio(total(nodes, "on_time"), total(nodes, "with_due")),
        "sojourn": _ratio(total(nodes, "sojourn"), total(nodes, "delivered")),
        "waiting_time": _ratio(total(nodes, "wait"), total(nodes, "started")),
        "queue": total(nodes, "queue_area") / seconds,
        "utilisation": _ratio(total(nodes, "busy_area"), total(nodes, "servers_area")),
        "trips": total(transporters, "trips"),
        "distance": total(transporters, "distance"),
        "load": _ratio(total(transporters, "carried"), total(transporters, "trips")),
        "energy": energy,
    }
    if climates.shape[-1]:
        found["temperature_max"] = np.asarray(climates["temperature_max"].max(axis=(-2, -1)))
        found["spoilage"] = total(climates, "spoilage_area") / 3600
    if names.docks:
        found["dock_line"] = total(nodes, "line_area") / seconds
    if names.pools:
        called = transporters[..., np.array(names.pooled)]
        found["pool_wait"] = _ratio(total(called, "wait"), total(called, "carried"))
        found["pool_utilisation"] = _ratio(total(called, "busy_area"), total(called, "duty_area"))
        found["empty_share"] = _ratio(total(called, "empty_distance"), total(called, "distance"))
    return found


def _climate_values(cells: Rows, signal: str, width: Floats) -> Floats:
    if signal == "temperature_max":
        return np.asarray(cells[signal])
    return np.asarray(cells[f"{signal}_area"] / (3600 if signal == "spoilage" else width))


def _places(types: Sequence[str], kind: str) -> slice | list[int]:
    """Return the places of a type; a slice, which needs no copy, where they follow each other."""
    places = [place for place, one in enumerate(types) if one == kind]
    whole = places[-1] - places[0] + 1 == len(places)
    return slice(places[0], places[-1] + 1) if whole else places


class _Labels:
    """Variables and coordinates of results, put together type by type."""

    def __init__(self, cells: Cells, energy: Energy, names: Names, *, first: tuple[str, ...], width: Floats) -> None:
        self.cells, self.names, self.first, self.width = cells, names, first, width
        self.energy = energy.of_nodes(cells, names), energy.of_transporters(cells.transporters)
        self.variables: dict[str, tuple[tuple[str, ...], Floats, dict[str, str]]] = {}
        self.coordinates: dict[str, npt.NDArray[Any]] = {}

    def add(self, kind: str, signal: str, array: Floats, about: tuple[str, str, str]) -> None:
        """Add a signal of a type."""
        attrs = {
            "asset_type": kind,
            "signal": signal,
            "units": about[1],
            "long_name": about[0],
            "cell_methods": about[2],
        }
        # Half the memory; the KPIs are computed from all digits.
        self.variables[f"{kind}_{signal}"] = ((*self.first, "time", kind), array.astype(np.float32, copy=False), attrs)

    def add_nodes(self, kind: str) -> None:
        """Add the signals of a type of nodes."""
        places = _places(self.names.node_types, kind)
        self.coordinates[kind] = np.array(self.names.nodes, dtype=object)[places]
        rows = self.cells.nodes[..., places]
        for signal, about in NODE_SIGNALS.items():
            own = self.energy[0][..., places] if signal == "energy" else _node_values(rows, signal, self.width)
            self.add(kind, signal, own, about)
        own_names = self.coordinates[kind].tolist()
        docked = np.isin(own_names, self.names.docks)
        for signal, field in zip(DOCK_SIGNALS, ("docked_area", "line_area"), strict=True) if docked.any() else ():
            self.add(kind, signal, np.where(docked, rows[field] / self.width, np.nan), DOCK_SIGNALS[signal])
        cold = [name for name in own_names if name in self.names.climates]
        rooms = self.cells.climates[..., [self.names.climates.index(name) for name in cold]]
        for signal, about in CLIMATE_SIGNALS.items() if cold else ():
            values = np.full(rows.shape, np.nan)
            values[..., [own_names.index(name) for name in cold]] = _climate_values(rooms, signal, self.width)
            self.add(kind, signal, values, about)

    def add_transporters(self, kind: str) -> None:
        """Add the signals of a type of transporters."""
        places = _places(self.names.transporter_types, kind)
        self.coordinates[kind] = np.array(self.names.transporters, dtype=object)[places]
        rows = self.cells.transporters[..., places]
        for signal, about in TRANSPORTER_SIGNALS.items():
            own = self.energy[1][..., places] if signal == "energy" else _transporter_values(rows, signal, self.width)
            self.add(kind, signal, own, about)
        pooled = np.array(self.names.pooled, bool)[places]
        for signal, about in POOL_SIGNALS.items() if pooled.any() else ():
            self.add(kind, signal, np.where(pooled, _transporter_values(rows, signal, self.width), np.nan), about)


def labelled(
    cells: Cells,
    arrived: Floats,
    energy: Energy,
    *,
    names: Names,
    times: npt.NDArray[np.datetime64],
    widths: Floats,
    replications: Sequence[int] | None = None,
) -> xr.Dataset:
    """Return results as a Dataset; with ``replications``, all arrays have that dim first."""
    first = () if replications is None else ("replication",)
    labels = _Labels(cells, energy, names, first=first, width=widths[:, None])
    for kind in dict.fromkeys(names.node_types):
        labels.add_nodes(kind)
    for kind in dict.fromkeys(names.transporter_types):
        labels.add_transporters(kind)
    used = sum(one.sum(axis=(-2, -1)) for one in labels.energy)
    for name, one in _kpis(cells, arrived, np.asarray(used), float(widths.sum()), names).items():
        long_name, unit, better = KPIS[name]
        attrs = {"units": unit, "long_name": long_name} | ({"better": better} if better else {})
        labels.variables[name] = (first, one, attrs)
    labels.coordinates["time"] = times
    if replications is not None:
        labels.coordinates["replication"] = np.array(replications, np.int64)
    return xr.Dataset(labels.variables, coords=labels.coordinates)
