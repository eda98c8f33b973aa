"""Whether the model can be trusted: its score in words, a button to score it, and where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from scipy.stats import binom

from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.what_if.results.tables import titled
from twinlab.explore.views.what_if.results.verdicts import scores_html
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.simulate.calibration.fidelity import Fidelity

__all__ = ["TrustPane", "residual_of", "scores_table", "trust_head", "trust_words"]

_NOT_SCORED = mark(
    "How well it predicts this twin is unknown. *Score the model* lets it predict the two weeks "
    "before the start, and compares with what happened; this takes about as long as a run."
)
#: A model whose coverage is this far below its level is too sure of itself; as far above it, careful.
_SHORT = 0.05

#: A quantity isn't to be trusted if so few of its values would be inside by chance less often than this.
_CHANCE = 0.001


def trust_head(fidelity: Fidelity | None, data: xr.Dataset | None = None) -> str:
    """Return in a sentence or two whether the model can be trusted.

    Parameters
    ----------
    fidelity : Fidelity or None
        None if it isn't scored.
    data : Dataset, optional
        Results, whose titles name the quantities that can't be trusted.
    """
    if fidelity is None:
        return tr("The model isn't scored yet.")
    low, high = fidelity.coverage_interval
    level = local_number(f"{fidelity.level:.0%}")
    if high < fidelity.level - _SHORT:
        head = tr(
            "The model is too sure of itself: reality is outside its {level} intervals more often than it should be.",
            level=level,
        )
    elif low > fidelity.level + _SHORT:
        head = tr(
            "The model is careful: reality is inside its {level} intervals more often than it has to be.", level=level
        )
    else:
        head = tr("On the whole, the model's {level} intervals can be trusted.", level=level)
    poor = [
        tr(
            "{part} ({share:.0%} inside)",
            part=titled(name, data[name]) if data is not None and name in data else name,
            share=share,
        )
        for name, many, share in fidelity.table()[["values", "coverage"]].itertuples()
        if binom.cdf(round(share * many), many, fidelity.level) < _CHANCE
    ]
    return tr("{head} Not to be trusted: {poor}.", head=head, poor=", ".join(poor)) if poor else head


def trust_words(fidelity: Fidelity | None, data: xr.Dataset | None = None) -> str:
    """Return what the score of a model means, as Markdown; arguments as of `trust_head`."""
    if fidelity is None:
        return f"**{trust_head(None)}** {tr(_NOT_SCORED)}"
    return f"**{trust_head(fidelity, data)}** {fidelity.words[:1].upper()}{fidelity.words[1:]}."


def scores_table(fidelity: Fidelity, data: xr.Dataset) -> pd.DataFrame:
    """Return the scores by quantity, with the titles and units of the results.

    Returns
    -------
    DataFrame
        Columns ``quantity, unit, values, inside (%), reality, simulation minus reality``.
    """
    table = fidelity.table().reset_index()
    names = table["quantity"].tolist()
    known = [data.get(name) for name in names]
    table["quantity"] = [name if one is None else titled(name, one) for name, one in zip(names, known, strict=True)]
    table["unit"] = ["" if one is None else str(one.attrs.get("units", "")).removeprefix("1") for one in known]
    table["inside"] = 100 * table["coverage"]
    shown = table[["quantity", "unit", "values", "inside", "real", "error"]]
    return shown.rename(
        columns={"inside": tr("inside (%)"), "real": "reality", "error": tr("simulation minus reality")}
    )


def residual_of(fidelity: Fidelity, quantity: str) -> xr.DataArray:
    """Return reality minus the mean of the simulation by start and place, dims ``time, asset``; one row for the whole twin."""
    found = fidelity.residuals()[quantity].rename(start="time")
    others = [str(dim) for dim in found.dims if dim != "time"]
    return found.rename({others[0]: "asset"}) if others else found.expand_dims(asset=["all"], axis=1)


class TrustPane:
    """The score of the model (``pane``): words, a button, scores by quantity, and a map of the residuals.

    Parameters
    ----------
    on_score : callable
        Called without arguments when the reader wants the model scored.
    """

    def __init__(self, *, on_score: Callable[[], None]) -> None:
        self._fidelity: Fidelity | None = None
        self._data: xr.Dataset | None = None
        self._words = pmui.Typography(trust_words(None), variant="body2", margin=(4, 10), sizing_mode="stretch_width")
        self._score = pmui.Button(
            label=tr("Score the model"), variant="outlined", size="small", margin=(4, 10), on_click=lambda _: on_score()
        )
        self._table = Html("", sizing_mode="stretch_width", margin=(4, 10))
        self._quantity = pmui.Select(
            label=tr("Reality minus simulation of"), options={}, width=420, size="small", description=""
        )
        self._quantity.param.watch(lambda _: self._draw(), "value")
        self._residuals = pn.pane.HoloViews(None, sizing_mode="stretch_width", margin=(0, 10), linked_axes=False)
        self._details = pn.Column(
            self._table, row([self._quantity], margin=(10, 0, 4, 0)), self._residuals, sizing_mode="stretch_width"
        )
        heading = pmui.Typography(tr("Can the model be trusted?"), variant="h6", margin=(10, 10, 0, 10))
        self.pane = pn.Column(heading, self._words, self._score, self._details, sizing_mode="stretch_width")

    def busy(self, *, busy: bool) -> None:
        """Let the button be pressed, or not."""
        self._score.disabled = busy

    def show(self, results: Any) -> None:
        """Show the score of the model of some results; a stored run of an earlier version has none."""
        self._fidelity, self._data = getattr(results, "fidelity", None), results.data
        self._words.object = trust_words(self._fidelity, self._data)
        # A stored run has the score of the model that it was computed with.
        self._score.visible = self._fidelity is None and getattr(results, "calibrated", None) is not None
        self._details.visible = self._fidelity is not None
        if self._fidelity is None:
            return
        self._table.object = scores_html(scores_table(self._fidelity, results.data))
        names = [str(name) for name in self._fidelity.residuals()]
        options = {titled(name, results.data[name]): name for name in names if name in results.data}
        # Those of places first: they show where the model is wrong.
        ordered = dict(sorted(options.items(), key=lambda one: "asset_type" not in results.data[one[1]].attrs))
        self._quantity.options = ordered
        if self._quantity.value not in ordered.values():
            self._quantity.value = next(iter(ordered.values()), None)
        self._draw()

    def _draw(self) -> None:
        from twinlab.explore.charts.what_if.difference_map import signed_map  # noqa: PLC0415  (HoloViews is loaded with the first chart)

        name = self._quantity.value
        if self._fidelity is None or self._data is None or name is None or name not in self._data:
            return
        unit, title = str(self._data[name].attrs.get("units", "")), titled(name, self._data[name])
        self._residuals.object = signed_map(
            residual_of(self._fidelity, name),
            title=tr("{title}: reality − simulation", title=title),
            unit=unit,
            x_label=tr("start (UTC)"),
        )
