"""Find and fix: check the shown time, choose a finding, and apply its fix: a changed mapping, or a calibration."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.people import author_of
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.explore.pages.quality.calibrating import CalibrationView, calibration_text
from twinlab.explore.pages.quality.decisions import DecisionsView
from twinlab.explore.pages.quality.replay import ReplayView
from twinlab.explore.pages.quality.twins import Repairable
from twinlab.explore.pages.quality.work import TEXT, Work
from twinlab.languages import mark, tr, tr_values

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Session
    from twinlab.explore.pages.quality.twins import Report
    from twinlab.model.calibration import Calibration
    from twinlab.model.reader import TwinReader

__all__ = ["RepairView"]

#: Columns of the table of findings, with their titles.
_COLUMNS: Final = {
    "kind": "what",
    "asset": "asset",
    "signal": "signal",
    "since": mark("since (UTC)"),
    "sure": mark("how sure"),
    "fix": "fix",
    "evidence": "evidence",
}


class RepairView(pn.viewable.Viewer):
    """Findings with their evidence, the fix of the selected one, and what people have decided so far.

    Parameters
    ----------
    twin : TwinReader
        As `Repairable`; see `twinlab.explore.pages.quality.twins.can_repair`.
    session : Session
        The reader, who is named as the author.
    window : callable
        Returns the shown span of time, which is checked; None for all.
    promoted : callable
        Called after a promotion: what is shown must be read again.
    """

    def __init__(
        self, twin: TwinReader, *, session: Session, window: Callable[[], Window | None], promoted: Callable[[], None]
    ) -> None:
        super().__init__()
        assert isinstance(twin, Repairable)
        self._twin: Repairable = twin
        self._window = window
        self.report: Report | None = None
        self._row: int | None = None
        # Row of the table that is shown -> row of the report.
        self._order: list[int] = []
        self.work = Work()
        author = author_of(session)
        self._check = self.work.button(tr("Check this time"), self.check, icon="fact_check", variant="contained")
        self._found = pn.Column(sizing_mode="stretch_width")
        self._grid: pn.widgets.Tabulator | None = None
        self._evidence = Html("", sizing_mode="stretch_width", margin=(4, 10))
        self.decisions = DecisionsView(twin, author=author, changed=lambda: None)
        self.replaying = ReplayView(twin, self.work, author=author, code=self.code, promoted=promoted)
        self.calibrating = CalibrationView(twin, self.work, author=author, code=self.code, added=self.decisions.read)
        # One of the two is shown.
        self._fix = pn.Column(sizing_mode="stretch_width")

    async def check(self, *_: object) -> None:
        """Check the shown span and list what was found."""
        start, stop = self._window() or (None, None)
        self.work.say(tr("Checking …"))
        report = await self.work.run(lambda: self._twin.check(start=start, stop=stop))
        if report is None:
            return
        self.report, self._row = report, None
        table = report.table
        fixes = int((table["fix"] != "").sum())
        self.work.say(
            tr("Nothing was found.")
            if not len(table)
            else f"{len(table):,} finding{'' if len(table) == 1 else 's'}, {fixes} with a proposed fix. Select one to see its evidence."
        )
        self._list(table)
        # A mapping can be changed without a finding, too.
        self.replaying.offer(report.mappings)
        self._fix[:] = [self.replaying] if report.mappings else []

    # -- inside --------------------------------------------------------------------------------------------------------
    def _list(self, table: pd.DataFrame) -> None:
        # Those that can be fixed here come first.
        self._order = np.lexsort((-table["confidence"].to_numpy(), (table["fix"] == "").to_numpy())).tolist()
        table = table.iloc[self._order]
        shown = pd.DataFrame({
            "kind": table["kind"].str.replace("_", " "), "asset": table["asset"], "signal": table["signal"],
            "since": table["since"].dt.strftime("%Y-%m-%d %H:%M").fillna(""),
            "fix": np.where(table["fix"] != "", "proposed", ""),
            "sure": (table["confidence"] * 100).round().map("{:.0f} %".format), "evidence": table["evidence"],
        })  # fmt: skip
        if not len(shown):
            self._grid, self._found[:] = None, []
            return
        self._grid = pn.widgets.Tabulator(
            shown, titles=tr_values(_COLUMNS), show_index=False, disabled=True, selectable=1, pagination="local" if len(shown) > 10 else None, page_size=10, configuration=table_buttons(),
            layout="fit_columns", sizing_mode="stretch_width", stylesheets=[TABLE_SHEET], margin=(4, 10),
            widths={"kind": 120, "asset": 110, "signal": 130, "since": 140, "sure": 100, "fix": 95},
        )  # fmt: skip
        self._grid.param.watch(self._select, "selection")
        self._found[:] = [self._grid]

    async def _select(self, event: Any) -> None:
        if event.new:
            await self.select(self._order[int(event.new[-1])])

    async def select(self, row: int) -> None:
        """Show the evidence of a row of the report, and its fix: a calibration, or the mapping of its source."""
        report = self.report
        if report is None:
            return
        self._row = row
        found = report.table.iloc[row]
        calibration = self._calibration()
        self._evidence.object = html(
            "<div style='{{ style }}'><b>{{ what }}</b>: {{ evidence }}"
            "{% if calibration %}<div style='margin-top:6px'>Proposed fix: a calibration, {{ calibration }}.</div>"
            "{% elif fix %}<div style='margin-top:6px'>Proposed fix: <code style='overflow-wrap:anywhere'>{{ fix }}</code></div>"
            "{% else %}<div style='margin-top:6px'>No fix is proposed; change the mapping below if you know one.</div>{% endif %}</div>",
            style=TEXT,
            what=f"{found['asset']} {found['signal']}".strip() or found["kind"],
            evidence=found["evidence"],
            fix=found["fix"],
            calibration=self._told(calibration),
        )
        if calibration is not None:
            self._fix[:] = [self._evidence, self.calibrating]
            await self.calibrating.offer(calibration)
            return
        source, fixed = str(found["source"]), None
        with suppress(TwinlabError):  # its fix isn't in a mapping
            fixed = source, report.fixed_mapping(row)
        if fixed is None and source in report.mappings:
            fixed = source, report.mappings[source]
        self.replaying.offer(report.mappings, fixed)
        self._fix[:] = [self._evidence, *([self.replaying] if report.mappings else [])]

    def _told(self, one: Calibration | None) -> str:
        if one is None:
            return ""
        kind = one.asset.partition("/")[0]
        return calibration_text(one, self._twin.model.asset_types[kind].signals[one.signal].unit)

    def _calibration(self) -> Calibration | None:
        if self.report is None or self._row is None:
            return None
        try:
            return self.report.calibration(self._row)
        except TwinlabError:
            return None

    def code(self) -> str:
        """Return Python that does the same; it expects the twin under the name ``twin``."""
        start, stop = self._window() or (None, None)
        span = "" if start is None else f"start={str(start)[:19]!r}, stop={str(stop)[:19]!r}"
        lines = [f"report = twin.check({span})"]
        if self._calibration() is not None:
            author = str(self.calibrating.author.value)
            return "\n".join([
                *lines, f"calibration = report.calibration({self._row})",
                "twin.calibrated_exceptions(calibrations=calibration)",
                f"twin.add_calibration(calibration, author={author!r})",
            ])  # fmt: skip
        fixed = None
        if self.report is not None and self._row is not None:
            with suppress(TwinlabError):
                fixed = self.report.fixed_mapping(self._row)
        source, text = self.replaying.source.value, str(self.replaying.mapping.value)
        if fixed is not None and fixed == text:
            lines.append(f"rev = twin.remap({source!r}, report.fixed_mapping({self._row}))")
        else:
            lines.append(f"rev = twin.remap({source!r}, {text!r})")
        author, reason = str(self.replaying.author.value), str(self.replaying.reason.value)
        return "\n".join(
            [*lines, "rev.diff()", f"rev.promote(author={author!r}, reason={reason!r})  # or rev.discard()"]
        )

    def __panel__(self) -> pn.viewable.Viewable:
        head = Html(
            html(
                '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 0">Find and fix</h2>'
                '<div style="{{ style }};opacity:.85">Units, drift, clocks, sources that disagree and flags of the shown time; a '
                "fix is tried beside the history before it counts.</div>",
                style=TEXT,
            ),
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
        parts = (head, self._check, self.work.line, self._found, self._fix, self.decisions)
        return pn.Column(pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)), *parts, sizing_mode="stretch_width")
