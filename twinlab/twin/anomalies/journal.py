"""What is watched, the verdicts of people and the limits that follow from them, in the twin's journal; several processes may write."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from twinlab.ledger.journal import Journal

__all__ = ["AnomalyJournal", "LimitChange", "Verdict", "Watch"]

_WATCH, _VERDICT, _LIMIT = "anomaly_watch", "anomaly_verdict", "anomaly_limit"


@dataclass(frozen=True)
class Verdict:
    """What a person said of an event; the event as it was then."""

    id: str
    asset: str
    start: int
    """ns UTC."""
    end: int | None
    peak: float
    peak_time: int
    sustained: float
    signals: str
    limit: float
    """That it was found with."""
    status: Literal["accepted", "rejected"]
    by: str
    note: str
    time: int
    """When it was said, ns UTC."""


@dataclass(frozen=True)
class LimitChange:
    """A version of the limit of a watch."""

    version: int
    limit: float
    since: int
    """Rows from this time on are compared with it, ns UTC."""
    because: str
    """Id of the event that was judged."""
    rejected: tuple[str, ...]
    """Ids of the rejected events that it follows from."""
    time: int
    undone: bool = False


@dataclass(frozen=True)
class Watch:
    """An asset type that is watched, from one fit to the next."""

    asset_type: str
    model: str
    """Name of the folder with what was learnt."""
    start: int
    """First row that is scored, ns UTC."""
    limit: float
    """Version 0."""
    stopped: bool = False
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """By event id, the latest of each."""
    changes: tuple[LimitChange, ...] = ()

    @property
    def limits(self) -> tuple[tuple[int, float], ...]:
        """Limits, each with the time from which on it is used."""
        return ((self.start, self.limit), *((one.since, one.limit) for one in self.changes if not one.undone))

    @property
    def ignored(self) -> frozenset[str]:
        """Rejected events that no limit follows from any more, since it was undone."""
        before: set[str] = set()
        found: set[str] = set()
        for one in self.changes:
            found |= set(one.rejected) - before if one.undone else set()
            before |= set() if one.undone else set(one.rejected)
        return frozenset(found)


class AnomalyJournal:
    """Writes to the journal, and reads what is watched; reading again reads only what is new.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal, self._position = journal, 0
        self._watches: dict[str, Watch] = {}
        self._lock = threading.Lock()

    def watches(self) -> dict[str, Watch]:
        """Return all watches by the name of their folder, in the order in which they began."""
        with self._lock:
            end = self._journal.position()
            if end > self._position:
                for entry in self._journal.entries({_WATCH, _VERDICT, _LIMIT}, start=self._position, stop=end):
                    self._add(entry.kind, entry.payload)
                self._position = end
            return dict(self._watches)

    def begin(self, watch: Watch) -> None:
        """Watch a type; an earlier watch of it ends."""
        self._journal.append(
            _WATCH,
            {"asset_type": watch.asset_type, "model": watch.model, "start": watch.start, "limit": watch.limit},
        )

    def stop(self, asset_type: str) -> None:
        """Watch a type no more."""
        self._journal.append(_WATCH, {"asset_type": asset_type, "model": ""})

    def judge(self, watch: Watch, verdict: Verdict, change: LimitChange | None) -> None:
        """Store a verdict and the limit that follows, with one sync to disk."""
        entries = [(_VERDICT, asdict(verdict) | {"model": watch.model})]
        if change is not None:
            entries.append((_LIMIT, asdict(change) | {"model": watch.model}))
        self._journal.append_many(entries)

    def undo(self, watch: Watch, version: int) -> None:
        """Store that a version of the limit doesn't count."""
        self._journal.append(_LIMIT, {"model": watch.model, "undo": version})

    # -- inside ----------------------------------------------------------------------------------------------------
    def _add(self, kind: str, payload: Mapping[str, Any]) -> None:
        given = dict(payload)
        model = str(given.pop("model"))
        if kind == _WATCH:
            for name, one in self._watches.items():
                if one.asset_type == given["asset_type"]:
                    self._watches[name] = replace(one, stopped=True)
            if model:
                known = self._watches.pop(model, None)
                fresh = Watch(str(given["asset_type"]), model, int(given["start"]), float(given["limit"]))
                kept = known if known is not None and known.start == fresh.start else fresh
                self._watches[model] = replace(kept, stopped=False)
            return
        watch = self._watches[model]
        if kind == _VERDICT:
            verdict = Verdict(**given)
            self._watches[model] = replace(watch, verdicts={**watch.verdicts, verdict.id: verdict})
        elif "undo" in given:
            changes = [replace(one, undone=True) if one.version == given["undo"] else one for one in watch.changes]
            self._watches[model] = replace(watch, changes=tuple(changes))
        else:
            change = LimitChange(**given | {"rejected": tuple(given["rejected"])})
            self._watches[model] = replace(watch, changes=(*watch.changes, change))


def current(watches: Sequence[Watch]) -> dict[str, Watch]:
    """Return the watches that go on, by asset type."""
    return {one.asset_type: one for one in watches if not one.stopped}
