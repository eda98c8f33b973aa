"""What hovering over a heat map tells: the asset, the bin, the value and the samples of each flag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.models import ColumnDataSource, CustomJSHover, HoverTool

from twinlab.explore.views.heatmap.reading import FLAGS
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from twinlab.explore.views.heatmap.plot import HeatLook
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["seen_flags", "tell_hovered"]

_ROW_JS = (
    "const labels = words.data.labels, i = Math.floor(value); return i >= 0 && i < labels.length ? labels[i] : '';"
)
_TIME_JS = """
const [start, width] = words.data.bins;
const from = start + Math.floor((value - start) / width) * width;
const text = (t) => new Date(t).toISOString().slice(0, width % 60000 ? 19 : 16).replace('T', ' ');
return `${text(from)} to ${text(from + width)}`;"""
_VALUE_JS = """
const {names, unit: [unit]} = words.data;
if (names.length > 1) return names[value] ?? 'missing';
return Number.isNaN(value) ? 'none' : `${value.toLocaleString('en', {maximumSignificantDigits: 6})} ${unit}`;"""


def seen_flags(rows: HeatRows) -> tuple[Flag, ...]:
    """Return the flags that some sample in view bears, always passing: the counts of others needn't be sent."""
    return tuple(f for f, counts in zip(FLAGS, rows.counts, strict=True) if f == Flag.PASS or counts.any())


def tell_hovered(chart: Any, image: Any, rows: HeatRows, look: HeatLook) -> None:
    """Give a heat map's figure its hover texts, or those it has other words."""
    start = rows.cells.time[0].astype("datetime64[us]").astype("int64") / 1e3 if rows.cells.time.size else 0.0
    unit = "%" if look.heat == "flags" else rows.cells.unit
    # By a flag's code.
    named = {int(flag): _word(flag) for flag in FLAGS}
    names = [named.get(code, "") for code in range(max(named) + 1)] if look.categories else [""]
    told: tuple[dict[str, Any], ...] = (
        {"labels": list(rows.labels)},
        {"bins": [float(start), int(rows.cells.width.astype("int64")) / 1e6]},
        {"names": names, "unit": [unit] * len(names)},
    )
    tips = _tooltips(look, seen_flags(rows))
    found = [tool for tool in chart.tools if isinstance(tool, HoverTool) and "heat" in tool.tags]
    if found:
        # Columns aren't models: wherever a model may stand, Bokeh walks through the whole page at each change.
        for key, words in zip(("$y", "$x", "@image"), told, strict=True):
            source = found[0].formatters[key].args["words"]
            if source.data != words:
                source.data = words
        found[0].tooltips = tips
        return
    codes = zip(("$y", "$x", "@image"), (_ROW_JS, _TIME_JS, _VALUE_JS), told, strict=True)
    formatters = {
        key: CustomJSHover(code=code, args={"words": ColumnDataSource(data=words)}) for key, code, words in codes
    }
    renderers = [image]
    chart.add_tools(HoverTool(renderers=renderers, tooltips=tips, formatters=formatters, tags=["heat"]))


def _word(flag: Flag) -> str:
    return flag.name.lower().replace("_", " ")


def _tooltips(look: HeatLook, seen: Sequence[Flag]) -> list[tuple[str, str]]:
    def told(*flags: Flag) -> str:
        return ", ".join(f"@{flag.name.lower()}{{0,0}} {_word(flag)}" for flag in flags if flag in seen)

    lines = [
        ("asset", "$y{custom}"),
        ("time (UTC)", "$x{custom}"),
        (look.title, "@image{custom}"),
        ("samples", told(Flag.PASS, Flag.SUSPECT, Flag.FAIL)),
        ("without a value", told(Flag.MISSING, Flag.NOT_EVALUATED)),
    ]
    return [line for line in lines if line[1]]
