"""Alerts of exceptions: their state as text, and how they are snoozed. A twin without ``alerts:`` has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.lineage_pane import LineagePane, can_explain
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.widgets import row as widget_row
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["SNOOZES", "NowAlerts", "alert_text"]

_OTHERS = (
    '<div role="status" style="font:14px/1.45 Roboto,system-ui,sans-serif"><b>Other alerts</b>'
    '<ul style="margin:2px 0 6px;padding-left:20px">{% for one in sentences %}<li>{{ one }}</li>{% endfor %}</ul></div>'
)
#: For how long an alert is snoozed: label -> hours.
SNOOZES = {"1 h": 1, "4 h": 4, mark("1 day"): 24, mark("1 week"): 168}


def alert_text(row: Any, now: pd.Timestamp) -> str:
    """Return the state of an alert in words, with a symbol.

    >>> row = {"acknowledged": False, "snoozed_until": pd.Timestamp("2026-03-01 12:00"), "escalations": 1, "failed": ""}
    >>> alert_text(row, pd.Timestamp("2026-03-01 09:00"))
    '◔ snoozed until 2026-03-01 12:00, escalated'
    """
    snoozed = row["snoozed_until"]
    if row["acknowledged"]:
        parts = [tr("✓ acknowledged")]
    elif not pd.isna(snoozed) and snoozed > now:
        parts = [tr("◔ snoozed until {snoozed}", snoozed=time_text(snoozed))]
    else:
        parts = [tr("● new")]
    if row["escalations"]:
        parts.append(
            "escalated"
            if row["escalations"] == 1
            else tr("escalated {escalations} times", escalations=row["escalations"])
        )
    if row["failed"]:
        parts.append(tr("not sent: {failed}", failed=row["failed"]))
    return ", ".join(parts)


class NowAlerts:
    """The active alerts of a twin: their states, and those whose exception isn't in the table, each explained by a press (``pane``).

    Parameters
    ----------
    twin : TwinReader
    """

    def __init__(self, twin: TwinReader) -> None:
        self._twin: Any = twin
        #: Whether the twin raises alerts; a view of its past doesn't.
        self.any = bool(twin.model.alerts) and hasattr(twin, "alerts")
        self._others = _OtherAlerts(twin)
        self.pane = self._others.pane

    def _active(self) -> list[dict[Any, Any]]:
        if not self.any:
            return []
        found: list[dict[Any, Any]] = self._twin.alerts(state="active").to_dict("records")
        return found

    def texts(self, keys: Iterable[object]) -> dict[str, str]:
        """Return the state of each active alert by the key of its exception, and list those of other keys than these."""
        if not self.any:
            return {}
        now = pd.Timestamp.now(tz="UTC").tz_localize(None)
        shown = set(map(str, keys))
        alerts = self._active()
        self._others.show([row for row in alerts if row["key"] not in shown], now)
        return {str(row["key"]): alert_text(row, now) for row in alerts}

    def snooze(self, keys: Sequence[str], *, hours: int, author: str) -> str:
        """Snooze the alerts of some exceptions from now on; return a sentence if that isn't possible, else an empty text."""
        chosen = [str(row["id"]) for row in self._active() if row["key"] in set(keys)]
        until = pd.Timestamp.now(tz="UTC").tz_localize(None).floor("s") + pd.Timedelta(hours=hours)
        try:
            for one in chosen:
                self._twin.snooze_alert(one, until=until, author=author)
        except READING_ERRORS as error:
            return tr("The alert can't be snoozed: {error}", error=error)
        return "" if chosen else tr("None of the ticked exceptions has an active alert")


class _OtherAlerts:
    """Alerts whose exception isn't in the table, of KPIs and finders too, and what is behind one of them (``pane``)."""

    def __init__(self, twin: TwinReader) -> None:
        self._rows: dict[str, dict[Any, Any]] = {}
        self._list = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self.lineage = LineagePane(twin)
        self.chosen = pmui.Select(label=tr("Other alert"), options={}, size="small", width=420, description="")
        self.button = pmui.Button(
            label=tr("Why"), icon="account_tree", variant="outlined", size="small", margin=(12, 4)
        )
        self.button.on_click(lambda _: self.explain())
        asking = [widget_row([self.chosen, self.button], margin=(0, 4, 0, 4))] if can_explain(twin) else []
        self.pane = pn.Column(self._list, *asking, self.lineage.pane, sizing_mode="stretch_width", visible=False)

    def show(self, alerts: Sequence[dict[Any, Any]], now: pd.Timestamp) -> None:
        """List alerts; the one that was chosen stays so while it is active."""
        self._rows = {str(one["id"]): one for one in alerts}
        names = {key: f"{one['title']}, {_subject(one)}" for key, one in self._rows.items()}
        sentences = [f"{names[key]}: {one['text']} ({alert_text(one, now)})" for key, one in self._rows.items()]
        # Two alerts of one asset differ in when they were raised.
        options = {f"{names[key]}, {time_text(one['noted'])}": key for key, one in self._rows.items()}
        if options != self.chosen.options:
            value = self.chosen.value if self.chosen.value in self._rows else next(iter(self._rows), None)
            self.chosen.param.update(options=options, value=value)
        if not self._rows:
            self.lineage.close()
        self._list.object = html(_OTHERS, sentences=sentences) if sentences else ""
        self.pane.visible = bool(sentences)

    def explain(self) -> None:
        """Show what is behind the chosen alert."""
        found = self._rows.get(str(self.chosen.value))
        if found is None:
            self.lineage.say(tr("This alert is over."))
        else:
            self.lineage.explain(found)


def _subject(row: Mapping[Any, Any]) -> str:
    return str(row["asset"] or row["event_id"] or row["asset_type"])
