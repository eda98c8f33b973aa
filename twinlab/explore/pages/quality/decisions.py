"""What people have decided about the data: calibrations, which can be removed here, and annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.explore.pages.quality.work import TEXT, Work
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    from twinlab.explore.pages.quality.twins import Repairable

__all__ = ["DecisionsView", "annotation_rows", "calibration_rows"]

_CALIBRATIONS: Final = {
    "asset": "asset", "signal": "signal", "correction": "correction", "since": mark("since (UTC)"), "until": mark("until (UTC)"),
    "author": "by", "reason": "why",
}  # fmt: skip
_ANNOTATIONS: Final = {
    "about": "about", "start": "from (UTC)", "stop": mark("until (UTC)"), "verdict": "verdict", "author": "by", "note": "note",
    "status": mark("since then"),
}  # fmt: skip


def calibration_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return calibrations as the page shows them, the newest first; a row's label is its place in ``table``."""
    terms = [
        " ".join(
            part
            for part in (
                f"× {gain:.6g}" if gain != 1 else "",
                local_number(f"{offset:+.4g}") if offset or gain == 1 else "",
            )
            if part
        )
        + (tr(", by time") if points else "")
        for offset, gain, points in zip(table["offset"], table["gain"], table["points"], strict=True)
    ]
    shown = table.assign(correction=terms, since=_minutes(table["since"]), until=_minutes(table["until"]))
    return shown.iloc[::-1][list(_CALIBRATIONS)]


def annotation_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return annotations as the page shows them, the newest first."""
    about = [
        " ".join(part for part in (kind, asset, signal or event) if part)
        for kind, asset, signal, event in zip(
            table["kind"], _texts(table["asset"]), _texts(table["signal"]), _texts(table["event_type"]), strict=True
        )
    ]
    shown = table.assign(about=about, start=_minutes(table["start"]), stop=_minutes(table["stop"]))
    return shown.iloc[::-1][list(_ANNOTATIONS)]


def _texts(column: pd.Series) -> list[str]:
    return [str(one) for one in column.fillna("")]


def _minutes(times: pd.Series) -> pd.Series:
    found: pd.Series = times.dt.strftime("%Y-%m-%d %H:%M").fillna("")
    return found


class DecisionsView(pn.viewable.Viewer):
    """The calibrations and annotations of a twin; nothing is shown while there are none.

    Parameters
    ----------
    twin : Repairable
    author : str
        Name that is proposed as the one who decides.
    changed : callable
        Called after a calibration was removed.
    """

    def __init__(self, twin: Repairable, *, author: str, changed: Callable[[], None]) -> None:
        super().__init__()
        self._twin, self._changed = twin, changed
        self._work = Work()
        self._places: list[int] = []
        self._table = pd.DataFrame()
        self._grid: pn.widgets.Tabulator | None = None
        self.author = pmui.TextInput(label=tr("Your name"), value=author, size="small", width=200, margin=(4, 10))
        self.reason = pmui.TextInput(label=tr("Why"), value="", size="small", width=320, margin=(4, 10))
        remove = self._work.button(tr("Remove this calibration"), self.remove, icon="delete", variant="outlined")
        self._removal = pn.Column(
            pn.FlexBox(self.author, self.reason), remove, sizing_mode="stretch_width", visible=False
        )
        self._parts = pn.Column(sizing_mode="stretch_width")
        self.read()

    def read(self) -> None:
        """Read and show what is decided now."""
        try:
            self._table, notes = self._twin.calibrations(), self._twin.annotations()
        except TwinlabError as error:
            self._parts[:] = [self._work.line]
            self._work.say(str(error), failed=True)
            return
        self._removal.visible = False
        parts: list[pn.viewable.Viewable] = []
        if len(self._table):
            rows = calibration_rows(self._table)
            self._places = rows.index.tolist()
            self._grid = _grid(rows, _CALIBRATIONS, selectable=True)
            self._grid.param.watch(self._select, "selection")
            parts += [_heading(tr("Calibrations"), tr("Select one to remove it.")), self._grid, self._removal]
        if len(notes):
            parts += [
                _heading(tr("Annotations"), tr("What people have accepted, rejected or noted.")),
                _grid(annotation_rows(notes), _ANNOTATIONS),
            ]
        self._parts[:] = [
            *([pmui.Divider(sizing_mode="stretch_width", margin=(8, 0))] if parts else []),
            *parts,
            self._work.line,
        ]

    async def remove(self, *_: object) -> None:
        """Remove the selected calibration."""
        if self._grid is None or not self._grid.selection:
            return
        author, reason = str(self.author.value), str(self.reason.value)
        if not (author.strip() and reason.strip()):
            self._work.say(tr("Say who removes it and why: the twin's journal keeps both."), failed=True)
            return
        one = self._table.to_dict("index")[self._places[int(self._grid.selection[-1])]]
        asset, signal, since, until = (one[name] for name in ("asset", "signal", "since", "until"))
        # Any instant of its span.
        at = since if not pd.isna(since) else None if pd.isna(until) else until - pd.Timedelta(1, "ns")
        done = await self._work.run(
            lambda: self._twin.remove_calibrations(asset, signal, at=at, author=author, reason=reason)
        )
        if done:
            self.read()
            self._work.say(
                tr(
                    "Removed by {author}: {asset} {signal} is as measured again.",
                    author=author,
                    asset=asset,
                    signal=signal,
                )
            )
            self._changed()

    def _select(self, event: Any) -> None:
        self._removal.visible = bool(event.new)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._parts


def _grid(rows: pd.DataFrame, titles: dict[str, str], *, selectable: bool = False) -> pn.widgets.Tabulator:
    return pn.widgets.Tabulator(
        rows.reset_index(drop=True), titles=titles, show_index=False, disabled=True, selectable=1 if selectable else False,
        pagination="local" if len(rows) > 8 else None, page_size=8, configuration=table_buttons(), layout="fit_data_stretch", sizing_mode="stretch_width", stylesheets=[TABLE_SHEET],
        margin=(4, 10),
    )  # fmt: skip


def _heading(title: str, text: str) -> Html:
    return Html(
        html(
            '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 0">{{ title }}</h2>'
            '<div style="{{ style }};opacity:.85">{{ text }}</div>',
            title=title,
            text=text,
            style=TEXT,
        ),
        sizing_mode="stretch_width",
        margin=(0, 10),
    )
