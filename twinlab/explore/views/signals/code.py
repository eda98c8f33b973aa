"""A view of signals as Python code for a fresh kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.charts.reading import cover, iso_text
from twinlab.explore.views.signals.view import PERIOD, SHOWN, Part, View, own_span

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window

__all__ = ["view_code"]


def view_code(view: View, *, opening: str) -> str:
    """Return Python that reads the same data as ``data`` in a fresh kernel, and draws it."""
    several = len(view.parts) > 1
    names = [f"part_{number}" for number in range(1, len(view.parts) + 1)] if several else ["data"]
    imports = ["import panel as pn"]
    if view.request.periods:
        imports.append("import xarray as xr")
    lines = [*imports, "import twinlab.explore as explore", opening, "", "pn.extension(inline=True)"]
    for name, part in zip(names, view.parts, strict=True):
        lines += _part_lines(view, part, name)
    if several:
        lines.append(f"data = explore.join_parts([{', '.join(names)}])")
    if view.request.periods:
        periods = [SHOWN, *(period.shift.text for period in view.request.periods)]
        lines.append(f"data = data.assign_coords({PERIOD}={periods!r})")
    lines.append(_drawing(view))
    return "\n".join(lines) + "\n"


def _part_lines(view: View, part: Part, name: str) -> list[str]:
    window = cover(view.request.window, part.plan)
    if not view.request.periods:
        return [*_history(view, part, name, window), *_coarsen(part, name)]
    start, stop = map(iso_text, window)
    align = f"start={start!r}, stop={stop!r}, cell_ns={part.plan.cell_ns}"
    lines = [*_history(view, part, name, window), f"{name} = explore.align_period({name}, {align})"]
    lines += _coarsen(part, name)
    others = []
    for number, period in enumerate(view.request.periods, start=1):
        other = f"{name}_{number}"
        lines += [f"# {period.label}", *_history(view, part, other, own_span(period, window, part.plan.cell_ns))]
        lines.append(f"{other} = explore.align_period({other}, {align}, shift={period.shift.text!r})")
        lines += _coarsen(part, other)
        others.append(other)
    return [*lines, f"{name} = xr.concat([{', '.join([name, *others])}], dim={PERIOD!r})"]


def _history(view: View, part: Part, name: str, window: Window) -> list[str]:
    step = "" if part.plan.step is None else f"\n    step={part.plan.step!r},"
    return [
        f"{name} = twin.history(",
        f"    {view.request.asset_type!r},",
        f"    signals={list(part.signals)!r},",
        f"    assets={list(view.request.assets)!r},",
        f"    start={iso_text(window[0])!r},  # UTC",
        f"    stop={iso_text(window[1])!r},{step}",
        ").compute()",
    ]


def _coarsen(part: Part, name: str) -> list[str]:
    plan = part.plan
    if plan.factor == 1:
        return []
    signals = list(part.signals)
    return [f"{name} = explore.coarsen({name}, {signals!r}, factor={plan.factor}, cell_ns={plan.cell_ns})"]


def _drawing(view: View) -> str:
    """Return the line that draws the first signal in a notebook.

    With ``pn.panel``, since HoloViews' own display loads style sheets from a CDN, whatever ``inline`` says.
    """
    signal, part = view.request.signals[0], view.parts[0]
    data = f"data.sel({PERIOD}={SHOWN!r}, drop=True)" if view.request.periods else "data"
    if part.plan.raw:
        return f"pn.panel(explore.signal_curve({data}[{signal!r}], flags={data}[{signal + '_qc'!r}]))"
    return f"pn.panel(explore.band_curve({data}, {signal!r}))"
