"""The methods of `twinlab.Twin` that concern alerts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from twinlab.errors import SchemaError
from twinlab.events.alerts.records import AlertChange
from twinlab.events.alerts.tables import alerts_table
from twinlab.events.annotations import annotation
from twinlab.events.reading import duration_ns, instant_ns, known
from twinlab.model.alerts.alert import Alert
from twinlab.twin.alerting.store import AlertStore
from twinlab.twin.annotating.store import AnnotationStore
from twinlab.twin.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.alerting.running import AlertRound
    from twinlab.twin.security.reading import SecurityReader

__all__ = ["AlertMethods"]

#: Instants of a replay at most; `every` is set so that there are not more.
_MOST_INSTANTS = 2000
_INSTANTS = 200
_MINUTE = 60 * 10**9


class AlertMethods:
    """Raise, send, list, acknowledge, snooze and replay alerts; of `twinlab.Twin`."""

    folder: Path
    _alert_store: AlertStore
    _annotation_store: AnnotationStore

    if TYPE_CHECKING:

        @property
        def model(self) -> TwinModel:
            """The twin's model."""

        @property
        def reader(self) -> HistoryReader:
            """The reader of the twin's history."""

        @property
        def _with_security(self) -> SecurityReader:
            """The reader with security events."""

    def run_alerts(self, *, now: object = None) -> AlertRound:
        """Look for exceptions of all alerts of the model, note what changed, and send what is due.

        Call it again and again, or run ``twinlab alerts TWIN --every 1min``. What is noted is durable before a message is sent.

        Parameters
        ----------
        now : instant, optional
            Until when exceptions are looked for; by default the present. Naive is UTC.

        Returns
        -------
        AlertRound
            How many were raised, over, withdrawn and sent, and what couldn't be sent.
        """
        from twinlab.twin.alerting.running import run_round  # noqa: PLC0415  (channels load with the first round)

        at = time.time_ns() if now is None else instant_ns(now)
        return run_round(self._with_security, self._alert_store, self.folder, now=at, acknowledged=self._acknowledged())

    def alerts(self, *, state: Literal["active", "resolved", "withdrawn"] | None = None) -> pd.DataFrame:
        """Return the alerts that `run_alerts` has raised: active ones first, by severity.

        Parameters
        ----------
        state : {"active", "resolved", "withdrawn"}, optional
            Only these: not over; over; withdrawn, since later data show that there was nothing.

        Returns
        -------
        DataFrame
            Columns of `twinlab.events.alerts.ALERT_COLUMNS`.
        """
        table = alerts_table(self._alert_store.records().values(), self._acknowledged())
        return table if state is None else table[table["state"] == state].reset_index(drop=True)

    def acknowledge_alert(self, id: str, *, author: str, note: str | None = None) -> None:  # noqa: A002
        """Acknowledge an alert: nobody else is notified of it. The exception is acknowledged on all pages, too.

        Raises
        ------
        UnknownTermError
            If there is no such alert.
        """
        record = known(id, self._alert_store.records(), "alert (column `id` of twin.alerts())")
        self._annotation_store.write([annotation(record.key, acknowledged=True, note=note, author=author)])

    def snooze_alert(self, id: str, *, until: object, author: str) -> None:  # noqa: A002
        """Send nothing of an alert until an instant; if it is still active then, what is due is sent.

        Raises
        ------
        UnknownTermError
            If there is no such alert.
        SchemaError
            If ``until`` is no instant, or nobody is named.
        """
        record = known(id, self._alert_store.records(), "alert (column `id` of twin.alerts())")
        if not author.strip():
            msg = f"expected who snoozes the alert, got author {author!r}"
            raise SchemaError(msg)
        row = {"until": instant_ns(until)}
        change = AlertChange(id, record.alert, "snoozed", time.time_ns(), author=author.strip(), row=row)
        self._alert_store.write([change])

    def replay_alerts(self, rule: str, start: object, stop: object, *, every: str | None = None) -> pd.DataFrame:
        """Return which alerts would have been raised in a span, as the data were known at each time.

        Nothing is stored or sent. Alerts that later data withdrew have the state "withdrawn", and when; those whose beginning
        later data moved say how often (``moved``). ``noted`` is when the alert would have been raised.

        Parameters
        ----------
        rule : str
            An alert of the model, or a rule: then as an alert of that rule would have been.
        start, stop : instant
            Half-open span of the ingest clock: when somebody would have looked. Naive is UTC.
        every : str, optional
            How often; by default 200 times in the span, but not more than once a minute.

        Returns
        -------
        DataFrame
            Columns of `twinlab.events.alerts.ALERT_COLUMNS`.

        Raises
        ------
        UnknownTermError
            If the model has no such alert or rule.
        SchemaError
            If ``start`` isn't before ``stop``, or ``every`` gives more than 2,000 times.

        Notes
        -----
        Rows that were read in one go, long after they were observed, were known to nobody before: then no alert would have been
        raised while the exceptions lasted.
        """
        from twinlab.events.alerts.replay import replayed  # noqa: PLC0415
        from twinlab.twin.alerting.known_then import known_then  # noqa: PLC0415

        model = self.model
        alert = model.alerts.get(rule) or Alert(rule=known(rule, {name: name for name in model.rules}, "alert or rule"))
        low, high = instant_ns(start), instant_ns(stop)
        if not low < high:
            msg = f"expected start before stop, got {start} and {stop}; swap them or widen the span"
            raise SchemaError(msg)
        step = max(_MINUTE, (high - low) // _INSTANTS) if every is None else duration_ns(every)
        instants = np.append(np.arange(low, high, step), high)
        if len(instants) > _MOST_INSTANTS:
            msg = f"expected at most {_MOST_INSTANTS:,} times in the span, got {len(instants):,} with every={every!r}; look less often"
            raise SchemaError(msg)
        readers = known_then(self.reader, instants)
        with progress_bar("replay", unit=" times") as show:
            records = replayed(readers, rule, alert, progress=lambda done: show(done, len(instants)))
        # What was raised when somebody first looked had been raised before.
        return alerts_table((one for one in records.values() if one.noted > low), self._acknowledged())

    def _acknowledged(self) -> frozenset[str]:
        notes = self._annotation_store.notes()
        return frozenset(notes.loc[notes["acknowledged"].astype(bool), "key"])
