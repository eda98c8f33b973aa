"""Every key of mapping and model has a place in the form, and an edit changes its own characters only."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from twinlab.apps.mapping_form.form import MappingForm
from twinlab.apps.mapping_form.key_list import KeyList
from twinlab.apps.mapping_form.keys import (
    Key,
    Part,
    errors_at,
    flat_keys,
    keys_of,
    parse_value,
    parts,
    with_another,
    with_key,
)
from twinlab.errors import SchemaError
from twinlab.model.edits.yaml_edit import document
from twinlab.model.mapping import ColumnRule, Mapping, TableRule, TagRule
from twinlab.model.signal import Signal
from twinlab.model.time_rule import TimeRule
from twinlab.model.twinmodel import TwinModel
from twinlab.model.yamltext import read_yaml
from twinlab.sources import Reading

MODEL = """\
twin: plant
asset_types:
  meter:  # in the cellar
    signals:
      energy: {kind: counter, unit: kWh, resolution: 0.1}  # as printed
    properties: {installed: {dtype: time}, removed: {dtype: time}}
event_types:
  visit: {properties: {weight: {dtype: number}, ordered: {dtype: time}}}
"""
MAPPING = """\
source: meters
files: [meters.csv]
tables:
  - table: meters
    # local time of the plant
    time: {column: when, zone: UTC}  # said the operator
    asset: {type: meter, id: a}
    columns:
      kwh:
        signal: energy  # the display
        missing:
          - -1  # not connected
          - 9999
    events:
      - type: visit
        key: [when]
        end: {column: when, zone: UTC}
        properties: {weight: kg}  # by hand
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "plant"
    (root / "mapping").mkdir(parents=True)
    (root / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (root / "mapping" / "meters.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "meters.csv").write_text("when,kwh,kg,cd\n2026-01-05 08:00,1.5,2,P\n", encoding="utf-8")
    return root


@pytest.fixture
def form(folder: Path) -> MappingForm:
    form = MappingForm(folder, "meters")
    form.all_keys.selected_index = 0
    return form


def choose(form: MappingForm, label: str) -> KeyList:
    """Choose a part by its label and return the keys that are shown."""
    name = next(value for text, value in form.all_keys.part.options if text == label)
    form.all_keys.part.value = name
    return form.all_keys.lists[name.partition(":")[0]]


def write(form: MappingForm, label: str, key: str, text: str) -> None:
    keys = choose(form, label)
    path = tuple(key.split("."))
    if path not in keys.rows:
        keys.add.value = path
    keys.rows[path].field.value = text


def schemas(*roots: type) -> set[type]:
    """Return all schemas that can be reached from some."""
    found: set[type] = set()
    left = list(roots)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += [key.inner for key in keys_of(one) if key.inner is not None]
    return found


SCHEMAS = sorted(schemas(Mapping, TwinModel) | {Reading}, key=lambda one: one.__name__)


@pytest.mark.parametrize("holder", SCHEMAS, ids=lambda one: one.__name__)
def test_every_key_has_a_place_and_says_what_it_means(holder: type) -> None:
    names = [key.name for key in keys_of(holder)]
    if issubclass(holder, BaseModel):
        assert names == [info.alias or name for name, info in holder.model_fields.items()]
    reached = {path[0] for path in flat_keys(holder)}
    assert reached == set(names)
    assert [key.name for key in keys_of(holder) if not key.help] == []


def test_all_schemas_of_a_mapping_and_a_model_are_reached() -> None:
    every = {one for one in _descendants(BaseModel) if one.__module__.startswith("twinlab.model.")}
    # Calibrations and the policy of roles have files of their own, which aren't part of a mapping or a model. Effects of commands
    # are of several kinds with different keys, written as text.
    others = ("extensions", "calibration", "commands.effects", "access")
    concrete = {one for one in every if one.model_fields and not any(part in one.__module__ for part in others)}
    assert concrete - schemas(Mapping, TwinModel) == set()


def _descendants(one: type) -> set[type]:
    return {one}.union(*(_descendants(part) for part in one.__subclasses__())) - {BaseModel}


@pytest.mark.parametrize(
    ("part", "key", "text", "line"),
    [
        ("reading", "format", "csv", "reading: {format: csv}"),
        ("time", "ambiguous", "order", "time: {column: when, zone: UTC, ambiguous: order}  # said the operator"),
        ("time", "missing", "n/a, /^See /", "missing: [n/a, /^See /]}  # said"),
        ("columns › kwh", "valid_from", "2026-02-01", "        valid_from: '2026-02-01'"),
        ("columns › kwh", "priority", "1", "        priority: 1"),
        ("columns › kwh", "blank", "0", "        blank: '0'"),
        ("table meters", "status.column", "cd", "    status: {column: cd}"),
        ("events 1 (visit)", "part", "2", "        part: '2'"),
        ("events 1 (visit)", "duration", "column: min, unit: min", "        duration: {column: min, unit: min}"),
        ("events 1 (visit)", "where", "left", "        where: [left]"),
        ("events 1 (visit)", "properties", "ordered: {column: o, format: '%d/%m/%y'}", "properties: {weight: kg, ordered: {"),
        ("events 1 (visit) › end", "format", "%d.%m.%Y", "end: {column: when, zone: UTC, format: '%d.%m.%Y'}"),
        ("events 1 (visit) › properties › weight", "texts_only", "true", "{weight: {column: kg, texts_only: true}}  # by hand"),
        ("events 1 (visit) › properties › weight", "missing", "bad", "{weight: {column: kg, missing: [bad]}}  # by hand"),
        ("twin.yaml: signal energy of meter", "storage", "int64", "resolution: 0.1, storage: int64}  # as printed"),
        ("twin.yaml: signal energy of meter", "role", "label", "resolution: 0.1, role: label}  # as printed"),
        ("twin.yaml: signal energy of meter", "expected_span", "0, 8", "expected_span: [0, 8]}  # as printed"),
        ("twin.yaml: asset type meter", "lifetime.until", "removed", "    lifetime: {until: removed}"),
    ],
)  # fmt: skip
def test_a_key_is_set_and_removed_where_it_belongs_and_comments_stay(
    form: MappingForm, part: str, key: str, text: str, line: str
) -> None:
    def texts() -> str:
        return f"{form.model.text.value}{form.draft.text}"

    write(form, part, key, text)
    assert form.message.value == ""
    assert line in texts()
    for said in (
        "in the cellar",
        "as printed",
        "local time",
        "said the operator",
        "the display",
        "not connected",
        "by hand",
    ):
        assert f"# {said}" in texts()
    keys, path = choose(form, part), tuple(key.split("."))
    if not keys.rows[path].key.inner:
        keys.rows[path].remove.click()
        assert path not in keys.rows
        assert read_yaml(form.model.text.value, name="x").data == read_yaml(MODEL, name="x").data
        before = MAPPING.replace("weight: kg", "weight: {column: kg}") if "weight" in part else MAPPING
        data = read_yaml(form.draft.text, name="x").data
        assert isinstance(data, dict)
        data.pop("reading", None)
        assert data == read_yaml(before, name="x").data


def test_a_list_keeps_the_comments_of_the_entries_that_stay(form: MappingForm) -> None:
    write(form, "columns › kwh", "missing", "[-1, 9999, -99]")
    assert "          - -1  # not connected\n          - 9999\n          - -99\n" in form.draft.text
    write(form, "columns › kwh", "missing", "[-1, -99]")
    assert "          - -1  # not connected\n          - -99\n" in form.draft.text


def test_a_value_that_cannot_be_read_is_told_and_changes_nothing(form: MappingForm) -> None:
    write(form, "columns › kwh", "states", "a: b: c")
    assert "states: expected pairs such as a: b, c: d, got" in form.message.value
    assert form.draft.text == MAPPING


def test_a_value_that_does_not_fit_is_told_beside_its_keys(form: MappingForm) -> None:
    write(form, "time", "clock_format", "%H")
    keys = form.all_keys.lists["mapping"]
    assert "clock_format is the format of `clock`" in keys.errors.value
    assert form.save_button.disabled


def test_a_column_shows_its_keys_below_itself(form: MappingForm) -> None:
    more = form.columns.rows["kwh"].more
    assert more.list is None
    more.button.value = True
    assert more.list is not None
    assert more.box.layout.display is None
    more.list.add.value = ("scale",)
    more.list.rows["scale",].field.value = "0.1"
    assert "        scale: 0.1\n" in form.draft.text
    more.button.value = False
    assert more.box.layout.display == "none"


def test_time_and_table_show_their_keys_in_their_boxes(form: MappingForm) -> None:
    form.time.more.button.value = True
    assert form.time.more.list is not None
    form.time.more.list.add.value = ("shift",)
    form.time.more.list.rows["shift",].field.value = "5min"
    assert "shift: 5min}  # said the operator" in form.draft.text
    form.asset.more.button.value = True
    assert form.asset.more.list is not None
    form.asset.more.list.add.value = ("unit_column",)
    form.asset.more.list.rows["unit_column",].field.value = "cd"
    assert "    unit_column: cd\n" in form.draft.text


def test_a_date_and_a_clock_and_a_count_are_edited_in_the_time_box(form: MappingForm) -> None:
    form.time.way.value = "clock"
    form.time.clock.value = "cd"
    form.time.clock_format.value = "%H.%M"
    assert form.draft.get("meters", "time") == {
        "date_column": "when", "clock": "cd", "clock_format": "%H.%M", "zone": "UTC",
    }  # fmt: skip
    assert form.time.column.layout.display == "none"
    assert form.draft.errors == ()
    form.time.way.value = "elapsed"
    form.time.elapsed.value = "kwh"
    form.time.since.value = "2026-01-05T08:00"
    form.time.step.value = "1h"
    assert form.draft.get("meters", "time") == {
        "elapsed": "kwh", "since": "2026-01-05T08:00", "step": "1h", "zone": "UTC",
    }  # fmt: skip
    assert "# said the operator" in form.draft.text


def test_a_further_rule_is_added_to_those_that_are_there(form: MappingForm) -> None:
    write(form, "table meters", "columns", "kg: {signal: energy}")
    assert list(form.draft.get("meters", "columns")) == ["kwh", "kg"]
    write(form, "table meters", "events", "{type: visit, key: [cd], end: {column: when, zone: UTC}}")
    assert [one["key"] for one in form.draft.get("meters", "events")] == [["when"], ["cd"]]
    assert form.draft.errors == ()


def test_another_event_like_one_is_added_and_chosen(form: MappingForm) -> None:
    pane = form.all_keys
    choose(form, "time")
    assert pane.another.layout.display == "none"
    choose(form, "table meters")
    assert pane.another.layout.display == "none"
    choose(form, "events 1 (visit)")
    assert pane.another.layout.display is None
    pane.another.click()
    assert pane.part.label == "events 2 (visit)"
    key = pane.lists["mapping"]
    key.add.value = ("part",)
    key.rows["part",].field.value = "2"
    first, second = form.draft.get("meters", "events")
    assert second == {**first, "part": "2"}
    assert form.draft.errors == ()
    assert "# said the operator" in form.draft.text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a: {b: 1}  # c\n", "a: [{b: 1}, {d: 2}]  # c\n"),
        ("a: [{b: 1}]\n", "a: [{b: 1}, {d: 2}]\n"),
        ("a:\n  - b: 1  # c\ne: 1\n", "a:\n  - b: 1  # c\n  - {d: 2}\ne: 1\n"),
        ("a:\n  # x\n  b: 1  # c\n\n  # y\n  e: |\n    one\n    two\n", "a:\n  # x\n  - b: 1  # c\n\n    # y\n    e: |\n      one\n      two\n  - {d: 2}\n"),
        ("a:\r\n  b: 1\r\nf: 2\r\n", "a:\r\n  - b: 1\r\n  - {d: 2}\r\nf: 2\r\n"),
        ("f: 2\n", "f: 2\na: {d: 2}\n"),
        ("e: &x {b: 1}\na: *x\n", "e: &x {b: 1}\na: [{b: 1}, {d: 2}]\n"),
    ],
)  # fmt: skip
def test_a_value_beside_another_leaves_comments_and_lines_as_they_are(text: str, made: str) -> None:
    after = with_another(text, ("a",), {"d": 2})
    before = document(text).data
    assert isinstance(before, dict)
    old = before.get("a")
    assert document(after).data == {
        **before,
        "a": {"d": 2} if old is None else [*(old if isinstance(old, list) else [old]), {"d": 2}],
    }
    assert after == made


def test_a_folded_pane_builds_nothing(folder: Path) -> None:
    form = MappingForm(folder, "meters")
    assert form.all_keys.part.options == ()
    assert all(not keys.rows for keys in form.all_keys.lists.values())


def test_parts_follow_the_text(form: MappingForm) -> None:
    form.yaml.value = form.draft.text.replace("      kwh:\n", "      power:\n")
    labels = [text for text, _ in form.all_keys.part.options]
    assert "columns › power" in labels
    assert "columns › kwh" not in labels


def test_keys_are_hidden_while_their_text_is_no_yaml_and_the_part_stays_chosen(form: MappingForm) -> None:
    pane, before = form.all_keys, form.draft.text
    mapping, model = pane.lists["mapping"], pane.lists["model"]
    chosen = pane.part.value
    form.yaml.value = "source: [\n"
    assert "shown again once the text of the mapping is YAML" in pane.note.value
    assert (mapping.layout.display, model.layout.display) == ("none", "none")
    pane.part.value = next(value for _, value in pane.part.options if value.startswith("model: "))
    assert (pane.note.value, mapping.layout.display, model.layout.display) == ("", "none", None)
    pane.part.value = chosen
    form.yaml.value = before
    assert (pane.note.value, pane.part.value, mapping.layout.display) == ("", chosen, None)
    text, pane.part.value = form.model.text.value, next(v for _, v in pane.part.options if v.startswith("model: ("))
    at = pane.part.value
    form.model.text.value = text + "{"
    assert "shown again once the text of twin.yaml is YAML" in pane.note.value
    form.model.text.value = text
    assert (pane.note.value, pane.part.value, model.layout.display) == ("", at, None)


def test_several_rules_of_a_column_are_parts_of_their_own() -> None:
    data = {"tables": [{"columns": {"a": [{"signal": "x"}, {"signal": "y"}], "b": {"signal": "z"}}}]}
    rules = [one for one in parts(data, Mapping) if one.holder is TagRule]
    assert [(one.label, one.path[3:]) for one in rules] == [
        ("columns › a 1", ("a", 0)),
        ("columns › a 2", ("a", 1)),
        ("columns › b", ("b",)),
    ]


@pytest.mark.parametrize(
    ("holder", "name", "text", "value"),
    [
        (Signal, "sensor_span", "-40, 60", [-40, 60]),
        (Signal, "states", "0: closed, 1: open", {0: "closed", 1: "open"}),
        (Signal, "resolution", "0.5", 0.5),
        (TimeRule, "format", "%d.%m.%Y", "%d.%m.%Y"),
        (TimeRule, "format", '["%d.%m.%Y", iso]', ["%d.%m.%Y", "iso"]),
        (TimeRule, "shift_sign", "-1", -1),
        (TimeRule, "since", "2026-01-05T08:00", "2026-01-05T08:00"),
        (ColumnRule, "texts_only", "true", True),
        (TagRule, "blank", "none", "none"),
        (Reading, "thousands", '""', ""),
        (TableRule, "ignore", " ", None),
    ],
)
def test_values_are_typed_without_quotes_and_brackets(holder: type, name: str, text: str, value: object) -> None:
    key = next(one for one in keys_of(holder) if one.name == name)
    assert parse_value(key, text) == value


def test_brackets_that_do_not_close_are_told() -> None:
    with pytest.raises(SchemaError, match="key: expected a list such as a, b, got"):
        parse_value(Key("key", kind="list"), "[a, b")


def test_the_last_key_of_a_small_part_goes_with_it() -> None:
    part = Part(("tables", 0), TableRule, "")
    text = "tables:\n  - status: {column: c}\n    ignore: [d]\n"
    assert with_key(text, part, ("status", "column"), None) == "tables:\n  - ignore: [d]\n"


def test_errors_of_a_part_are_its_own() -> None:
    part = Part(("tables", 0, "time"), TimeRule, "time")
    lines = (
        "m.yaml:3: tables[0].time.zone: expected",
        "m.yaml:3: tables[0].time: expected",
        "m.yaml:4: tables[0].asset: no",
    )
    assert errors_at(lines, part) == lines[:2]
