"""Anomaly events of a twin: the table, what people say of them, and the limits that follow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from twinlab._locks import Lock
from twinlab.errors import SchemaError, TwinlabError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.anomaly.events import event_table
from twinlab.predict.anomaly.limits import retuned
from twinlab.predict.models.files import write_model
from twinlab.predict.models.format import model_hash
from twinlab.twin.anomalies.journal import AnomalyJournal, LimitChange, Verdict, Watch, current
from twinlab.twin.anomalies.rounds import WatchFolder

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.ledger.journal import Journal
    from twinlab.predict.anomaly.fitted import FittedAnomalies

__all__ = ["AnomalyEvents", "Judged"]

_PATIENCE = 60.0
_OF_EVENTS = ("asset", "start", "end", "peak", "peak_time", "sustained", "signals")


@dataclass(frozen=True)
class Judged:
    """What a verdict did."""

    id: str
    status: Literal["accepted", "rejected"]
    limit_before: float
    limit: float
    """From now on."""
    still_found: int
    """Rejected events that this limit finds, since an accepted one isn't larger: they count as false alarms."""

    def __str__(self) -> str:
        text = f"{self.id} {self.status}"
        if self.limit != self.limit_before:
            text += f"; the limit was {self.limit_before:.4g} and is {self.limit:.4g} for later rows"
        if self.still_found:
            text += f"; {self.still_found} rejected events are as large as an accepted one, so that the limit finds such events again"
        return text


class AnomalyEvents:
    """Anomaly events of watched asset types, in the folder ``anomalies`` of the twin; verdicts are in its journal.

    The historian (``twinlab run``) and `ingest` keep them current; several processes may read and judge.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder / "anomalies"
        self._journal = AnomalyJournal(journal)
        self._folders: dict[str, WatchFolder] = {}

    def __repr__(self) -> str:
        counts = self.table()["status"].value_counts().to_dict()
        text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
        types = ", ".join(sorted(self.watched())) or "no asset type"
        return f"<AnomalyEvents: {text}; {types} watched>"

    # -- read ---------------------------------------------------------------------------------------------------------
    def watched(self) -> dict[str, Watch]:
        """Return what is watched, by asset type."""
        return current(list(self._journal.watches().values()))

    def table(
        self,
        asset_type: str | None = None,
        *,
        status: Literal["open", "accepted", "rejected"] | None = None,
        active: bool = False,
    ) -> pd.DataFrame:
        """Return the events, in order of start.

        Parameters
        ----------
        asset_type, status : str, optional
            Only these.
        active : bool
            Only those that haven't ended.

        Returns
        -------
        DataFrame
            ``id, asset_type, asset, start, end`` (NaT while it is active)``, peak, peak_time, sustained, signals`` as of
            `predict.anomaly.find_events`; ``limit`` that it was found with; ``settled``: whether no rows are expected any more that
            may change it; ``status`` (open, accepted, rejected), ``by``, ``note``, ``judged``; ``found``: whether it is still found, after
            late rows. An event with a verdict stays in the table.
        """
        rows = [row for watch in self._journal.watches().values() for row in self._rows(watch)]
        found = pd.DataFrame({"id": [row["id"] for row in rows]}, dtype="str")
        found["asset_type"] = pd.Series([row["asset_type"] for row in rows], dtype="str")
        found = pd.concat([found, event_table([{name: row[name] for name in _OF_EVENTS} for row in rows])], axis=1)
        for name, kind in (
            ("limit", "float64"),
            ("settled", "bool"),
            ("status", "str"),
            ("by", "str"),
            ("note", "str"),
        ):
            found[name] = pd.Series([row[name] for row in rows], dtype=kind)
        found["judged"] = pd.to_datetime(pd.Series([row["judged"] for row in rows], dtype="Int64"), unit="ns")
        found["found"] = pd.Series([row["found"] for row in rows], dtype="bool")
        chosen = np.ones(len(found), dtype=bool)
        for name, wanted in (("asset_type", asset_type), ("status", status)):
            chosen &= np.ones(len(found), dtype=bool) if wanted is None else (found[name] == wanted).to_numpy()
        if active:
            chosen &= found["end"].isna().to_numpy() & found["found"].to_numpy()
        return found[chosen].sort_values(["start", "id"], ignore_index=True)

    def status(self) -> pd.DataFrame:
        """Return a row for each watched asset type: until when it is scored and settled, its limit, what was wrong with the last round."""
        rows = []
        for name, watch in self.watched().items():
            found = self._watch_folder(watch).events()
            at = (None, None) if found is None else (found.until, found.frontier)
            rows.append({
                "asset_type": name, "since": watch.start, "scored_until": at[0], "settled_until": at[1],
                "behind": found is None or found.behind, "limit": watch.limits[-1][1],
                "version": max((one.version for one in watch.changes if not one.undone), default=0),
                "error": "" if found is None else found.error,
            })  # fmt: skip
        columns = ["asset_type", "since", "scored_until", "settled_until", "behind", "limit", "version", "error"]
        table = pd.DataFrame(rows, columns=columns)
        for name in columns[1:4]:
            table[name] = pd.to_datetime(table[name].astype("Int64"), unit="ns")
        return table

    def limits(self, asset_type: str) -> pd.DataFrame:
        """Return the versions of the limit of a watched type: ``version, limit, since, because, rejected, time, undone``."""
        watch = self._watch(asset_type)
        first = {"version": 0, "limit": watch.limit, "since": watch.start, "because": "false alarms on the usual span"}
        rows = [first | {"rejected": (), "time": watch.start, "undone": False}, *(vars(one) for one in watch.changes)]
        table = pd.DataFrame(rows)
        for name in ("since", "time"):
            table[name] = pd.to_datetime(table[name], unit="ns")
        return table

    def fitted(self, asset_type: str) -> FittedAnomalies:
        """Return what was learnt of a watched type, with its first limit; for `twinlab.Twin.anomalies` and ``model.export``."""
        return self._watch_folder(self._watch(asset_type)).fitted

    # -- write --------------------------------------------------------------------------------------------------------
    def watch(self, fitted: FittedAnomalies, start: int) -> None:
        """Watch an asset type from a time on, ns UTC; see `twinlab.Twin.watch_anomalies`."""
        name = f"{fitted.asset_type}-{model_hash(fitted)[:12]}-{start}"
        write_model(self._folder / name / "fitted.model", fitted)
        self._journal.begin(Watch(fitted.asset_type, name, start, fitted.model.limit))

    def stop(self, asset_type: str) -> None:
        """Watch a type no more; its events stay."""
        self._watch(asset_type)
        self._journal.stop(asset_type)

    def update(self, reader: HistoryReader, *, write_after: float = 0.0) -> None:
        """Score what is new of all watched types.

        What is wrong with one, such as a unit that has changed, is in `status`, and its events stay as they are.
        """
        for watch in self.watched().values():
            folder = self._watch_folder(watch)
            try:
                folder.update(reader, watch, write_after=write_after)
            except TwinlabError as error:
                folder.failed(" ".join(str(error).split()))

    def accept(self, id: str, *, by: str, note: str = "") -> Judged:  # noqa: A002
        """Say that an event was something unusual. No limit that follows from rejections will be above it.

        Raises
        ------
        UnknownTermError
            If there is no such event.
        SchemaError
            If nobody is named.
        """
        return self._judge(id, "accepted", by, note)

    def reject(self, id: str, *, by: str, note: str = "") -> Judged:  # noqa: A002
        """Say that an event was nothing unusual. The limit becomes one that wouldn't have found it, for later rows.

        The limit is the lowest that is at least the first one, which keeps the budget of false alarms on the usual span, and above what
        the rejected events sustained: midway to the lowest accepted one, or by a twentieth. It is never above an accepted event:
        then rejected events that are as large are found again.

        Raises
        ------
        UnknownTermError
            If there is no such event.
        SchemaError
            If nobody is named.
        """
        return self._judge(id, "rejected", by, note)

    def undo(self, asset_type: str) -> float:
        """Take back the newest version of the limit; return the limit that is in force. Rows since then are scored again with it.

        The verdicts stay, but no later limit follows from the rejections that this version added.

        Raises
        ------
        SchemaError
            If the limit is the first one.
        """
        with self._lock():
            watch = self._watch(asset_type)
            left = [one for one in watch.changes if not one.undone]
            if not left:
                msg = f"{asset_type!r}: the limit {watch.limit:.4g} is the first one; there is nothing to undo"
                raise SchemaError(msg)
            self._journal.undo(watch, left[-1].version)
            return self._watch(asset_type).limits[-1][1]

    # -- inside ----------------------------------------------------------------------------------------------------
    def _judge(self, id: str, status: Literal["accepted", "rejected"], by: str, note: str) -> Judged:  # noqa: A002
        if not by.strip():
            msg = f"expected who judges the event, got by={by!r}"
            raise SchemaError(msg)
        with self._lock():
            watch, row = self._event(id)
            now = time.time_ns()
            verdict = Verdict(
                **{name: row[name] for name in ("id", *_OF_EVENTS, "limit")}, status=status, by=by.strip(), note=note, time=now
            )  # fmt: skip
            verdicts = {**watch.verdicts, id: verdict}
            limit, used, still = _limit_of(watch, list(verdicts.values()))
            before = watch.limits[-1][1]
            change = None
            if limit != before and not watch.stopped:
                found = self._watch_folder(watch).events()
                since = watch.start if found is None else found.frontier
                version = 1 + max((one.version for one in watch.changes), default=0)
                change = LimitChange(version, limit, max(since, watch.limits[-1][0]), id, used, now)
            self._journal.judge(watch, verdict, change)
            return Judged(id, status, before, before if change is None else limit, still)

    def _event(self, id: str) -> tuple[Watch, dict[str, Any]]:  # noqa: A002
        known: list[str] = []
        for watch in reversed(list(self._journal.watches().values())):
            for row in self._rows(watch):
                if row["id"] == id:
                    return watch, row
                known.append(row["id"])
        msg = f"unknown anomaly event {id!r}{nearest(id, known)}; `twin.anomaly_events.table()` has the ids"
        raise UnknownTermError(msg)

    def _rows(self, watch: Watch) -> list[dict[str, Any]]:
        """Return the events of a watch with their verdicts, and the judged ones that aren't found any more."""
        found = self._watch_folder(watch).events()
        rows = [] if found is None else found.events
        out, used = [], set()
        for row in rows:
            verdict = _verdict_of(row, watch.verdicts)
            name = verdict.id if verdict is not None and verdict.id not in used else _id(watch.asset_type, row)
            used.add(name)
            out.append({**row, "id": name, "asset_type": watch.asset_type, "found": True, **_said(verdict)})
        for verdict in watch.verdicts.values():
            if verdict.id not in used:
                kept = {name: getattr(verdict, name) for name in ("id", *_OF_EVENTS, "limit")}
                out.append({**kept, "asset_type": watch.asset_type, "settled": True, "found": False, **_said(verdict)})
        return out

    def _watch(self, asset_type: str) -> Watch:
        watched = self.watched()
        if asset_type not in watched:
            msg = f"{asset_type!r} isn't watched{nearest(asset_type, watched)}; begin with twin.watch_anomalies({asset_type!r})"
            raise UnknownTermError(msg)
        return watched[asset_type]

    def _watch_folder(self, watch: Watch) -> WatchFolder:
        return self._folders.setdefault(watch.model, WatchFolder(self._folder / watch.model))

    def _lock(self) -> Lock:
        return Lock(self._folder / "lock", what="verdicts on anomalies", wait=_PATIENCE)


def _id(asset_type: str, row: Mapping[str, Any]) -> str:
    return f"{asset_type}/{row['asset']}/{np.datetime64(row['start'], 'ns').astype('M8[s]')}"


def _verdict_of(row: Mapping[str, Any], verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """Return the verdict on the event that this one is, or overlaps most: late rows move beginnings and ends."""
    best, most = None, 0
    for one in verdicts.values():
        if one.asset != row["asset"]:
            continue
        ends = [np.iinfo(np.int64).max if end is None else end for end in (one.end, row["end"])]
        shared = min(ends) - max(one.start, row["start"])
        if one.start == row["start"]:
            return one
        if shared > most:
            best, most = one, shared
    return best


def _said(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {"status": "open", "by": "", "note": "", "judged": None}
    return {"status": verdict.status, "by": verdict.by, "note": verdict.note, "judged": verdict.time}


def _limit_of(watch: Watch, verdicts: Sequence[Verdict]) -> tuple[float, tuple[str, ...], int]:
    """Return the limit that follows from verdicts, the rejected events that it follows from, and how many of them it still finds."""
    used = [one for one in verdicts if one.status == "accepted" or one.id not in watch.ignored]
    heights = [one.sustained * one.limit / watch.limit for one in used]
    # Found with a lower limit than the first one: it can't be.
    limit = retuned(watch.limit, heights, [one.status == "accepted" for one in used])
    rejected = tuple(sorted(one.id for one in used if one.status == "rejected"))
    still = sum(one.status == "rejected" and one.sustained * one.limit >= limit for one in used)
    return limit, rejected, still
