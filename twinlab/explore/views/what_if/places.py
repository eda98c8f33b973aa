"""Places of a twin and the links between them, and which of them a plan changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twinlab.events.present_state.places import positions
from twinlab.explore.charts.reading import latest_time
from twinlab.explore.views.what_if.plan import change_words

if TYPE_CHECKING:
    from twinlab.explore.views.what_if.plan import Plan
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.timetable.names import Names

__all__ = ["Pair", "Places", "Touched", "pair_text", "read_places", "touched"]

Pair = tuple[str, str]
Floats = npt.NDArray[np.float64]

#: Trips planned this long before and after an instant show which places are linked.
_BEFORE, _AFTER = np.timedelta64(7, "D"), np.timedelta64(2, "D")


@dataclass(frozen=True)
class Places:
    """Places with their positions (degrees, NaN if unknown), and the pairs of places between which trips are planned."""

    names: tuple[str, ...]
    titles: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    links: tuple[Pair, ...]
    """Both directions are one pair, in the order of the alphabet."""

    @property
    def located(self) -> bool:
        """Whether any place has a position, so that there is a map."""
        return bool(np.isfinite(self.latitude).any())


@dataclass(frozen=True)
class Touched:
    """What one change of a plan concerns."""

    scenario: str
    text: str
    nodes: tuple[str, ...]
    pairs: tuple[Pair, ...]


def pair_text(pair: Pair) -> str:
    """Return a pair of places as text.

    >>> pair_text(("FRA", "MUC"))
    'FRA – MUC'
    """
    return " – ".join(pair)


def read_places(twin: TwinReader, names: Names, *, at: np.datetime64 | None) -> Places:
    """Read the places of a twin, and the links between them around an instant.

    Parameters
    ----------
    twin : TwinReader
    names : Names
        The twin's names of places and trips.
    at : datetime64, optional
        UTC; by default the twin's latest time.
    """
    assets = twin.assets(names.hub)
    ids = tuple(str(one) for one in assets.index)
    titles = assets["name"].astype(str).tolist() if "name" in assets else list(ids)
    instant = at if at is not None else latest_time(twin)
    if instant is None:
        nowhere = np.full(len(ids), np.nan)
        return Places(ids, tuple(titles), nowhere, nowhere, ())
    where = positions(twin, names.hub, at=instant)
    trips = twin.events(names.trip, start=instant - _BEFORE, stop=instant + _AFTER)
    ends = trips[["origin", "destination"]].dropna().astype(str)
    ends = ends[ends["origin"] != ends["destination"]].drop_duplicates()
    links = {(min(pair), max(pair)) for pair in zip(ends["origin"], ends["destination"], strict=True)}
    latitude, longitude = (where[name].to_numpy(dtype=np.float64) for name in ("latitude", "longitude"))
    return Places(ids, tuple(titles), latitude, longitude, tuple(sorted(links)))


def touched(plan: Plan) -> list[Touched]:
    """Return the places and links that each change of a plan names.

    >>> from twinlab.explore.views.what_if.plan import Plan
    >>> [(one.nodes, one.pairs) for one in touched(Plan().adding("a", {"kind": "reroute", "closed": [["FRA", "MUC"]]}))]
    [((), (('FRA', 'MUC'),))]
    """
    found = []
    for scenario in plan.scenarios:
        for change in scenario.changes:
            stated: dict[str, Any] = change.model_dump()
            nodes = [stated[name] for name in ("node", "instead") if stated.get(name)]
            nodes += list(stated.get("nodes") or ())
            pairs = [(str(a), str(b)) for name in ("closed", "preferred") for a, b in stated.get(name) or ()]
            group = str(stated.get("transporters") or "")
            # A calibrated model has a group of transporters for each link, with the name of the link.
            pairs += [(a, b) for a, dash, b in [group.partition("-")] if dash]
            found.append(Touched(scenario.name, change_words(change), tuple(nodes), tuple(pairs)))
    return found
