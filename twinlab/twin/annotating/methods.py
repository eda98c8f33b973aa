"""The methods of `twinlab.Twin` that concern annotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.annotations import (
    Annotation,
    Carried,
    Target,
    annotation,
    event_target,
    exception_target,
    span_target,
)
from twinlab.events.annotations.tables import chosen, with_assets
from twinlab.events.reading import instant_ns, known
from twinlab.twin.annotating.store import AnnotationStore

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.revisions.diff import RevisionDiff

__all__ = ["AnnotationMethods"]


class AnnotationMethods:
    """Write and list annotations; of `twinlab.Twin`."""

    _annotation_store: AnnotationStore

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

    def annotate(
        self,
        key: str | None = None,
        *,
        asset: str | None = None,
        signal: str | None = None,
        start: object = None,
        stop: object = None,
        event: tuple[str, str] | None = None,
        verdict: Literal["accept", "reject", ""] | None = None,
        note: str | None = None,
        acknowledged: bool | None = None,
        author: str,
        time: object = None,
    ) -> None:
        """Accept, reject or comment an exception, a span of a signal, or an event; stored durably when the function returns.

        No value and no flag changes. Annotations survive rebuilds, and follow exceptions and events that a revision moves.

        Parameters
        ----------
        key : str, optional
            The exception's ``key``, a column of `twinlab.events.exceptions`.
        asset, signal, start, stop : optional
            Instead, a half-open span of a signal of one asset (``"cold_room/3"``); without ``stop``, the cell at ``start``.
        event : (str, str), optional
            Instead, type and ``event_id`` of an event. The id isn't looked up.
        verdict : "accept", "reject" or "", optional
            "" takes one back; None doesn't change it.
        note : str, optional
            The new note; "" removes it, None doesn't change it.
        acknowledged : bool, optional
            Of an exception; None doesn't change it.
        author : str
            Who writes it.
        time : instant, optional
            When; now by default. Naive is UTC.

        Raises
        ------
        SchemaError
            If there is no target or more than one, no author, or nothing is said.
        UnknownTermError
            If the twin doesn't have the asset, the signal or the type of event; shows the nearest.
        HistoryConflictError
            If another process locked the journal for too long.

        Examples
        --------
        >>> twin.annotate(asset="cold_room/3", signal="temperature", start="2026-03-01T06:00", stop="2026-03-01T08:00",
        ...               verdict="reject", note="sensor lay in the sun", author="dora")  # doctest: +SKIP
        """
        target = self._target(key, (asset, signal, start, stop), event)
        if acknowledged is not None and target.kind != "exception":
            msg = f"expected acknowledged of an exception, got it of {target.key!r}; give a verdict or a note"
            raise SchemaError(msg)
        said = annotation(target, note=note, acknowledged=acknowledged, verdict=verdict, author=author, time=time)
        self._annotation_store.write([said])

    def annotate_many(self, said: Sequence[Annotation]) -> None:
        """Store several annotations, made by `twinlab.events.annotation`, with one sync to disk."""
        self._annotation_store.write(said)

    def annotations(
        self,
        *,
        kind: Literal["exception", "span", "event"] | None = None,
        asset: str | None = None,
        signal: str | None = None,
        start: object = None,
        stop: object = None,
        history: bool = False,
    ) -> pd.DataFrame:
        """Return annotations, in the order in which they were last written.

        Parameters
        ----------
        kind : "exception", "span" or "event", optional
            Of their targets.
        asset, signal : str, optional
            Only those of an asset (type/id) and of a signal.
        start, stop : instant, optional
            Only those that overlap ``[start, stop)``; an exception counts at its beginning, an event isn't in any span.
        history : bool
            All versions of each; by default as they are now.

        Returns
        -------
        DataFrame
            ``kind, asset, signal, start, stop, event_type, event_id, verdict, note, acknowledged, author, time``; ``status`` of
            the exception or event (kept, or by a revision moved, split or withdrawn), ``key`` and ``key_before``.
        """
        table = with_assets(
            self._annotation_store.annotations(history=history), self.model.rules, self.model.asset_types
        )
        low, high = (None if at is None else pd.Timestamp(instant_ns(at)) for at in (start, stop))
        return chosen(table, kind=kind, asset=asset, signal=signal, start=low, stop=high)

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        """Return the current notes on exceptions: ``key, note, acknowledged, author, time``.

        With ``history``, all versions of each note, in the order of writing.
        """
        return self._annotation_store.notes(history=history)

    def moved_annotations(self, changes: Callable[[], RevisionDiff], *, author: str, cause: str) -> list[Carried]:
        """Return what a revision does to annotations, for the journal's entry of its promotion.

        ``changes`` compares the revision with the published history; it isn't called if no exception or event is annotated.
        """
        there = self._annotation_store.annotations()
        there = there[there["kind"] != "span"]
        if there.empty:
            return []
        found = changes()
        now = pd.Timestamp.now("UTC").value
        tables = [("", found.exceptions), *((str(name), table) for name, table in found.events.groupby("event_type"))]
        carried = []
        for event_type, table in tables:
            named = set(there.loc[there["event_type"] == event_type, "event_id" if event_type else "key"])
            mine = table[table["key"].isin(named) | table["key_before"].isin(named)]
            carried.append(Carried.of(mine, event_type=event_type, author=author, time=now, cause=cause))
        return [one for one in carried if one.changes]

    def _with_annotations(self, data: xr.Dataset, asset_type: str) -> xr.Dataset:
        from twinlab.twin.annotating.cells import with_annotations  # noqa: PLC0415  (most reads need none)

        return with_annotations(
            data, self._annotation_store.annotations(), asset_type, tuple(self.model.asset_types[asset_type].signals)
        )

    def _target(
        self,
        key: str | None,
        span: tuple[str | None, str | None, object, object],
        event: object,
    ) -> Target:
        given = [key is not None, any(part is not None for part in span), event is not None]
        if sum(given) != 1:
            what = "none" if not any(given) else "more than one"
            msg = (
                "expected one target: the key of an exception, a span (asset, signal, start and stop), "
                f"or an event, got {what}"
            )
            raise SchemaError(msg)
        if key is not None:
            return exception_target(key)
        if event is not None:
            if not isinstance(event, tuple) or len(event) != 2:
                msg = f"expected an event as (type, event_id), got {event!r}"
                raise SchemaError(msg)
            known(str(event[0]), {**self.model.event_types, **self.model.events}, "event type")
            return event_target(str(event[0]), event[1])
        return self._span(*span)

    def _span(self, asset: str | None, signal: str | None, start: object, stop: object) -> Target:
        if asset is None or signal is None or start is None:
            lacking = [name for name, part in (("asset", asset), ("signal", signal), ("start", start)) if part is None]
            msg = f"expected a span with asset, signal and start, it lacks {', '.join(lacking)}"
            raise SchemaError(msg)
        kind, _, name = asset.partition("/")
        spec = known(kind, self.model.asset_types, "asset type")
        known(name, {str(one): None for one in self.reader.assets(kind).index}, f"asset of type {kind!r}")
        cadence = known(signal, spec.signals, f"signal of {kind!r}").cadence_ns
        low = instant_ns(start)
        if stop is not None:
            return span_target(asset, signal, low, instant_ns(stop))
        low -= (low - self.model.origin_ns) % cadence
        return span_target(asset, signal, low, low + cadence)
