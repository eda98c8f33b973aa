"""Names of columns and settings that tables, reports and workbooks have: in English as data, translated where they are shown."""

from __future__ import annotations

from twinlab.languages import mark

__all__ = ["HEADINGS"]

#: Every word that `tr` gets from a table or from a view's settings.
HEADINGS = (
    mark("age"),
    mark("all"),
    mark("as of (UTC)"),
    mark("asset"),
    mark("assets"),
    mark("budget"),
    mark("changes"),
    mark("chart"),
    mark("colour"),
    mark("condition"),
    mark("detail"),
    mark("details"),
    mark("Exceptions"),
    mark("filters"),
    mark("found"),
    mark("group"),
    mark("instant (UTC)"),
    mark("lasting"),
    mark("Layout"),
    mark("layout"),
    mark("length"),
    mark("now"),
    mark("number"),
    mark("order"),
    mark("page"),
    mark("parameter"),
    mark("part"),
    mark("period (UTC)"),
    mark("positions"),
    mark("reported"),
    mark("setpoint"),
    mark("settled"),
    mark("signal"),
    mark("signals"),
    mark("source"),
    mark("state"),
    mark("target"),
    mark("tile"),
    mark("tiles"),
    mark("time"),
    mark("track"),
    mark("twin"),
    mark("unit"),
    mark("view"),
    mark("why"),
    mark("written"),
)
