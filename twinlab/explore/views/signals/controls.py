"""Widgets of the signal explorer: selection, window, comparison and display."""

from __future__ import annotations

import zoneinfo
from typing import Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.reading import instant_text
from twinlab.explore.kit.link import parse_instant
from twinlab.explore.kit.widgets import TOGGLES, TOGGLES_LABEL, row, without_debounce
from twinlab.explore.views.signals.navigation import SignalNavigation
from twinlab.explore.views.signals.parameters import MAX_ASSETS, MAX_MULTIPLES, MAX_SIGNALS
from twinlab.explore.views.signals.periods import shift_to
from twinlab.languages import mark, tr

__all__ = ["signal_controls"]

_LAYOUTS = {"together": mark("Together"), "multiples": mark("Small multiples"), "fleet": mark("Fleet")}
_PERIODS = {
    mark("nothing"): "",
    mark("the day before"): "-1d",
    mark("the week before"): "-7d",
    mark("four weeks before"): "-28d",
    mark("the year before"): "-1y",
    mark("earlier events of its kind"): "event",
}
_OTHER = mark("another start")
# Selected items in a line as high as the other widgets.
_CHIPS = {
    "& .MuiSelect-select": {"padding": "7px 32px 7px 8px !important", "minHeight": "0 !important"},
    "& .MuiChip-root": {"height": "26px"},
}


def signal_controls(explorer: SignalNavigation) -> pn.viewable.Viewable:
    """Return the widgets of the explorer, in three rows."""
    return pn.Column(
        row(_selection(explorer), margin=(8, 0, 2, 0)),
        row(_window(explorer), margin=(0, 0, 2, 0)),
        row([_layout(explorer), *_comparison(explorer), *_display(explorer)], margin=(0, 0, 4, 0)),
        sizing_mode="stretch_width",
    )


def _charted(explorer: SignalNavigation) -> Any:
    """Return a reactive condition: charts are shown, not the fleet's heat map with its own widgets."""
    return explorer.param.layout.rx() != "fleet"


def _layout(explorer: SignalNavigation) -> pmui.RadioButtonGroup:
    layout = pmui.RadioButtonGroup(
        label=tr("Layout"),
        options={tr(_LAYOUTS[name]): name for name in explorer.param.layout.objects},
        value=explorer.layout,
        size="small",
        sx=TOGGLES,
        stylesheets=[TOGGLES_LABEL],
    )
    layout.link(explorer, value="layout", bidirectional=True)
    return without_debounce(layout)


def _selection(explorer: SignalNavigation) -> list[Any]:
    charted = _charted(explorer)
    widgets = [
        pmui.Select.from_param(
            explorer.param.asset_type,
            label=tr("Kind of asset"),
            description="",
            width=170,
            size="small",
            visible=charted,
        ),
        pmui.MultiChoice.from_param(
            explorer.param.signals,
            label=tr("Signals"),
            description="",
            min_width=200,
            max_width=380,
            sx=_CHIPS,
            max_items=MAX_SIGNALS,
            visible=charted,
        ),
        pmui.MultiChoice.from_param(
            explorer.param.assets,
            label=tr("Assets"),
            description="",
            min_width=240,
            max_width=460,
            sx=_CHIPS,
            max_items=MAX_MULTIPLES,
            option_limit=200,
            placeholder=tr(
                "up to {max_assets} together, {max_multiples} small", max_assets=MAX_ASSETS, max_multiples=MAX_MULTIPLES
            ),
            visible=charted,
        ),
    ]
    return [without_debounce(widget) for widget in widgets]


def _window(explorer: SignalNavigation) -> list[Any]:
    start = pmui.TextInput(label=tr("From (UTC)"), width=165, size="small")
    stop = pmui.TextInput(label=tr("To (UTC)"), width=165, size="small")
    writing = [False]

    def write(*_: object) -> None:
        writing[0] = True
        ends = explorer.shown
        for widget, end in zip((start, stop), ends or (None, None), strict=True):
            widget.value = "" if end is None else instant_text(end)
        writing[0] = False

    def read(*_: object) -> None:
        if writing[0]:
            return
        ends = [parse_instant(widget.value) for widget in (start, stop)]
        if ends[0] is None or ends[1] is None or ends[0] >= ends[1]:
            explorer.notice = tr("From and To must be times such as 2026-03-05 06:00 (UTC), the earlier one first.")
            return
        explorer.param.update(notice="", follow=False)
        explorer.see((ends[0], ends[1]))

    for widget in (start, stop):
        widget.param.watch(read, "value")
    explorer.param.watch(write, "revision")
    write()
    show_all = _button(tr("Show all"), explorer.reset)
    # The heat map of the fleet has its own button.
    show_all.visible = _charted(explorer)
    return [
        start,
        stop,
        _button(tr("− 1 week"), lambda: explorer.step_weeks(-1)),
        _button(tr("+ 1 week"), lambda: explorer.step_weeks(1)),
        _button(tr("Back"), explorer.step_back),
        _button(tr("Forward"), explorer.step_forward),
        show_all,
        without_debounce(
            pmui.Switch.from_param(explorer.param.follow, label=tr("Follow"), description="", align="center")
        ),
    ]


def _button(label: str, action: Any) -> pmui.Button:
    button = pmui.Button(label=label, variant="outlined", size="small", align="center")
    button.on_click(lambda _: action())
    return button


def _comparison(explorer: SignalNavigation) -> list[Any]:
    period = pmui.Select(
        label=tr("Compare with"),
        options={tr(one): one for one in (*_PERIODS, _OTHER)},
        value="nothing",
        width=200,
        size="small",
    )
    start = pmui.TextInput(label=tr("Its start (UTC)"), width=165, size="small", visible=False)
    zones = ["UTC", *sorted(zoneinfo.available_timezones() - {"UTC"})]
    zone = pmui.Select(
        label=tr("By the clock of"), options=zones, value="UTC", width=190, size="small", searchable=True, visible=False
    )
    names = {value: name for name, value in _PERIODS.items()}

    def write(*_: object) -> None:
        charted = explorer.layout != "fleet"
        own = bool(explorer.compare) and explorer.compare not in names
        shown = names.get(explorer.compare, _OTHER)
        if period.value != shown and not (period.value == _OTHER and not explorer.compare):
            period.value = shown
        start.visible = charted and (own or period.value == _OTHER)
        by_clock = bool(explorer.compare) and explorer.compare != "event"
        zone.param.update(value=explorer.zone or "UTC", visible=charted and by_clock)
        period.visible = charted

    def choose(*_: object) -> None:
        start.visible = period.value == _OTHER
        if period.value != _OTHER:
            explorer.compare = _PERIODS[period.value]

    def set_start(*_: object) -> None:
        when, shown = parse_instant(start.value), explorer.shown
        if when is None or shown is None:
            explorer.notice = tr("The start of the other period must be a time such as 2026-03-05 06:00 (UTC).")
        elif when != shown[0]:
            explorer.param.update(notice="", compare=shift_to(when, shown))

    def set_zone(*_: object) -> None:
        explorer.zone = "" if zone.value == "UTC" else zone.value

    period.param.watch(choose, "value")
    start.param.watch(set_start, "value")
    zone.param.watch(set_zone, "value")
    explorer.param.watch(write, ["compare", "zone", "layout"])
    write()
    return [without_debounce(period), start, without_debounce(zone)]


def _display(explorer: SignalNavigation) -> list[Any]:
    labels = {"show_flags": tr("Flags"), "full_range": tr("Off-scale values"), "selecting": tr("Drag to select events")}
    return [
        without_debounce(
            pmui.Switch.from_param(
                explorer.param[name], label=label, description="", align="center", visible=_charted(explorer)
            )
        )
        for name, label in labels.items()
    ]
