"""The rows of a gateway's streams scored and reduced as the settings say, and stored together with what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinlab.edge.aggregation import SUFFIXES, Reducer, State
from twinlab.edge.outbox import Outbox
from twinlab.edge.raw import RawRequest
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.scoring import Scoring
from twinlab.edge.settings import GatewaySettings

__all__ = ["Reducing"]

#: Stream of rows that were requested.
REQUESTED = "requested"
#: Stream of scores.
SCORES = "scores"


class Reducing:
    """Writes rows to an outbox, those of some streams reduced, and scores of them. Not for several threads at once.

    Parameters
    ----------
    outbox : Outbox
    settings : GatewaySettings
        A stream that reduces no rows any more still sends what its earlier settings have gathered.
    """

    def __init__(self, outbox: Outbox, settings: GatewaySettings) -> None:
        self._outbox, self._kept, self._most_bytes = outbox, settings.kept_raw, settings.max_bytes
        self._units: dict[str, str | None] = dict(settings.units)
        states = outbox.raw.states()
        made = {name: stream.reducer(states.get(name)) for name, stream in settings.streams.items()}
        self._reducers: dict[str, Reducer] = {name: reducer for name, reducer in made.items() if reducer is not None}
        # A place in the table of states that no stream has.
        self._scorings = {
            f"/{SCORES}/{number}": Scoring(one, self._units, states.get(f"/{SCORES}/{number}"))
            for number, one in enumerate(settings.scores)
        }

    def write(self, groups: Mapping[str, Readings]) -> dict[str, Readings]:
        """Store rows in one transaction; return those that are sent, by stream.

        Raises
        ------
        SourceError
            If the disk is full or fails; nothing has changed.
        """
        sent: dict[str, Readings] = {}
        left_out: dict[str, Readings] = {}
        before = self._states()
        if self._scorings and groups:
            rows = Readings.join(list(groups.values()))
            sent[SCORES] = self._columns([one for scoring in self._scorings.values() for one in scoring.take(rows)])
        for stream, rows in groups.items():
            reducer = self._reducers.get(stream)
            if reducer is None:
                sent[stream] = rows
                continue
            self._units |= dict(zip(rows.tags, rows.units, strict=True))
            reduced = reducer.take(rows.rows())
            sent[stream], left_out[stream] = self._columns(reduced.sent), self._columns(reduced.left_out)
        return self._store(sent, left_out, before)

    def close(self, now: int) -> dict[str, Readings]:
        """Store and return the windows that have ended at a time, ns UTC; forget rows that are kept no longer."""
        if not self._with_state:
            return {}
        before = self._states()
        sent = {name: self._columns(reducer.close(now)) for name, reducer in self._reducers.items()}
        if self._scorings:
            sent[SCORES] = self._columns([row for one in self._scorings.values() for row in one.close(now)])
        return self._store(sent, {}, before, forget=True)

    def request(self, request: RawRequest) -> int:
        """Move rows that were left out to those that are sent; return their number."""
        total = 0
        while True:
            found: list[Readings] = []

            def taken(now: int, found: list[Readings] = found) -> dict[str, Readings]:
                del now
                rows = self._outbox.raw.take(request)
                found += [] if rows is None else [rows]
                return {} if rows is None else {REQUESTED: rows}

            self._outbox.write({}, within=taken)
            if not found:
                return total
            total += len(found[0])

    # -- inside ----------------------------------------------------------------------------------------------------
    @property
    def _with_state(self) -> dict[str, Reducer | Scoring]:
        return {**self._reducers, **self._scorings}

    def _states(self) -> dict[str, dict[str, State]]:
        return {name: dict(one.state) for name, one in self._with_state.items()}

    def _store(
        self,
        sent: dict[str, Readings],
        left_out: dict[str, Readings],
        before: Mapping[str, dict[str, State]],
        *,
        forget: bool = False,
    ) -> dict[str, Readings]:
        sent = {stream: rows for stream, rows in sent.items() if len(rows)}
        try:
            self._outbox.write(sent, within=self._beside(left_out, forget=forget) if self._with_state else None)
        except BaseException:
            # The rows come again: they must find the state that was before them.
            for name, one in self._with_state.items():
                one.state = before[name]
            raise
        return sent

    def _beside(self, left_out: Mapping[str, Readings], *, forget: bool) -> Callable[[int], dict[str, Readings]]:
        def store(now: int) -> dict[str, Readings]:
            for stream, rows in left_out.items():
                if len(rows):
                    self._outbox.raw.store(stream, rows, now=now)
            for name, one in self._with_state.items():
                self._outbox.raw.store_state(name, one.state)
            if forget:
                self._outbox.raw.forget(self._kept, now=now, most_bytes=self._most_bytes)
            return {}

        return store

    def _columns(self, rows: list[Reading]) -> Readings:
        return Readings.of(rows, {row.tag: self._unit(row.tag) for row in rows})

    def _unit(self, tag: str) -> str | None:
        if self._scorings and tag.endswith(("/anomaly", "/unusual")):
            return "1"
        for suffix in SUFFIXES:
            if tag not in self._units and tag.endswith(suffix):
                return "1" if suffix == SUFFIXES[-1] else self._units.get(tag.removesuffix(suffix))
        return self._units.get(tag)
