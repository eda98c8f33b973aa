"""Tooltips of the markers on a map: name, last values with units, age of the fix, assets inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.palette import FLAG_WORDS
from twinlab.explore.charts.scale import compact_number, pretty_unit
from twinlab.explore.kit.exception_text import age_text
from twinlab.languages import tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["tips"]


def tips(shot: MapSnapshot, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> NDArray[np.object_]:
    """Return the HTML of each marker's tooltip."""
    table = shot.table
    values = {kind: _value_lines(model.asset_types[kind].signals, frame) for kind, frame in shot.values.items()}
    out = []
    for kind, asset, time, stale, inside, severity in zip(
        table["asset_type"],
        table["asset"],
        table["time"].to_numpy(),
        table["stale"],
        table["inside"],
        table["severity"],
        strict=True,
    ):
        title = model.asset_types[kind].title or readable_name(kind)
        name = labels.get(kind, {}).get(asset, asset)
        lines = [_heading(name, title), *values.get(kind, {}).get(asset, ())]
        if not np.isnat(time):
            age = age_text(pd.Timedelta(shot.request.at - time))
            lines.append(tr("fix {age} old", age=age) + (" (" + tr("stale") + ")" if stale else ""))
        lines += [
            tr("{count:,} × {contained} inside", count=count, contained=readable_name(contained))
            for contained, count in inside.items()
        ]
        if severity:
            lines.append(tr("exception: {severity}", severity=severity))
        # Each step in time makes thousands of tooltips: `escape` takes a tenth of the time of a template.
        out.append("<br>".join(map(escape, lines)))
    return np.array(out, dtype=object)


@lru_cache(maxsize=16_384)
def _heading(name: str, title: str) -> Markup:
    return html("<b>{{ name }}</b> · {{ title }}", name=name, title=title)


def _value_lines(signals: Mapping[str, Signal], frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return asset -> lines of its last values."""
    out: dict[str, list[str]] = {str(asset): [] for asset in frame.index}
    for name, spec in signals.items():
        if name not in frame:
            continue
        title = spec.title or readable_name(name)
        column, flags = frame[name].to_numpy(dtype=float), frame[f"{name}_qc"].to_numpy()
        unit = pretty_unit(spec.unit)
        for lines, value, flag in zip(out.values(), column, flags, strict=True):
            if np.isnan(value):
                continue
            text = (
                (spec.states or {}).get(int(value), "?") if spec.states else f"{compact_number(value)} {unit}".strip()
            )
            mark = f" ({tr(FLAG_WORDS[Flag(int(flag))])})" if flag in (Flag.SUSPECT, Flag.FAIL) else ""
            lines.append(f"{title} {text}{mark}")
    return out
