"""What a run says: verdicts on a KPI, bands of a signal, differences by asset and time, what was assumed, what it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.what_if.plan import BASE
from twinlab.explore.views.what_if.results.tables import all_assets, all_comparisons, summary_table
from twinlab.explore.views.what_if.results.trust import TrustPane
from twinlab.explore.views.what_if.results.verdicts import sentence, summary_html, verdict_html
from twinlab.languages import tr

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.simulate.experiments.comparison import Comparison

__all__ = ["ResultPanes"]


class ResultPanes:
    """The parts of a result (``pane``); charts and texts are changed in place. A part is hidden until it has something to show.

    Parameters
    ----------
    choices : parameters
        ``param`` of the explorer: ``kpi``, ``signal`` and ``asset`` get a widget each.
    on_score : callable
        Called when the reader wants the model scored.
    """

    def __init__(self, choices: Any, *, on_score: Callable[[], None]) -> None:
        select = {"size": "small", "description": ""}
        self._verdicts, self._summary = _text(), Html("", sizing_mode="stretch_width", margin=(4, 10))
        self._differences, self._bands = _chart(), _chart()
        self._maps = pn.Column(sizing_mode="stretch_width")
        self._assumed, self._took = _text(), _text()
        self.trust = TrustPane(on_score=on_score)
        self.trust.pane.visible = False
        kpi = pmui.Select.from_param(choices.kpi, label=tr("KPI"), width=420, **select)
        self._chosen = row([kpi], margin=(10, 0, 4, 0))
        signal = pmui.Select.from_param(choices.signal, label=tr("Signal"), width=330, **select)
        asset = pmui.Select.from_param(choices.asset, label=tr("Where"), width=150, **select)
        played = pmui.Select.from_param(choices.played, label=tr("Scenario"), width=150, **select)
        future = pmui.Select.from_param(choices.future, label=tr("Future"), width=90, **select)
        at_places = pmui.Select.from_param(choices.circles, label=tr("Circles"), width=330, **select)
        self.played_row = row([played, future, at_places], margin=(10, 0, 4, 0))
        self._compared = _section(tr("What differs"), self._summary, self._chosen, self._verdicts, self._differences)
        self._over_time = _section(
            tr("Over time: the median of the futures, half and nine tenths of them"),
            row([signal, asset], margin=(10, 0, 4, 0)),
            self._bands,
        )
        self._by_place = _section(tr("Where it differs"), self._maps)
        self._about = _section(tr("About these results"), self._assumed, self._took)
        self.pane = pn.Column(
            self._compared, self._over_time, self._by_place, self.trust.pane, self._about, sizing_mode="stretch_width"
        )

    def show(self, results: Any, *, found: Sequence[Comparison], signal: str | None, asset: str) -> None:
        """Show results of a run.

        Parameters
        ----------
        results : TwinResults
        found : sequence of Comparison
            Of the chosen KPI: each scenario with the base.
        signal : str or None
            Name in ``results.data``; None if it has none.
        asset : str
            Its name, or that of all together.
        """
        self._show_verdicts(results, found)
        self.show_bands(results.data, signal=signal, asset=asset)
        self._show_maps(results, signal)
        self.trust.show(results)
        self.trust.pane.visible = True
        # A stored run has only what was stored.
        assumed = getattr(results, "assumed", ())
        self._assumed.param.update(object=_listed(tr("Assumed at the start"), assumed), visible=bool(assumed))
        self._took.object = _listed(tr("It took"), [f"{one} ({one.source})" for one in results.meter.amounts.values()])
        self._about.visible = True

    def show_bands(self, data: xr.Dataset, *, signal: str | None, asset: str) -> None:
        """Show bands of a signal, also of a run that goes on."""
        from twinlab.explore.charts.what_if.bands import band_chart  # noqa: PLC0415  (HoloViews is loaded with the first chart)

        self._over_time.visible = signal is not None
        if signal is not None:
            self._bands.object = band_chart(all_assets(data[signal], asset))

    def _show_verdicts(self, results: Any, found: Sequence[Comparison]) -> None:
        from twinlab.explore.charts.what_if.differences import difference_chart  # noqa: PLC0415

        self._verdicts.object = "\n\n".join(sentence(one) for one in found)
        self._verdicts.visible = self._differences.visible = self._chosen.visible = bool(found)
        if found:
            self._differences.object = difference_chart(found)
        tables = [verdict_html(all_comparisons(results, name)) for name in results.scenarios if name != BASE]
        self._summary.object = "".join(tables) or summary_html(summary_table(results.kpis))
        self._compared.visible = True

    def _show_maps(self, results: Any, signal: str | None) -> None:
        from twinlab.explore.charts.what_if.difference_map import difference_map  # noqa: PLC0415

        others = [name for name in results.scenarios if name != BASE] if signal else []
        self._by_place.visible = bool(others)
        if others:
            values = results.data[signal].load()
            values = values.rename({values.attrs["asset_type"]: "asset"})
            self._maps[:] = [_chart(difference_map(values, scenario=name, base=BASE)) for name in others]


def _section(title: str, *parts: Any) -> pn.Column:
    heading = pmui.Typography(title, variant="h6", margin=(10, 10, 0, 10))
    return pn.Column(heading, *parts, visible=False, sizing_mode="stretch_width")


def _text() -> pmui.Typography:
    return pmui.Typography("", variant="body2", margin=(4, 10), sizing_mode="stretch_width")


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in lines)])


def _chart(element: Any = None) -> pn.pane.HoloViews:
    return pn.pane.HoloViews(element, sizing_mode="stretch_width", margin=(0, 10), linked_axes=False)
