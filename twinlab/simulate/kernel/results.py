"""From the cells of a run to labelled results: signals by asset type, and KPIs of the whole span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names

__all__ = ["kpi_variables", "labelled"]

Cells = npt.NDArray[Any]
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
TRANSPORTER_SIGNALS: Final = {
    "trips": ("trips begun", "1", "time: sum"),
    "carried": ("entities loaded", "1", "time: sum"),
    "distance": ("distance of the trips begun", "km", "time: sum"),
    "driving": ("share of time under way", "1", "time: mean"),
    "load": ("entities aboard", "1", "time: mean"),
    "down": ("share of time under repair", "1", "time: mean"),
    "energy": ("energy of the trips begun", "kWh", "time: sum"),
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
    "energy": ("energy of servers and transporters", "kWh", "lower"),
}


class Energy(NamedTuple):
    """What energy is computed from."""

    power: Floats
    """Of a server that works, by node, kW."""
    per_distance: Floats
    """By transporter, kWh/km."""

    def of_nodes(self, cells: Cells) -> Floats:
        """Return the energy by cell and node, kWh."""
        return np.asarray(cells["busy_area"] * self.power / 3600)

    def of_transporters(self, cells: Cells) -> Floats:
        """Return the energy by cell and transporter, kWh."""
        return np.asarray(cells["distance"] * self.per_distance)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide; NaN where nothing happened."""
    found: Floats = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return found


def _node_values(cells: Cells, signal: str, width: Floats) -> Floats:
    if signal == "waiting_time":
        return _ratio(cells["wait"], cells["started"])
    if signal == "sojourn":
        return _ratio(cells["sojourn"], cells["delivered"])
    if signal in {"queue", "busy", "servers", "blocked", "outbound", "down"}:
        return cells[f"{signal}_area"] / width
    return cells[signal]


def _transporter_values(cells: Cells, signal: str, width: Floats) -> Floats:
    return cells[f"{signal}_area"] / width if signal in {"driving", "load", "down"} else cells[signal]


def kpi_variables(
    nodes: Cells, transporters: Cells, arrived: Floats, energy: Energy, seconds: float
) -> dict[str, Floats]:
    """Return the KPIs of the span. Cells have any leading dims, then time and node or transporter."""

    def total(cells: Cells, field: str) -> Floats:
        return np.asarray(cells[field].sum(axis=(-2, -1), dtype=np.float64))

    return {
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
        "energy": energy.of_nodes(nodes).sum(axis=(-2, -1)) + energy.of_transporters(transporters).sum(axis=(-2, -1)),
    }


def _places(types: Sequence[str], kind: str) -> slice | list[int]:
    """Return the places of a type; a slice, which needs no copy, where they follow each other."""
    places = [place for place, one in enumerate(types) if one == kind]
    whole = places[-1] - places[0] + 1 == len(places)
    return slice(places[0], places[-1] + 1) if whole else places


def labelled(
    nodes: Cells,
    transporters: Cells,
    kpis: Mapping[str, Floats],
    energy: Energy,
    *,
    names: Names,
    times: npt.NDArray[np.datetime64],
    widths: Floats,
    replications: Sequence[int] | None = None,
) -> xr.Dataset:
    """Return results as a Dataset; with ``replications``, all arrays have that dim first."""
    first = () if replications is None else ("replication",)
    width = widths[:, None]
    found: dict[str, tuple[tuple[str, ...], Floats, dict[str, str]]] = {}
    coordinates: dict[str, object] = {"time": times}
    for cells, signals, values, types, assets, used in (
        (nodes, NODE_SIGNALS, _node_values, names.node_types, names.nodes, energy.of_nodes(nodes)),
        (
            transporters,
            TRANSPORTER_SIGNALS,
            _transporter_values,
            names.transporter_types,
            names.transporters,
            energy.of_transporters(transporters),
        ),
    ):
        for kind in dict.fromkeys(types):
            places = _places(types, kind)
            coordinates[kind] = np.array(assets, dtype=object)[places]
            for signal, (long_name, unit, method) in signals.items():
                attrs = {
                    "asset_type": kind,
                    "signal": signal,
                    "units": unit,
                    "long_name": long_name,
                    "cell_methods": method,
                }
                array = used[..., places] if signal == "energy" else values(cells[..., places], signal, width)
                # Half the memory; the KPIs are computed from all digits.
                found[f"{kind}_{signal}"] = ((*first, "time", kind), array.astype(np.float32), attrs)
    for name, one in kpis.items():
        long_name, unit, better = KPIS[name]
        attrs = {"units": unit, "long_name": long_name} | ({"better": better} if better else {})
        found[name] = (first, one, attrs)
    if replications is not None:
        coordinates["replication"] = np.array(replications, np.int64)
    return xr.Dataset(found, coords=coordinates)
