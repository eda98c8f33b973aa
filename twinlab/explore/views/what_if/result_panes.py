"""What a run says: verdicts on a KPI, bands of a signal, differences by asset and time, what was assumed, what it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.lineage_pane import plain_table
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.what_if.plan import BASE
from twinlab.explore.views.what_if.result_tables import all_assets, comparisons_of, summary_table

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ResultPanes"]


class ResultPanes:
    """The parts of a result (``pane``); charts and texts are changed in place. A part is hidden until it has something to show.

    Parameters
    ----------
    choices : parameters
        ``param`` of the explorer: ``kpi``, ``signal`` and ``asset`` get a widget each.
    """

    def __init__(self, choices: Any) -> None:
        select = {"size": "small", "description": ""}
        self._verdicts, self._summary = _text(), pn.Column(sizing_mode="stretch_width")
        self._differences, self._bands = _chart(), _chart()
        self._maps = pn.Column(sizing_mode="stretch_width")
        self._fidelity, self._assumed, self._took = _text(), _text(), _text()
        kpi = pmui.Select.from_param(choices.kpi, label="KPI", width=420, **select)
        signal = pmui.Select.from_param(choices.signal, label="Signal", width=330, **select)
        asset = pmui.Select.from_param(choices.asset, label="Where", width=150, **select)
        played = pmui.Select.from_param(choices.played, label="Scenario", width=150, **select)
        future = pmui.Select.from_param(choices.future, label="Future", width=90, **select)
        at_places = pmui.Select.from_param(choices.signal, label="Circles", width=330, **select)
        self.played_row = row([played, future, at_places], margin=(10, 0, 4, 0))
        self._compared = _section(
            "What differs", row([kpi], margin=(10, 0, 4, 0)), self._verdicts, self._differences, self._summary
        )
        self._over_time = _section(
            "Futures: the median, half and nine tenths of them", row([signal, asset], margin=(10, 0, 4, 0)), self._bands
        )
        self._by_place = _section("Where it differs", self._maps)
        self._about = _section("About these results", self._fidelity, self._assumed, self._took)
        self.pane = pn.Column(self._compared, self._over_time, self._by_place, self._about, sizing_mode="stretch_width")

    def show(self, results: Any, *, kpi: str | None, signal: str | None, asset: str) -> None:
        """Show results of a run.

        Parameters
        ----------
        results : TwinResults
        kpi, signal : str or None
            Names in ``results.data``; None if it has none.
        asset : str
            Its name, or that of all together.
        """
        self._show_verdicts(results, kpi)
        self.show_bands(results.data, signal=signal, asset=asset)
        self._show_maps(results, signal)
        # A stored run has only what was stored.
        known = getattr(results, "fidelity_words", "")
        self._fidelity.param.update(object=_listed("Fidelity of the model", [known]), visible=bool(known))
        assumed = getattr(results, "assumed", ())
        self._assumed.param.update(object=_listed("Assumed at the start", assumed), visible=bool(assumed))
        self._took.object = _listed("It took", [f"{one} ({one.source})" for one in results.meter.amounts.values()])
        self._about.visible = True

    def show_bands(self, data: xr.Dataset, *, signal: str | None, asset: str) -> None:
        """Show bands of a signal, also of a run that goes on."""
        from twinlab.explore.charts.what_if.bands import band_chart  # noqa: PLC0415  (HoloViews is loaded with the first chart)

        self._over_time.visible = signal is not None
        if signal is not None:
            self._bands.object = band_chart(all_assets(data[signal], asset))

    def _show_verdicts(self, results: Any, kpi: str | None) -> None:
        from twinlab.explore.charts.what_if.differences import difference_chart  # noqa: PLC0415

        found = comparisons_of(results, kpi) if kpi else []
        self._verdicts.object = "\n\n".join(_emphasised(repr(one)) for one in found)
        self._verdicts.visible = self._differences.visible = bool(found)
        if found:
            self._differences.object = difference_chart(found)
        self._summary[:] = [plain_table(summary_table(results.kpis), page_size=7)]
        self._compared.visible = True

    def _show_maps(self, results: Any, signal: str | None) -> None:
        from twinlab.explore.charts.what_if.difference_map import difference_map  # noqa: PLC0415

        others = [name for name in results.scenarios if name != BASE] if signal else []
        self._by_place.visible = bool(others)
        if others:
            values = results.data[signal].load()
            values = values.rename({values.attrs["asset_type"]: "asset"})
            self._maps[:] = [_chart(difference_map(values, scenario=name, base=BASE)) for name in others]


def _emphasised(text: str) -> str:
    """Return a comparison with its first line, the verdict, in bold."""
    first, _, rest = text.partition("\n")
    return f"**{first}**  \n{rest}"


def _section(title: str, *parts: Any) -> pn.Column:
    heading = pmui.Typography(title, variant="h6", margin=(10, 10, 0, 10))
    return pn.Column(heading, *parts, visible=False, sizing_mode="stretch_width")


def _text() -> pmui.Typography:
    return pmui.Typography("", variant="body2", margin=(4, 10), sizing_mode="stretch_width")


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {line}" for line in lines)])


def _chart(element: Any = None) -> pn.pane.HoloViews:
    return pn.pane.HoloViews(element, sizing_mode="stretch_width", margin=(0, 10), linked_axes=False)
