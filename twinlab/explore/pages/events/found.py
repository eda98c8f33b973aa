"""Found events: the condition and its hits, the signals around a selected one, and the rows that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.lineage_pane import LineagePane, can_explain
from twinlab.explore.kit.link import Link
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.finder.explorer import FinderExplorer
from twinlab.explore.views.signals.explorer import SignalExplorer
from twinlab.languages import mark, tr
from twinlab.model.expressions import bind_condition
from twinlab.model.expressions.walk import signals_of

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["FoundView"]

#: Least time that is shown before and after an event.
_AROUND = np.timedelta64(30, "m")


class FoundView(Explorer):
    """A condition with its events; a selected event shows its signals around it, and the rows of the ledger at its beginning.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "find"
    label: ClassVar[str] = mark("Found events")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self.finder = FinderExplorer(
            twin,
            link=self.first_link,
            shared=self.shared,
            session=self.session,
            patient=patient,
            open_code=self.open_code,
        )
        self.signals: SignalExplorer | None = None
        self.lineage = LineagePane(twin)
        self._beneath = pn.Column(sizing_mode="stretch_width")
        self.finder.param.watch(self._followed, "revision")
        self.finder.param.watch(self._selected, "selected")
        self.finder.param.watch(lambda _: self.param.update(notice=self.finder.notice), "notice")
        self.finder.param.watch(lambda _: self.param.update(chosen=self.finder.chosen), "chosen")
        self.notice = self.finder.notice

    def _followed(self, *_: object) -> None:
        if self.finder.selected is None:
            self._beneath[:] = []
        self.revision += 1

    def _selected(self, *_: object) -> None:
        event, found = self.finder.selected, self.finder.found
        if event is None or found is None:
            self._beneath[:] = []
            return
        spec = self.twin.model.asset_types[found.on]
        used = signals_of(bind_condition(found.condition, self.finder.context()))
        names = tuple(name for name in used if name in spec.signals)
        start, stop = self._window(event)
        asset = str(event["asset"])
        link = Link(asset_type=found.on, signals=names, assets=(asset,), window=(start, stop))
        if self.signals is None:
            self.signals = SignalExplorer(self.twin, link=link, open_code=self.open_code)
        else:
            self.signals.apply(link)
        self.signals.marked = self._span(event)
        title = tr("{asset} around the event", asset=self.shared.labels(found.on).get(asset, asset))
        parts: list[Any] = [pmui.Typography(title, variant="h6", margin=(10, 10, 0, 10)), self.signals.charts]
        if can_explain(self.twin) and names:
            self.lineage.explain(f"{found.on}/{asset}", names[0], self._span(event)[0])
            parts.append(self.lineage.pane)
        self._beneath[:] = parts

    def _span(self, event: pd.Series) -> tuple[np.datetime64, np.datetime64]:
        """Return the event's span; one that isn't over lasts until the newest data, one without a beginning is as short."""
        latest = self.shared.latest()
        ends = [event["start"], event["end"]]
        known = [pd.Timestamp(one).to_datetime64().astype("datetime64[ns]") for one in ends if not pd.isna(one)]
        start = known[0] if known else (latest if latest is not None else np.datetime64(0, "ns"))
        stop = known[-1] if not pd.isna(event["end"]) else (latest if latest is not None else start)
        return start, max(stop, start + np.timedelta64(1, "s"))

    def _window(self, event: pd.Series) -> tuple[np.datetime64, np.datetime64]:
        start, stop = self._span(event)
        margin = max(stop - start, _AROUND)
        return start - margin, stop + margin

    # -- state, code and data: those of the finder ----------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        self.finder.apply(link)

    def link(self) -> Link:
        """Return the view's state."""
        return self.finder.link()

    def code(self) -> str:
        """Return Python that gives the shown events as ``data``."""
        return self.finder.code()

    def data(self) -> pd.DataFrame | None:
        """Return the shown events, as `code` gives them."""
        return self.finder.data()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the shown events, and the rows behind the selected one."""
        rows = self.lineage.rows
        return self.finder.tables() | ({tr("rows of the event"): rows} if len(rows) else {})

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        return self.finder.settings()

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the chart of the events."""
        return self.finder.figure(backend=backend)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.finder, self._beneath, sizing_mode="stretch_width")
