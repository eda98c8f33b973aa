"""What the Sources page shows of one source: facts, gaps, and the rows that arrived last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn

from twinlab._html import html
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.live.states import age_at, offset_text
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["SourceDetails", "facts"]

_FACTS = (
    '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 6px">{{ name }}</h2>'
    '<dl style="display:grid;grid-template-columns:repeat(auto-fill,minmax(min(170px,45%),1fr));gap:8px 22px;margin:0;'
    'font:14px/1.4 Roboto,system-ui,sans-serif;overflow-wrap:anywhere">'
    '{% for label, value in facts %}<div><dt style="opacity:.75;font-size:13px">{{ label }}</dt>'
    '<dd style="margin:0">{{ value }}</dd></div>{% endfor %}</dl>'
)
_TITLE = '<h3 style="font:600 15px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 0">{{ title }}</h3>'
#: Most gaps that are shown.
_GAPS = 200
_NOTHING = '<p style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:4px 0 0;opacity:.85">{{ text }}</p>'

#: What became of a gap before the numbers that identify it.
_GAP_COLUMNS = [
    "noted", "state", "stream", "reason", "start", "stop", "rows", "changed", "note", "tags", "epoch", "first_sequence", "stop_sequence",
]  # fmt: skip


def facts(source: Mapping[str, Any], *, now_ns: int) -> list[tuple[str, str]]:
    """Return what is known of a source: label and value.

    Parameters
    ----------
    source : mapping
        Its entry in the status.
    now_ns : int
        The present, ns UTC.
    """

    def pair(name: str) -> str:
        p50, p99 = source[f"{name}_p50"], source[f"{name}_p99"]
        return "–" if p50 is None else f"{p50:.2f} s / {p99:.2f} s"

    newest = source["last_event_ns"]
    found = [
        (tr("in this state for"), age_at(source["since_ns"], now_ns) or "never"),
        (tr("connections so far"), local_number(f"{source['connections']:,}")),
        (tr("newest event time"), f"{time_text(pd.Timestamp(newest))} UTC" if newest else "–"),
        (tr("received to stored, p50 / p99"), pair("received")),
        (tr("event to stored, p50 / p99"), pair("event")),
        (tr("rows stored"), local_number(f"{source['stored']:,}")),
        (tr("stored, not published yet"), tr("{waiting:,} rows", waiting=source["waiting"])),
        (tr("received, not stored yet"), tr("{queued:,} rows", queued=source["queued"])),
        (tr("batches kept as files, since they fit no table"), local_number(f"{source['refused']:,}")),
        (tr("rows that can't be read"), local_number(f"{source['unreadable']:,}")),
        (tr("errors so far"), local_number(f"{source['errors']:,}")),
        *(
            (tr("clock of {name}", name=name), offset_text(value))
            for name, value in source.get("stream_clocks", {}).items()
        ),
        *((name.replace("_", " "), local_number(f"{value:,.3g}")) for name, value in source["load"].items()),
    ]
    if source["error"]:
        found.append((tr("last error"), str(source["error"])))
    return [*found, *((tr("differs from the mapping"), str(text)) for text in source["findings"])]


class SourceDetails:
    """Facts, gaps and last rows of one source, updated in place."""

    def __init__(self) -> None:
        self._facts = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._gaps = _Table(tr("Recorded gaps"), tr("No gap was recorded."))
        self._rows = _Table(tr("Rows that arrived last"), tr("No row has arrived yet."))
        self.pane = pn.Column(self._facts, self._gaps.pane, self._rows.pane, sizing_mode="stretch_width", visible=False)

    @property
    def gaps(self) -> pd.DataFrame:
        """The shown gaps, newest first."""
        return self._gaps.value

    @property
    def rows(self) -> pd.DataFrame:
        """The shown rows, newest first."""
        return self._rows.value

    def show(self, name: str, source: Mapping[str, Any] | None, gaps: pd.DataFrame, rows: pd.DataFrame) -> None:
        """Show a source; ``source`` is None if the historian has no status of it."""
        self._facts.object = _facts_html(name, [] if source is None else facts(source, now_ns=time.time_ns()))
        count = tr(", the newest {gaps} of {count:,}", gaps=_GAPS, count=len(gaps)) if len(gaps) > _GAPS else ""
        self._gaps.show(gaps.iloc[: -_GAPS - 1 : -1].reindex(columns=_GAP_COLUMNS), note=count)
        self._rows.show(rows)
        self.pane.visible = True

    def hide(self) -> None:
        """Show nothing."""
        self.pane.visible = False


def _facts_html(name: str, found: list[tuple[str, str]]) -> Markup:
    return html(_FACTS, name=name, facts=found)


class _Table:
    """A table with a heading, or a sentence if it is empty."""

    def __init__(self, title: str, nothing: str) -> None:
        self.value = pd.DataFrame()
        self._text = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._title, self._nothing = title, nothing
        self._grid: pn.widgets.Tabulator | None = None
        self.pane = pn.Column(self._text, sizing_mode="stretch_width")

    def show(self, value: pd.DataFrame, *, note: str = "") -> None:
        """Show a table, with a note in its heading; nothing is sent if both equal the present ones."""
        value = _texts(value)
        heading = html(_TITLE, title=f"{self._title}{note}") + (
            html(_NOTHING, text=self._nothing) if value.empty else html("")
        )
        if self._text.object == heading and value.equals(self.value):
            return
        new_columns = list(value) != list(self.value)
        self.value, self._text.object = value, heading
        if value.empty:
            self.pane[:] = [self._text]
            self._grid = None
        elif self._grid is None or new_columns:
            self._grid = pn.widgets.Tabulator(
                value,
                show_index=False,
                disabled=True,
                pagination="remote",
                configuration=table_buttons(),
                page_size=10,
                layout="fit_data_fill",
                stylesheets=[TABLE_SHEET],
                sizing_mode="stretch_width",
                margin=(4, 10),
            )
            self.pane[:] = [self._text, self._grid]
        else:
            self._grid.value = value


def _texts(value: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose times are texts to the millisecond and whose column titles are words."""
    out = {}
    for name, column in value.items():
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            column = column.dt.strftime("%Y-%m-%d %H:%M:%S.%f").str[:-3].fillna("–")  # noqa: PLW2901
            out[f"{str(name).replace('_', ' ')} (UTC)" if name != "source_time" else "source time"] = column
        else:
            out[str(name).replace("_", " ")] = column
    return pd.DataFrame(out).reset_index(drop=True)
