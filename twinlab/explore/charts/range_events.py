"""Hearing where a reader has zoomed a chart, once the hand rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.models import CustomJS, Range1d

__all__ = ["WHEEL_REST", "hear_zooms"]

#: A reader's hand rests this long before a zoom is read, milliseconds.
_REST = 40
#: After the wheel's last notch, Bokeh says where it has led once so many milliseconds have passed; by itself after 500.
WHEEL_REST = 60
_TELL_ZOOM = """
clearTimeout(seen.rest)
seen.rest = setTimeout(() => { seen.tags = [cb_obj.x0, cb_obj.x1] }, rest)
"""


def hear_zooms(chart: Any, on_zoom: Callable[[tuple[float, float]], None]) -> None:
    """Call a function with the ends of a chart's time axis, in its own numbers, once a reader's hand rests."""
    zoomed = Range1d(name="zoomed")
    zoomed.on_change("tags", lambda _attr, _old, new: on_zoom((new[0], new[1])))
    chart.js_on_event("rangesupdate", CustomJS(args={"seen": zoomed, "rest": _REST}, code=_TELL_ZOOM))
    chart.lod_timeout = WHEEL_REST
