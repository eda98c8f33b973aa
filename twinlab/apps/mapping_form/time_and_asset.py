"""The form's boxes for the time and the asset of a table's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from twinlab.apps.mapping_form.column_grid import Edit, Host, set_options, set_value
from twinlab.apps.mapping_form.draft import MappingDraft
from twinlab.apps.mapping_form.html import heading, message
from twinlab.apps.mapping_form.key_list import MoreKeys
from twinlab.apps.mapping_form.keys import Part
from twinlab.apps.mapping_form.preview import SampleTable
from twinlab.apps.mapping_form.suggestions import suggestions, zones
from twinlab.languages import mark, tr
from twinlab.model.mapping import TableRule
from twinlab.model.time_rule import TimeRule
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["AssetBox", "TimeBox"]

_PARTS = ("year", "month", "day", "hour", "minute", "second")
_WAYS = [
    (mark("one column"), "column"),
    (mark("a date and a clock column"), "clock"),
    (mark("columns of year, month, day …"), "parts"),
    (mark("a count from a start"), "elapsed"),
]
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
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H.%M.%S", "%I:%M %p", "%I:%M:%S %p")
_AMBIGUOUS = [
    (mark("refuse and report"), "refuse"),
    (mark("take the earlier"), "earlier"),
    (mark("take the later"), "later"),
    (mark("go by the order of rows"), "order"),
]
#: Names of which the asset may be, as values beside the names of columns.
_NAMES = {
    "=file": mark("– the file's name –"),
    "=folder": mark("– the folder's name –"),
    "=sheet": mark("– the sheet's name –"),
}
_NONEXISTENT = [(mark("refuse and report"), "refuse"), (mark("shift forward by the hour"), "shift_forward")]


def _translated(options: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return options with their labels in the reader's language."""
    return [(tr(label), value) for label, value in options]


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


def _columns(sample: SampleTable | None, *, none: str) -> list[tuple[str, str]]:
    return [(none, ""), *((name, name) for name in (sample.columns if sample is not None else ()))]


class TimeBox(_Box):
    """Fields for the time of a row."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.title = widgets.HTML(heading(tr("Time")))
        self.way = self._field(widgets.Dropdown, tr("Time from"), self._with_way, _translated(_WAYS))
        self.column = self._field(
            widgets.Dropdown, tr("Column"), lambda draft, value: draft.with_time_way(self.table, "column", value)
        )
        self.date = self._field(widgets.Dropdown, "Date", self._with("date_column"))
        self.clock = self._field(widgets.Dropdown, tr("Clock"), self._with("clock"))
        self.elapsed = self._field(widgets.Dropdown, tr("Count"), self._with("elapsed"))
        self.step = self._field(widgets.Text, tr("One count lasts"), self._with("step"))
        self.step.placeholder = "1s"
        self.since = self._field(widgets.Text, tr("It is 0 at"), self._with("since"))
        self.since.placeholder = tr("2026-01-05T08:00, on the source's clock")
        self.parts = {part: self._field(widgets.Dropdown, part.title(), self._with_part(part)) for part in _PARTS}
        self.format = self._field(widgets.Combobox, tr("Format"), self._with_formats("format"), _FORMATS)
        self.clock_format = self._field(
            widgets.Combobox, tr("Format of the clock"), self._with_formats("clock_format"), _CLOCKS
        )
        self.clock_format.placeholder = tr("517, 05:17 and 05.17.00 are read without")
        self.zone = self._field(
            widgets.Combobox,
            tr("Zone of the clock"),
            lambda draft, value: draft.with_zone(self.table, value.strip()),
            zones(),
        )
        self.zone.placeholder = tr("choose, for example Europe/Berlin")
        self.zone_warning = widgets.HTML()
        self.confirm = widgets.Button(icon="check", layout=widgets.Layout(width="auto", align_self="flex-end"))
        self.confirm.on_click(lambda _: self._changed(lambda draft: draft.with_zone(self.table, self.zone.value)))
        self.ambiguous = self._field(
            widgets.Dropdown, tr("Hour that is twice"), self._setter("ambiguous", "refuse"), _translated(_AMBIGUOUS)
        )
        self.nonexistent = self._field(
            widgets.Dropdown, tr("Hour left out"), self._setter("nonexistent", "refuse"), _translated(_NONEXISTENT)
        )
        self.error = widgets.HTML()
        # Way -> its fields.
        self._of_way = {
            "column": (self.column, self.format),
            "clock": (self.date, self.format, self.clock, self.clock_format),
            "parts": tuple(self.parts.values()),
            "elapsed": (self.elapsed, self.step, self.since),
        }
        self._ways = tuple(dict.fromkeys(field for fields in self._of_way.values() for field in fields))
        self.more = MoreKeys(host.write_key, tr("the time"), label=tr("More keys"))
        self.children = [
            *(self.title, self.way, *self._ways, self.zone, self.zone_warning, self.confirm, self.ambiguous, self.nonexistent),
            *(self.more.button, self.more.box, self.error),
        ]  # fmt: skip

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the rule of a table's time."""
        self.table = table
        time = draft.get(table, "time")
        rule = time if isinstance(time, dict) else {}
        way = next((key for key in ("parts", "clock", "elapsed") if key in rule), "column")
        way = "clock" if "date_column" in rule else way
        set_options(self.way, _translated(_WAYS), way)
        columns = {"column": self.column, "date_column": self.date, "clock": self.clock, "elapsed": self.elapsed}
        for key, field in columns.items():
            set_options(field, _columns(sample, none=tr("– choose –")), _plain(rule.get(key)))
        parts = rule.get("parts")
        for part, widget in self.parts.items():
            set_options(widget, _columns(sample, none="–"), _plain(parts.get(part)) if isinstance(parts, dict) else "")
        set_value(self.format, _formats(rule.get("format", "iso")))
        set_value(self.clock_format, _formats(rule.get("clock_format")))
        set_value(self.step, _plain(rule.get("step")))
        set_value(self.since, _plain(rule.get("since")))
        alone = not rule and bool(draft.clocks(table))
        for widget in self._ways:
            _shown(widget, shown=widget in self._of_way[way] and not alone)
        if {"date", "date_pattern", "after", "near"} & rule.keys():
            # The day is stated in another way, which is among the other keys.
            _shown(self.date, shown=False)
            _shown(self.since, shown=False)
        whole = Part((*draft.rule_path(table), "time"), TimeRule, "time") if rule else None
        self.more.show(whole, draft.text, errors=draft.errors, suggest=suggestions(draft, sample))
        if alone:
            rule = draft.get(table, *draft.clocks(table)[0])
        _shown(self.way, not alone)
        _shown(self.more.button, not alone)
        set_value(
            self.title,
            heading(tr("Time"), note=tr("of this table's events; columns and formats under All keys") if alone else ""),
        )
        self._show_zone(draft, rule)
        set_options(self.ambiguous, _translated(_AMBIGUOUS), _plain(rule.get("ambiguous", "refuse")))
        set_options(self.nonexistent, _translated(_NONEXISTENT), _plain(rule.get("nonexistent", "refuse")))
        wrong = draft.error_at(table, "time")
        set_value(self.error, message(wrong, kind="error", role="alert") if wrong else "")

    def _show_zone(self, draft: MappingDraft, rule: dict[str, Any]) -> None:
        zone_of = rule.get("zone_of")
        written = draft.zone(self.table)
        zone = "" if written == UNKNOWN else written
        set_value(self.zone, zone)
        if isinstance(zone_of, dict):
            words = tr(
                "the {property} of the {asset_type} in {column}",
                property=zone_of.get("property"),
                asset_type=zone_of.get("asset_type"),
                column=zone_of.get("column"),
            )
            self.zone.placeholder = words
        if rule.get("zone_column"):
            self.zone.placeholder = tr("each row's own, in {zone_column}", zone_column=rule["zone_column"])
        said = draft.zone_question(self.table)
        ask = (
            tr("Confirm that the clock shows {zone}, or choose its zone.", zone=zone)
            if zone
            else tr("Choose the zone of the clock.")
        )
        set_value(
            self.zone_warning,
            message(f"{said[:1].upper()}{said[1:]}. {ask}", kind="warn", role="alert") if said else "",
        )
        self.confirm.description = tr("Confirm {zone}", zone=zone)
        _shown(self.confirm, bool(said and zone))
        (self.add_class if said else self.remove_class)("tl-unset")

    def _with_way(self, draft: MappingDraft, way: str) -> MappingDraft:
        if way == "parts":
            # Only columns of exactly these names: nothing is guessed.
            names = {name.casefold(): name for name in self._names()}
            return draft.with_time_way(self.table, "parts", {part: names[part] for part in _PARTS if part in names})
        time = draft.get(self.table, "time")
        rule = time if isinstance(time, dict) else {}
        old = next((str(rule[key]) for key in ("column", "date_column", "elapsed", "clock") if rule.get(key)), "")
        # The column that was chosen is the date, or the count.
        key = "date_column" if way == "clock" else way
        return draft.with_time_way(self.table, key, old) if old or way == "column" else draft

    def _names(self) -> list[str]:
        return [value for _, value in self.column.options if value]

    def _with_part(self, part: str) -> Callable[[MappingDraft, str], MappingDraft]:
        return lambda draft, value: draft.with_value(self.table, ("time", "parts", part), value)

    def _with(self, key: str) -> Callable[[MappingDraft, str], MappingDraft]:
        return lambda draft, value: draft.with_value(self.table, ("time", key), value.strip())

    def _with_formats(self, key: str) -> Callable[[MappingDraft, str], MappingDraft]:
        def change(draft: MappingDraft, text: str) -> MappingDraft:
            several = [one.strip() for one in text.split("|") if one.strip()]
            value = several if len(several) > 1 else text.strip()
            return draft.with_value(self.table, ("time", key), None if value == "iso" else value)

        return change

    def _setter(self, key: str, default: str) -> Callable[[MappingDraft, str], MappingDraft]:
        return lambda draft, value: draft.with_clock(self.table, key, None if value == default else value)


class AssetBox(_Box):
    """Fields for the asset of a row."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.title = widgets.HTML(heading(tr("Asset")))
        self.type = self._field(widgets.Dropdown, tr("Type"), self._setter("type"))
        self.column = self._field(widgets.Dropdown, tr("Named by"), self._with_column)
        self.id = self._field(widgets.Text, tr("Always the asset"), self._with_id)
        self.pattern = self._field(widgets.Text, tr("Pattern of the id"), self._setter("pattern"))
        self.pattern.placeholder = tr(r"the whole text, or (?P<id>\d+)")
        self.error = widgets.HTML()
        self.more = MoreKeys(host.write_key, tr("the table"), label=tr("More keys of the table"))
        fields = [self.type, self.column, self.id, self.pattern]
        self.children = [self.title, *fields, self.more.button, self.more.box, self.error]

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the rule of a table's assets."""
        self.table = table
        asset = draft.get(table, "asset")
        rule = asset if isinstance(asset, dict) else {}
        alone = not rule and any(draft.get(table, key) for key in ("events", "assets", "relationships"))
        set_value(self.title, heading(tr("Asset"), note=tr("its rows name theirs: see All keys") if alone else ""))
        types = [(tr("– none for the whole table –"), ""), *((name, name) for name in draft.model.asset_types)]
        set_options(self.type, types, _plain(rule.get("type")))
        columns = _columns(sample, none=tr("– no column: always the same –"))
        named = f"={rule['name_of']}" if rule.get("name_of") else _plain(rule.get("column"))
        set_options(self.column, [*columns, *((tr(label), key) for key, label in _NAMES.items())], named)
        set_value(self.id, _plain(rule.get("id")))
        set_value(self.pattern, _plain(rule.get("pattern")))
        _shown(self.column, bool(rule))
        _shown(self.id, bool(rule) and not named)
        _shown(self.pattern, bool(named))
        part = Part(draft.rule_path(table), TableRule, "table") if draft.rule(table) else None
        self.more.show(part, draft.text, errors=draft.errors, suggest=suggestions(draft, sample))
        wrong = draft.error_at(table, "asset")
        set_value(self.error, message(wrong, kind="error", role="alert") if wrong else "")

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


def _formats(value: object) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list) else _plain(value)


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _shown(widget: widgets.Widget, shown: bool) -> None:  # noqa: FBT001
    wanted = None if shown else "none"
    if widget.layout.display != wanted:
        widget.layout.display = wanted
