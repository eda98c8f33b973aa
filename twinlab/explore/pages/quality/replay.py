"""A changed mapping: replayed beside the published history, compared, and promoted or discarded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import holoviews as hv
import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.plots import signal_curve
from twinlab.explore.kit.panes import Html, code_html
from twinlab.explore.pages.quality.work import Work, drawn
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.pages.quality.twins import Diff, Repairable, Revision

__all__ = ["ReplayView"]

#: Samples of the two charts beside each other.
_DRAWN = 4000


class ReplayView(pn.viewable.Viewer):
    """The mapping of a source as text, its replay, what it changes, and the decision.

    Parameters
    ----------
    twin : Repairable
    work : Work
    author : str
        Name that is proposed as the one who decides.
    code : callable
        Returns Python that does what the page does.
    promoted : callable
        Called after a promotion: what is shown must be read again.
    """

    def __init__(
        self, twin: Repairable, work: Work, *, author: str, code: Callable[[], str], promoted: Callable[[], None]
    ) -> None:
        super().__init__()
        self._twin, self._work, self._code, self._promoted = twin, work, code, promoted
        self._mappings: dict[str, str] = {}
        self._fixed: tuple[str, str] | None = None
        self.revision: Revision | None = None
        self.source = pmui.Select(label=tr("Mapping of source"), options=[], size="small", width=260, margin=(4, 10))
        self.source.param.watch(lambda _: self._show(), "value")
        self.mapping = pmui.TextAreaInput(
            label=tr("Mapping (YAML); change it here"), rows=10, max_rows=24, auto_grow=True, sizing_mode="stretch_width",
            margin=(4, 10), sx={"& textarea": {"fontFamily": "ui-monospace,monospace", "fontSize": "13px"}},
        )  # fmt: skip
        self.author = pmui.TextInput(label=tr("Your name"), value=author, size="small", width=200, margin=(4, 10))
        self.reason = pmui.TextInput(label=tr("Why"), value="", size="small", width=320, margin=(4, 10))
        self._replay = work.button(tr("Replay with this mapping"), self.replay, icon="replay", variant="contained")
        self._promote = work.button(tr("Promote"), self.promote, icon="publish", variant="contained")
        self._discard = work.button(tr("Discard"), self.discard, icon="delete", variant="outlined")
        self.result = pn.Column(sizing_mode="stretch_width")

    def offer(self, mappings: dict[str, str], fixed: tuple[str, str] | None = None) -> None:
        """Show the mappings of some sources; ``fixed`` is a source with a changed mapping, which is shown first."""
        self._mappings, self._fixed = mappings, fixed
        names = sorted(mappings)
        now = self.source.value if self.source.value in names else next(iter(names), None)
        self.source.param.update(options=names, value=fixed[0] if fixed is not None else now)
        self._show()

    def _show(self) -> None:
        source = str(self.source.value)
        if self._fixed is not None and self._fixed[0] == source:
            self.mapping.value = self._fixed[1]
        elif source in self._mappings:
            self.mapping.value = self._mappings[source]

    # -- steps ---------------------------------------------------------------------------------------------------------
    async def replay(self, *_: object) -> None:
        """Build the history under the mapping in the text field, and show what it changes."""
        source, text = str(self.source.value), str(self.mapping.value)
        await self._forget()
        self._work.say(tr("Replaying …"))
        author, reason = str(self.author.value), str(self.reason.value)
        revision = await self._work.run(
            lambda: self._twin.remap(source, text, author=author, reason=reason, progress=self._work.note)
        )
        if revision is None:
            return
        self._work.say(tr("Comparing …"))
        diff = await self._work.run(revision.diff)
        if diff is None:
            return
        self.revision = revision
        charts = await self._work.run(lambda: self._side_by_side(revision, diff))
        self._work.say(tr("This is what the mapping changes. Nobody else sees it until it is promoted."))
        self.result[:] = self._decision(diff, charts or [])

    async def promote(self, *_: object) -> None:
        """Make the revision the published history."""
        revision = self.revision
        if revision is None:
            return
        author, reason = str(self.author.value), str(self.reason.value)
        if not author.strip():
            self._work.say(tr("Say who promotes it: the twin's journal keeps the name."), failed=True)
            return
        done = await self._work.run(partial(_done, revision.promote, author=author, reason=reason))
        if done:
            self.revision = None
            self.result[:] = [self._python()]
            self._work.say(
                tr(
                    "Promoted by {author}. The history shows it from now on; twin.rollback() takes it back.",
                    author=author,
                )
            )
            self._promoted()

    async def discard(self, *_: object) -> None:
        """Delete the revision."""
        if await self._forget():
            self._work.say(tr("Discarded: nothing has changed."))

    # -- inside --------------------------------------------------------------------------------------------------------
    async def _forget(self) -> bool:
        """Discard the revision that is shown, if there is one; return whether it is gone."""
        revision, self.revision = self.revision, None
        self.result[:] = []
        if revision is None:
            return False
        author = str(self.author.value)
        return bool(
            await self._work.run(partial(_done, revision.discard, author=author, reason="from the Quality page"))
        )

    def _side_by_side(self, revision: Revision, diff: Diff) -> list[hv.Overlay]:
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

    def _decision(self, diff: Diff, charts: list[hv.Overlay]) -> list[pn.viewable.Viewable]:
        parts: list[pn.viewable.Viewable] = [
            pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)),
            Html(
                f"<div style='overflow-x:auto'>{diff._repr_html_()}</div>", sizing_mode="stretch_width", margin=(4, 10)
            ),
        ]
        if charts:
            # Beside each other, and one below the other on a phone.
            beside = [drawn(one, min_width=300) for one in charts]
            parts.append(pn.Row(*beside, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"}))
        parts += [drawn(one) for one in (() if diff.empty else diff.plot())]
        parts += [pn.FlexBox(self.author, self.reason), pn.FlexBox(self._promote, self._discard), self._python()]
        return parts

    def _python(self) -> Html:
        return Html(code_html(self._code()), sizing_mode="stretch_width", margin=(4, 10))

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.source, self.mapping, self._replay, self.result, sizing_mode="stretch_width")


def _done(decide: Callable[..., None], *, author: str, reason: str) -> bool:
    decide(author=author, reason=reason)
    return True
