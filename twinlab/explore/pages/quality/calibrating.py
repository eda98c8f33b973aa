"""A proposed calibration: the corrected curve beside the measured one, what it does to exceptions, added with one click."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import xarray as xr

from twinlab._html import html
from twinlab.explore.charts.plots import signal_curve
from twinlab.explore.kit.panes import Html, code_html
from twinlab.explore.pages.quality.work import TEXT, Work, drawn
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.pages.quality.twins import Repairable
    from twinlab.model.calibration import Calibration

__all__ = ["CalibrationView", "calibration_text", "exceptions_html"]

#: Exceptions that are listed.
_LISTED: Final = 8
_WORDS: Final = {
    "vanished": mark("would not have fired"), "appeared": mark("would have fired, too"), "moved": mark("would have fired at another time"),
    "split": mark("would have been several"),
}  # fmt: skip


class CalibrationView(pn.viewable.Viewer):
    """One proposed calibration: what it does, and the button that adds it.

    Parameters
    ----------
    twin : Repairable
    work : Work
    author : str
        Name that is proposed as the one who decides.
    code : callable
        Returns Python that does what the page does.
    added : callable
        Called after a calibration was added.
    """

    def __init__(
        self, twin: Repairable, work: Work, *, author: str, code: Callable[[], str], added: Callable[[], None]
    ) -> None:
        super().__init__()
        self._twin, self._work, self._code, self._added = twin, work, code, added
        self.calibration: Calibration | None = None
        self.author = pmui.TextInput(label=tr("Your name"), value=author, size="small", width=200, margin=(4, 10))
        self._add = work.button(tr("Add this calibration"), self.add, icon="tune", variant="contained")
        self._parts = pn.Column(sizing_mode="stretch_width")

    async def offer(self, calibration: Calibration) -> None:
        """Show what a calibration does."""
        self.calibration = calibration
        self._parts[:] = []
        self._work.say(tr("Trying the calibration …"))
        shown = await self._work.run(lambda: (self._chart(calibration), self._exceptions(calibration), self._before()))
        if shown is None or self.calibration is not calibration:
            return
        chart, exceptions, before = shown
        self._work.say(
            tr("Nothing stored changes: a calibration corrects values when they are read, and can be removed.")
        )
        parts: list[pn.viewable.Viewable] = [] if chart is None else [drawn(chart)]
        parts += [Html(exceptions, sizing_mode="stretch_width", margin=(4, 10))]
        parts += [Html(before, sizing_mode="stretch_width", margin=(4, 10))] if before else []
        parts += [
            pn.Spacer(height=6),
            self.author,
            self._add,
            Html(code_html(self._code()), sizing_mode="stretch_width", margin=(4, 10)),
        ]
        self._parts[:] = parts

    async def add(self, *_: object) -> None:
        """Write the calibration into the twin."""
        calibration, author = self.calibration, str(self.author.value)
        if calibration is None:
            return
        if not author.strip():
            self._work.say(tr("Say who adds it: calibration.yaml and the twin's journal keep the name."), failed=True)
            return

        def apply() -> bool:
            self._twin.add_calibration(calibration, author=author, replace=bool(self._before()))
            return True

        if await self._work.run(apply):
            text = tr(
                "Added by {author}: history(…, calibrated=True) has the corrected values. It is listed below, where it can be removed.",
                author=author,
            )
            # Where the button was, too: on a phone the line at the top isn't in view.
            line = html("<div style='{{ style }}'>{{ text }}</div>", style=TEXT, text=text)
            said = Html(line, sizing_mode="stretch_width", margin=(4, 10))
            self._parts[:] = [said, Html(code_html(self._code()), sizing_mode="stretch_width", margin=(4, 10))]
            self._work.say(text)
            self._added()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._parts

    # -- inside --------------------------------------------------------------------------------------------------------
    def _chart(self, one: Calibration) -> hv.Overlay | None:
        """Return means of the sensor as measured and corrected, and the median of the other assets."""
        kind, _, asset = one.asset.partition("/")
        steps = self._twin.steps(kind, one.signal)
        if not steps:
            return None
        step = "1d" if "1d" in steps else steps[-1]
        data = self._twin.history(kind, signals=[one.signal], step=step, calibrated=one)  # type: ignore[call-arg]
        means, corrected = data[f"{one.signal}_mean"], data[f"{one.signal}_calibrated_mean"]
        mine, better = (each.sel(asset=asset, drop=True).compute() for each in (means, corrected))
        curves = {"measured": mine, "corrected": better}
        others = means.sel(asset=[name for name in means["asset"].values if name != asset])
        if others.sizes["asset"] > 1:
            curves["median of the others"] = others.compute().median("asset")
        known = np.flatnonzero(np.isfinite(mine.to_numpy()))
        if not known.size:
            return None
        span = slice(int(known[0]), int(known[-1]) + 1)
        drawn_together = xr.concat(
            [each.isel(time=span) for each in curves.values()],
            pd.Index(list(curves), name="asset"),
            combine_attrs="override",
        ).transpose("time", "asset")
        drawn_together.attrs.update(means.attrs, long_name=one.signal)
        return signal_curve(
            drawn_together,
            title=tr("{asset} {signal}, means of {step}", asset=asset, signal=one.signal, step=step),
            height=280,
        )

    def _exceptions(self, one: Calibration) -> str:
        labels = {name: rule.title or name for name, rule in self._twin.model.rules.items()}
        return exceptions_html(self._twin.calibrated_exceptions(calibrations=one), labels)

    def _before(self) -> str:
        """Return which calibrations this one ends, as a sentence; empty without any."""
        one = self.calibration
        if one is None:
            return ""
        table = self._twin.calibrations()
        since = np.datetime64("NaT", "ns") if one.since is None else np.datetime64(one.since.replace(tzinfo=None), "ns")
        mine = table[(table["asset"] == one.asset) & (table["signal"] == one.signal)]
        mine = mine[~(mine["until"] <= since)]
        if not len(mine):
            return ""
        said = "; ".join(
            tr("{offset:+.4g} by {author} ({reason})", offset=row.offset, author=row.author, reason=row.reason)
            for row in mine.itertuples()
        )
        return str(html("<div style='{{ style }}'>It takes the place of: {{ said }}</div>", style=TEXT, said=said))


def calibration_text(one: Calibration, unit: str) -> str:
    """Return what a calibration does, as a phrase.

    >>> from twinlab.model.calibration import Calibration
    >>> points = {"2026-03-01": 0, "2026-04-01": -0.5}
    >>> calibration_text(Calibration(asset="room/3", signal="temperature", offset=points, reason="drifts"), "degC")
    'an offset of 0 degC on 2026-03-01, of -0.5 degC on 2026-04-01, linear between them'
    """
    unit = "" if unit == "1" else f" {unit}"
    parts = []
    if one.gain != 1.0:
        gain = one.gain if isinstance(one.gain, float) else list(one.gain.values())[-1]
        parts.append(tr("a gain of {gain:.6g}", gain=gain))
    if isinstance(one.offset, dict):
        points = list(one.offset.items())
        shown = points if len(points) < 4 else [points[0], points[-1]]
        told = tr(", of ").join(
            tr("{value:+.4g}{unit} on {at:%Y-%m-%d}", value=value, unit=unit, at=at).replace("+0 ", "0 ")
            for at, value in shown
        )
        between = tr("linear between them") if len(points) < 4 else tr("through {count} points", count=len(points))
        parts.append(tr("an offset of {told}, {between}", told=told, between=between))
    elif one.offset:
        parts.append(tr("an offset of {offset:+.4g}{unit}", offset=one.offset, unit=unit))
    return tr(" and ").join(parts)


def exceptions_html(table: pd.DataFrame, labels: dict[str, str]) -> str:
    """Return what a calibration does to exceptions: a sentence with numbers, and the first of them.

    Parameters
    ----------
    table : DataFrame
        As ``twin.calibrated_exceptions`` returns it.
    labels : dict of rule to text
    """
    counts = table["change"].value_counts()
    said = ", ".join(f"{counts[change]:,} {tr(words)}" for change, words in _WORDS.items() if change in counts)
    rows = [
        {
            # Where all are alike, the sentence has said it.
            "what": f": {tr(_WORDS[row['change']])}" if len(counts) > 1 else "",
            "rule": labels.get(row["rule"], row["rule"]),
            "asset": row["asset"],
            "when": str(row["start"] if pd.isna(row["start_before"]) else row["start_before"])[:16],
        }
        for row in table.head(_LISTED).to_dict("records")
    ]
    return str(
        html(
            "<div style='{{ style }}'><b>Exceptions</b>: {{ said or 'none would be another' }}"
            "{% if rows %}<ul style='margin:4px 0 0;padding-left:20px'>"
            "{% for row in rows %}<li>{{ row.when }} UTC, {{ row.rule }}, {{ row.asset }}{{ row.what }}</li>{% endfor %}"
            "{% if left > 0 %}<li>… and {{ left }} more: twin.calibrated_exceptions() has all</li>{% endif %}</ul>{% endif %}</div>",
            style=TEXT,
            said=said,
            rows=rows,
            left=len(table) - len(rows),
        )
    )
