"""From a finding to a promoted history: check, choose a fix, replay it, compare, and promote or discard, without writing code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.charts.plots import signal_curve
from twinlab.explore.kit.paged_table import TABLE_SHEET
from twinlab.explore.kit.panes import Html, code_html
from twinlab.explore.kit.people import author_of
from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Session

__all__ = ["RepairView", "can_repair"]

#: Columns of the table of findings, with their titles.
_COLUMNS = {
    "kind": "what",
    "asset": "asset",
    "signal": "signal",
    "since": "since (UTC)",
    "sure": "how sure",
    "fix": "fix",
    "evidence": "evidence",
}
_TEXT = "font:14px/1.5 Roboto,system-ui,sans-serif"
#: Seconds between two looks at how far a replay is.
_LOOK = 0.25
#: Samples of the two charts beside each other.
_DRAWN = 4000


class _Diff(Protocol):
    """What a revision changes."""

    cells: pd.DataFrame
    empty: bool

    def plot(self) -> Any: ...

    def _repr_html_(self) -> str: ...


class _Revision(TwinReader, Protocol):
    """A history under other definitions."""

    id: str

    def diff(self) -> _Diff: ...

    def promote(self, *, author: str, reason: str) -> None: ...

    def discard(self, *, author: str, reason: str) -> None: ...


class _Report(Protocol):
    """What was found."""

    table: pd.DataFrame
    mappings: dict[str, str]

    def fixed_mapping(self, *rows: int) -> str: ...


@runtime_checkable
class _Repairable(TwinReader, Protocol):
    """A twin that can be checked and revised."""

    def check(self, *, start: object, stop: object) -> _Report: ...

    def remap(
        self, source: str, mapping: str, *, author: str, reason: str, progress: Callable[[int, int, str], None]
    ) -> _Revision: ...


def can_repair(twin: object) -> bool:
    """Return whether a twin can be checked and revised; a read-only view of its past can't."""
    return isinstance(twin, _Repairable)


class RepairView(pn.viewable.Viewer):
    """Findings with their evidence, a fix as a changed mapping, its replay, what it changes, and the decision.

    Parameters
    ----------
    twin : TwinReader
        With ``check`` and ``remap``; see `can_repair`.
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
        assert isinstance(twin, _Repairable)
        self._twin: _Repairable = twin
        self._window, self._promoted = window, promoted
        self.report: _Report | None = None
        self.revision: _Revision | None = None
        self._row: int | None = None
        # Row of the table that is shown -> row of the report.
        self._order: list[int] = []
        self._progress = (0, 0, "")
        self._check = _button("Check this time", self.check, icon="fact_check", variant="contained")
        self._status = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._found = pn.Column(sizing_mode="stretch_width")
        self._grid: pn.widgets.Tabulator | None = None
        self._evidence = Html("", sizing_mode="stretch_width", margin=(4, 10))
        self.source = pmui.Select(label="Mapping of source", options=[], size="small", width=260, margin=(4, 10))
        self.source.param.watch(lambda _: self._show_mapping(), "value")
        self.mapping = pmui.TextAreaInput(
            label="Mapping (YAML); change it here", rows=10, max_rows=24, auto_grow=True, sizing_mode="stretch_width",
            margin=(4, 10), sx={"& textarea": {"fontFamily": "ui-monospace,monospace", "fontSize": "13px"}},
        )  # fmt: skip
        self._replay = _button("Replay with this mapping", self.replay, icon="replay", variant="contained")
        self._fix = pn.Column(
            self._evidence, self.source, self.mapping, self._replay, sizing_mode="stretch_width", visible=False
        )
        self.author = pmui.TextInput(
            label="Your name", value=author_of(session), size="small", width=200, margin=(4, 10)
        )
        self.reason = pmui.TextInput(label="Why", value="", size="small", width=320, margin=(4, 10))
        self._promote = _button("Promote", self.promote, icon="publish", variant="contained")
        self._discard = _button("Discard", self.discard, icon="delete", variant="outlined")
        self._result = pn.Column(sizing_mode="stretch_width")

    # -- steps ---------------------------------------------------------------------------------------------------------
    async def check(self, *_: object) -> None:
        """Check the shown span and list what was found."""
        start, stop = self._window() or (None, None)
        self._say("Checking …")
        report = await self._run(lambda: self._twin.check(start=start, stop=stop))
        if report is None:
            return
        self.report, self._row = report, None
        table = report.table
        fixes = int((table["fix"] != "").sum())
        self._say(
            "Nothing was found."
            if not len(table)
            else f"{len(table):,} findings, {fixes} with a proposed fix. Select one to see its evidence."
        )
        self._list(table)
        self.source.param.update(options=sorted(report.mappings), value=next(iter(sorted(report.mappings)), None))
        self._show_mapping()
        self._fix.visible = bool(report.mappings)

    async def replay(self, *_: object) -> None:
        """Build the history under the mapping in the text field, and show what it changes."""
        source, text = str(self.source.value), str(self.mapping.value)
        await self._forget()
        self._say("Replaying …")
        self._progress = (0, 0, "")
        revision = await self._run(
            lambda: self._twin.remap(
                source, text, author=str(self.author.value), reason=str(self.reason.value), progress=self._note
            )
        )
        if revision is None:
            return
        self._say("Comparing …")
        diff = await self._run(revision.diff)
        if diff is None:
            return
        self.revision = revision
        charts = await self._run(lambda: self._side_by_side(revision, diff))
        self._say("This is what the mapping changes. Nobody else sees it until it is promoted.")
        self._result[:] = self._decision(diff, charts or [])

    async def promote(self, *_: object) -> None:
        """Make the revision the published history."""
        revision = self.revision
        if revision is None:
            return
        author, reason = str(self.author.value), str(self.reason.value)
        if not author.strip():
            self._say("Say who promotes it: the twin's journal keeps the name.", failed=True)
            return
        done = await self._run(partial(_done, revision.promote, author=author, reason=reason))
        if done:
            self.revision = None
            self._result[:] = [self._python()]
            self._say(f"Promoted by {author}. The history shows it from now on; twin.rollback() takes it back.")
            self._promoted()

    async def discard(self, *_: object) -> None:
        """Delete the revision."""
        if await self._forget():
            self._say("Discarded: nothing has changed.")

    # -- inside --------------------------------------------------------------------------------------------------------
    async def _forget(self) -> bool:
        """Discard the revision that is shown, if there is one; return whether it is gone."""
        revision, self.revision = self.revision, None
        self._result[:] = []
        if revision is None:
            return False
        author = str(self.author.value)
        return bool(await self._run(partial(_done, revision.discard, author=author, reason="from the Quality page")))

    async def _run(self, work: Callable[[], Any]) -> Any:
        """Run work in a thread with the buttons disabled; None if it failed, which is shown."""
        buttons = (self._check, self._replay, self._promote, self._discard)
        for button in buttons:
            button.disabled = True
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            while not task.done():
                await asyncio.wait([task], timeout=_LOOK)
                done, total, what = self._progress
                if total and not task.done():
                    self._say(f"{done / total:.0%} of {total:,} cells, {what}", share=done / total)
            return task.result()
        except (TwinlabError, OSError) as error:
            self._say(str(error), failed=True)
            return None
        finally:
            self._progress = (0, 0, "")
            for button in buttons:
                button.disabled = False

    def _note(self, done: int, total: int, what: str = "") -> None:
        self._progress = done, total, what

    def _say(self, text: str, *, failed: bool = False, share: float | None = None) -> None:
        self._status.object = html(
            "<div role='{{ 'alert' if failed else 'status' }}' style='{{ style }};white-space:pre-line;overflow-wrap:anywhere'>"
            "{% if failed %}<b>&#9888;</b> {% endif %}{{ text }}"
            "{% if share is not none %}<progress style='display:block;width:min(420px,100%)' value='{{ share }}' max='1' "
            "aria-label='progress'></progress>{% endif %}</div>",
            style=_TEXT,
            text=text,
            failed=failed,
            share=share,
        )

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
            shown, titles=_COLUMNS, show_index=False, disabled=True, selectable=1, pagination="local", page_size=10,
            layout="fit_columns", sizing_mode="stretch_width", stylesheets=[TABLE_SHEET], margin=(4, 10),
            widths={"kind": 120, "asset": 110, "signal": 130, "since": 140, "sure": 100, "fix": 95},
        )  # fmt: skip
        self._grid.param.watch(self._select, "selection")
        self._found[:] = [self._grid]

    def _select(self, event: Any) -> None:
        if not event.new or self.report is None:
            return
        self._row = self._order[int(event.new[-1])]
        row = self.report.table.iloc[self._row]
        self._evidence.object = html(
            "<div style='{{ style }}'><b>{{ what }}</b>: {{ evidence }}"
            "{% if fix %}<div style='margin-top:6px'>Proposed fix: <code style='overflow-wrap:anywhere'>{{ fix }}</code></div>"
            "{% else %}<div style='margin-top:6px'>No fix is proposed; change the mapping below if you know one.</div>{% endif %}</div>",
            style=_TEXT,
            what=f"{row['asset']} {row['signal']}".strip() or row["kind"],
            evidence=row["evidence"],
            fix=row["fix"],
        )
        if row["source"] in self.report.mappings:
            self.source.value = row["source"]
        self._show_mapping()

    def _show_mapping(self) -> None:
        """Put the mapping of the chosen source into the text field, with the selected finding's fix if it has one there."""
        if self.report is None or self.source.value not in self.report.mappings:
            return
        text = self.report.mappings[self.source.value]
        if self._row is not None and self.report.table.iloc[self._row]["source"] == self.source.value:
            with suppress(TwinlabError):  # its fix isn't in a mapping
                text = self.report.fixed_mapping(self._row)
        self.mapping.value = text

    def _side_by_side(self, revision: _Revision, diff: _Diff) -> list[hv.Overlay]:
        """Return charts of the asset with the most changed cells: as published, and under the revision."""
        cells = diff.cells[diff.cells["cells"] > 0]
        if not len(cells):
            return []
        counts = cells.groupby(["asset_type", "signal", "asset"])["cells"].sum().sort_values()
        kind, signal, asset = map(str, counts.index.to_list()[-1])
        mine = cells[(cells["asset"] == asset) & (cells["signal"] == signal)].sort_values("cells")
        first, last = (mine[name].to_numpy()[-1] for name in ("first", "last"))
        margin = max(np.timedelta64(1, "D"), last - first)
        out = []
        for name, reader in (("published", self._twin), ("revision", revision)):
            if signal not in reader.model.asset_types[kind].signals:
                continue
            data = reader.history(kind, signals=[signal], assets=[asset], start=first - margin, stop=last + margin)
            data = data.isel(time=slice(None, None, max(1, data.sizes["time"] // _DRAWN))).compute()
            out.append(
                signal_curve(data[signal], flags=data[f"{signal}_qc"], title=f"{asset} {signal}, {name}", height=240)
            )
        return out

    def _decision(self, diff: _Diff, charts: list[hv.Overlay]) -> list[pn.viewable.Viewable]:
        parts: list[pn.viewable.Viewable] = [
            pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)),
            Html(
                f"<div style='overflow-x:auto'>{diff._repr_html_()}</div>", sizing_mode="stretch_width", margin=(4, 10)
            ),
        ]
        if charts:
            # Beside each other, and one below the other on a phone.
            drawn = [_drawn(one, min_width=300) for one in charts]
            parts.append(pn.Row(*drawn, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"}))
        parts += [_drawn(one) for one in (() if diff.empty else diff.plot())]
        parts += [pn.FlexBox(self.author, self.reason), pn.FlexBox(self._promote, self._discard), self._python()]
        return parts

    def _python(self) -> Html:
        return Html(code_html(self.code()), sizing_mode="stretch_width", margin=(4, 10))

    def code(self) -> str:
        """Return Python that does the same; it expects the twin under the name ``twin``."""
        start, stop = self._window() or (None, None)
        span = "" if start is None else f"start={str(start)[:19]!r}, stop={str(stop)[:19]!r}"
        lines = [f"report = twin.check({span})"]
        fixed = None
        if self.report is not None and self._row is not None:
            try:
                fixed = self.report.fixed_mapping(self._row)
            except TwinlabError:
                fixed = None
        if fixed is not None and fixed == self.mapping.value:
            lines.append(f"rev = twin.remap({self.source.value!r}, report.fixed_mapping({self._row}))")
        else:
            lines.append(f"rev = twin.remap({self.source.value!r}, {str(self.mapping.value)!r})")
        author, reason = str(self.author.value), str(self.reason.value)
        return "\n".join(
            [*lines, "rev.diff()", f"rev.promote(author={author!r}, reason={reason!r})  # or rev.discard()"]
        )

    def __panel__(self) -> pn.viewable.Viewable:
        head = Html(
            html(
                '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 0">Find and fix</h2>'
                '<div style="{{ style }};opacity:.85">Units, drift, clocks and flags of the shown time; a fix is tried beside the '
                "history before it counts.</div>",
                style=_TEXT,
            ),
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
        parts = (head, self._check, self._status, self._found, self._fix, self._result)
        return pn.Column(pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)), *parts, sizing_mode="stretch_width")


def _button(label: str, action: Callable[..., Any], *, icon: str, variant: str) -> pmui.Button:
    button = pmui.Button(
        label=label, icon=icon, variant=variant, size="small", margin=(4, 10), sx={"textTransform": "none"}
    )
    button.on_click(action)
    return button


def _drawn(chart: hv.Dimensioned, **options: object) -> pn.pane.HoloViews:
    """Return a chart as wide as the page and as high as it says."""
    height = hv.Store.lookup_options("bokeh", chart, "plot").kwargs.get("height", 240)
    return pn.pane.HoloViews(chart, backend="bokeh", sizing_mode="stretch_width", height=height, **options)


def _done(decide: Callable[..., None], *, author: str, reason: str) -> bool:
    decide(author=author, reason=reason)
    return True
