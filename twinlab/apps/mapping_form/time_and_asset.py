"""The form's boxes for the time and the asset of a table's rows."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as widgets

from twinlab.apps.mapping_form.column_grid import Edit, Host, set_options, set_value
from twinlab.apps.mapping_form.draft import MappingDraft
from twinlab.apps.mapping_form.html import heading, message
from twinlab.apps.mapping_form.preview import SampleTable
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["AssetBox", "TimeBox"]

_PARTS = ("year", "month", "day", "hour", "minute", "second")
_WAYS = [("one column", "column"), ("columns of year, month, day …", "parts")]
_IN_YAML = {"clock": "a clock (edit in the YAML)", "elapsed": "a count from a start (edit in the YAML)"}
_FORMATS = (
    *(
        "iso",
        "epoch_s",
        "epoch_ms",
        "epoch_us",
        "epoch_ns",
        "excel1900",
        "excel1904",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y %H:%M:%S",
    ),
    *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S"),
)
_AMBIGUOUS = [
    ("refuse and report", "refuse"),
    ("take the earlier", "earlier"),
    ("take the later", "later"),
    ("go by the order of rows", "order"),
]
#: Names of which the asset may be, as values beside the names of columns.
_NAMES = {"=file": "– the file's name –", "=folder": "– the folder's name –", "=sheet": "– the sheet's name –"}
_NONEXISTENT = [("refuse and report", "refuse"), ("shift forward by the hour", "shift_forward")]


@cache
def zones() -> tuple[str, ...]:
    """Return "UTC", "offset" (each value states its own), and all IANA zones."""
    return ("UTC", "offset", *sorted(zoneinfo.available_timezones() - {"UTC", "localtime", "Factory"}))


class _Box(widgets.VBox):
    """Labelled fields of a table's rule."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.table = ""
        super().__init__(layout=widgets.Layout(flex="1 1 380px", min_width="0"))
        self.add_class("tl-box")

    def _field(
        self, kind: type, label: str, change: Callable[[MappingDraft, str], MappingDraft], options: Any = ()
    ) -> Any:
        given: dict[str, Any] = {"options": options} if options or kind is widgets.Dropdown else {}
        if kind is not widgets.Dropdown:
            given["continuous_update"] = False
        made = kind(
            description=label, style={"description_width": "128px"}, layout=widgets.Layout(width="100%"), **given
        )
        made.observe(lambda event: self._changed(lambda draft: change(draft, event["new"])), "value")
        return made

    def _changed(self, change: Edit) -> None:
        if not self._host.updating:
            self._host.edit(change)

    def _enable(self, draft: MappingDraft) -> None:
        for widget in self.children:
            if hasattr(widget, "disabled"):
                widget.disabled = draft.data is None


def _columns(sample: SampleTable | None, *, none: str) -> list[tuple[str, str]]:
    return [(none, ""), *((name, name) for name in (sample.columns if sample is not None else ()))]


class TimeBox(_Box):
    """Fields for the time of a row."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.title = widgets.HTML(heading("Time"))
        self.way = self._field(widgets.Dropdown, "Time from", self._with_way, _WAYS)
        self.column = self._field(
            widgets.Dropdown, "Column", lambda draft, value: draft.with_time_way(self.table, "column", value)
        )
        self.parts = {part: self._field(widgets.Dropdown, part.title(), self._with_part(part)) for part in _PARTS}
        self.format = self._field(widgets.Combobox, "Format", self._with_format, _FORMATS)
        self.zone = self._field(
            widgets.Combobox,
            "Zone of the clock",
            lambda draft, value: draft.with_zone(self.table, value.strip()),
            zones(),
        )
        self.zone.placeholder = "choose, for example Europe/Berlin"
        self.zone_warning = widgets.HTML()
        self.confirm = widgets.Button(icon="check", layout=widgets.Layout(width="auto", align_self="flex-end"))
        self.confirm.on_click(lambda _: self._changed(lambda draft: draft.with_zone(self.table, self.zone.value)))
        self.ambiguous = self._field(
            widgets.Dropdown, "Hour that is twice", self._setter("ambiguous", "refuse"), _AMBIGUOUS
        )
        self.nonexistent = self._field(
            widgets.Dropdown, "Hour left out", self._setter("nonexistent", "refuse"), _NONEXISTENT
        )
        self.error = widgets.HTML()
        fields = [self.way, self.column, *self.parts.values(), self.format, self.zone, self.zone_warning, self.confirm]
        self.children = [self.title, *fields, self.ambiguous, self.nonexistent, self.error]

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the rule of a table's time."""
        self.table = table
        time = draft.get(table, "time")
        rule = time if isinstance(time, dict) else {}
        way = next((key for key in ("parts", "clock", "elapsed") if key in rule), "column")
        set_options(self.way, [*_WAYS, *([(_IN_YAML[way], way)] if way in _IN_YAML else [])], way)
        set_options(self.column, _columns(sample, none="– choose –"), _plain(rule.get("column")))
        parts = rule.get("parts")
        for part, widget in self.parts.items():
            set_options(widget, _columns(sample, none="–"), _plain(parts.get(part)) if isinstance(parts, dict) else "")
            _shown(widget, way == "parts")
        _shown(self.column, way == "column")
        _shown(self.format, way == "column")
        written = rule.get("format", "iso")
        set_value(self.format, " | ".join(map(str, written)) if isinstance(written, list) else _plain(written))
        alone = not rule and bool(draft.clocks(table))
        if alone:
            rule = draft.get(table, *draft.clocks(table)[0])
            for widget in (self.column, self.format):
                _shown(widget, shown=False)
        _shown(self.way, not alone)
        set_value(self.title, heading("Time", note="of this table's events; more of it in the YAML" if alone else ""))
        self._show_zone(draft, rule)
        set_options(self.ambiguous, list(_AMBIGUOUS), _plain(rule.get("ambiguous", "refuse")))
        set_options(self.nonexistent, list(_NONEXISTENT), _plain(rule.get("nonexistent", "refuse")))
        wrong = draft.error_at(table, "time")
        set_value(self.error, message(wrong, kind="error", role="alert") if wrong else "")
        self._enable(draft)

    def _show_zone(self, draft: MappingDraft, rule: dict[str, Any]) -> None:
        zone_of = rule.get("zone_of")
        written = draft.zone(self.table)
        zone = "" if written == UNKNOWN else written
        set_value(self.zone, zone)
        if isinstance(zone_of, dict):
            words = f"the {zone_of.get('property')} of the {zone_of.get('asset_type')} in {zone_of.get('column')}"
            self.zone.placeholder = words
        if rule.get("zone_column"):
            self.zone.placeholder = f"each row's own, in {rule['zone_column']}"
        said = draft.zone_question(self.table)
        ask = f"Confirm that the clock shows {zone}, or choose its zone." if zone else "Choose the zone of the clock."
        set_value(
            self.zone_warning,
            message(f"{said[:1].upper()}{said[1:]}. {ask}", kind="warn", role="alert") if said else "",
        )
        self.confirm.description = f"Confirm {zone}"
        _shown(self.confirm, bool(said and zone))
        (self.add_class if said else self.remove_class)("tl-unset")

    def _with_way(self, draft: MappingDraft, way: str) -> MappingDraft:
        if way == "parts":
            # Only columns of exactly these names: nothing is guessed.
            names = {name.casefold(): name for name in self._names()}
            return draft.with_time_way(self.table, "parts", {part: names[part] for part in _PARTS if part in names})
        return draft.with_time_way(self.table, "column", "") if way == "column" else draft

    def _names(self) -> list[str]:
        return [value for _, value in self.column.options if value]

    def _with_part(self, part: str) -> Callable[[MappingDraft, str], MappingDraft]:
        return lambda draft, value: draft.with_value(self.table, ("time", "parts", part), value)

    def _with_format(self, draft: MappingDraft, text: str) -> MappingDraft:
        several = [one.strip() for one in text.split("|") if one.strip()]
        value = several if len(several) > 1 else text.strip()
        return draft.with_value(self.table, ("time", "format"), None if value == "iso" else value)

    def _setter(self, key: str, default: str) -> Callable[[MappingDraft, str], MappingDraft]:
        return lambda draft, value: draft.with_clock(self.table, key, None if value == default else value)


class AssetBox(_Box):
    """Fields for the asset of a row."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.title = widgets.HTML(heading("Asset"))
        self.type = self._field(widgets.Dropdown, "Type", self._setter("type"))
        self.column = self._field(widgets.Dropdown, "Named by", self._with_column)
        self.id = self._field(widgets.Text, "Always the asset", self._with_id)
        self.pattern = self._field(widgets.Text, "Pattern of the id", self._setter("pattern"))
        self.pattern.placeholder = r"the whole text, or (?P<id>\d+)"
        self.error = widgets.HTML()
        self.children = [self.title, self.type, self.column, self.id, self.pattern, self.error]

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the rule of a table's assets."""
        self.table = table
        asset = draft.get(table, "asset")
        rule = asset if isinstance(asset, dict) else {}
        alone = not rule and any(draft.get(table, key) for key in ("events", "assets", "relationships"))
        set_value(self.title, heading("Asset", note="its rows name theirs in the YAML" if alone else ""))
        types = [("– none for the whole table –", ""), *((name, name) for name in draft.model.asset_types)]
        set_options(self.type, types, _plain(rule.get("type")))
        columns = _columns(sample, none="– no column: always the same –")
        named = f"={rule['name_of']}" if rule.get("name_of") else _plain(rule.get("column"))
        set_options(self.column, [*columns, *((label, key) for key, label in _NAMES.items())], named)
        set_value(self.id, _plain(rule.get("id")))
        set_value(self.pattern, _plain(rule.get("pattern")))
        _shown(self.column, bool(rule))
        _shown(self.id, bool(rule) and not named)
        _shown(self.pattern, bool(named))
        wrong = draft.error_at(table, "asset")
        set_value(self.error, message(wrong, kind="error", role="alert") if wrong else "")
        self._enable(draft)

    def _setter(self, key: str) -> Callable[[MappingDraft, str], MappingDraft]:
        def change(draft: MappingDraft, value: str) -> MappingDraft:
            whole = ("asset",) if key == "type" and not value else ("asset", key)
            return draft.with_value(self.table, whole, value.strip())

        return change

    def _with_column(self, draft: MappingDraft, column: str) -> MappingDraft:
        key, value = ("name_of", column[1:]) if column in _NAMES else ("column", column)
        others = {"id", "column", "name_of"} - {key} if column else {"column", "name_of", "pattern"}
        for other in sorted(others):
            draft = draft.with_value(self.table, ("asset", other), None)
        return draft.with_value(self.table, ("asset", key), value) if column else draft

    def _with_id(self, draft: MappingDraft, text: str) -> MappingDraft:
        return draft.with_value(self.table, ("asset", "id"), text.strip())


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _shown(widget: widgets.Widget, shown: bool) -> None:  # noqa: FBT001
    wanted = None if shown else "none"
    if widget.layout.display != wanted:
        widget.layout.display = wanted
