"""The mapping form, driven as a person drives it: by setting the values of its widgets."""

import random
from html import unescape
from pathlib import Path

import ipywidgets as widgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.apps.mapping_form.files import changes
from twinlab.apps.mapping_form.form import MappingForm
from twinlab.apps.mapping_form.preview import preview, read_sample
from twinlab.errors import SourceError
from twinlab.harmonise import draft
from twinlab.model.edits.yaml_edit import drop, put
from twinlab.model.load import load_mapping, load_model
from twinlab.model.yamltext import read_yaml, write_yaml

MODEL = """\
twin: kitchen
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.01}
      humidity: {unit: "%", resolution: 0.1}
      door: {kind: state, states: {0: closed, 1: open}}
  depot: {properties: {zone: {}}}
event_types:
  trip: {asset: fridge, properties: {parcels: {dtype: integer}}}
"""
MAPPING = """\
source: fridges
files: [fridges.csv]
tables:
  - table: fridges
    time:
      column: Zeit
      format: "%d.%m.%Y %H:%M"
      zone: UTC  # not stated in the file: check
    asset: {type: fridge, column: Fridge}
    columns:
      # The header says °F; between 38 and 41 it fits a fridge.
      Temp: {signal: temperature, unit: °F}
      Door:
        signal: door
        states: {auf: open, zu: closed}
    ignore: [Note]
"""
ROWS = """\
Zeit;Fridge;Temp;Door;Hum;Note
28.03.2026 00:00;K1;39.2;zu;41;fine
28.03.2026 00:00;K2;41.0;auf;-99;
28.03.2026 00:10;K1;39.2;zu;43;
28.03.2026 00:10;K2;warm;zu;44;
"""


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-999, 999) | words
trees = st.dictionaries(
    words,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
    ),
    max_size=4,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "kitchen"
    (root / "mapping").mkdir(parents=True)
    (root / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (root / "mapping" / "fridges.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "fridges.csv").write_text(ROWS, encoding="cp1252")
    return root


@pytest.fixture
def form(folder: Path) -> MappingForm:
    return MappingForm(folder, "fridges")


def saved(folder: Path) -> str:
    return (folder / "mapping" / "fridges.yaml").read_text(encoding="utf-8")


def shown(form: MappingForm, signal: str) -> list[tuple[str, str, str]]:
    assert form.table is not None
    return [(one.asset, one.time, one.shown) for one in form.table.values if one.signal == signal]


def fields(form: MappingForm) -> list[widgets.Widget]:
    """Return everything that can be edited in the grid of columns and the boxes of time and asset."""

    def within(one: widgets.Widget) -> list[widgets.Widget]:
        return [one, *(inner for child in getattr(one, "children", ()) for inner in within(child))]

    return [one for part in (form.columns, form.time, form.asset) for one in within(part) if hasattr(one, "disabled")]


# -- the preview alone -------------------------------------------------------------------------------------------------
def test_a_preview_shows_rows_as_written_beside_their_harmonised_values(folder: Path) -> None:
    mapping, model = load_mapping(folder / "mapping" / "fridges.yaml"), load_model(folder / "twin.yaml")
    made = preview(mapping, model, folder.parent / "fridges.csv", rows=3)
    assert made.columns == ("Zeit", "Fridge", "Temp", "Door", "Hum", "Note")
    assert [row.number for row in made.rows] == [2, 3, 4]
    assert made.rows[1].written[1] == "K2"
    first = made.rows[0].values[0]
    assert (first.asset, first.signal, first.time, first.unit) == (
        "fridge/K1",
        "temperature",
        "2026-03-28 00:00:00",
        "degC",
    )
    assert first.value == pytest.approx(4.0)
    assert made.rows[1].values[1].shown == "open"


def test_a_preview_tells_problems_and_unknown_columns(folder: Path) -> None:
    mapping, model = load_mapping(folder / "mapping" / "fridges.yaml"), load_model(folder / "twin.yaml")
    made = preview(mapping, model, read_sample(folder.parent / "fridges.csv"))
    assert len(made.problems) == 1
    assert "row 5, Temp" in made.problems[0]
    assert "'warm'" in made.problems[0]
    assert [text.split(":")[0] for text in made.unknown] == ["column 'Hum' (4 rows)"]


def test_a_preview_of_a_table_that_is_not_there_says_so(folder: Path) -> None:
    mapping, model = load_mapping(folder / "mapping" / "fridges.yaml"), load_model(folder / "twin.yaml")
    with pytest.raises(SourceError, match="has no table 'fridge'; did you mean 'fridges'"):
        preview(mapping, model, folder.parent / "fridges.csv", table="fridge")


def test_the_text_around_an_edit_stays_as_it_was() -> None:
    path = ("tables", 0, "columns", "Door")
    assert drop(MAPPING, path) == MAPPING.replace(
        "      Door:\n        signal: door\n        states: {auf: open, zu: closed}\n", ""
    )
    assert put(MAPPING, (*path, "unit"), "1") == MAPPING.replace("zu: closed}\n", "zu: closed}\n        unit: '1'\n")
    assert put("# only a comment\n", ("a", "b"), 1).endswith("a: {b: 1}\n")
    shared = "a: &x {u: 1}\nb: *x\n"
    assert read_yaml(put(shared, ("b", "u"), 2), name="x").data == {"a": {"u": 1}, "b": {"u": 2}}


@given(tree=trees, key=words, value=scalars | st.lists(scalars, max_size=3), pick=st.randoms(use_true_random=False))
def test_any_value_put_in_any_document_is_read_back(tree: object, key: str, value: object, pick: random.Random) -> None:
    text = write_yaml(tree)
    path: list[str | int] = []
    node = tree
    while isinstance(node, (dict, list)) and node and pick.random() < 0.8:
        step = pick.choice(list(node) if isinstance(node, dict) else range(len(node)))
        path.append(step)
        node = node[step]
    if isinstance(node, dict) or not path:
        path.append(key)
    after = read_yaml(put(text, tuple(path), value), name="x").data
    for step in path:
        after = after[step]
    assert after == value
    made = read_yaml(drop(text, tuple(path)), name="x").data
    assert changes(tree, made) == [] or len(path) > 0
    for step in path[:-1]:
        made = made[step] if isinstance(made, list) or step in made else {}
    assert not (isinstance(made, dict) and path[-1] in made)


# -- the form ----------------------------------------------------------------------------------------------------------
def test_the_form_finds_the_file_and_shows_what_the_draft_says(form: MappingForm) -> None:
    assert form.file.value.endswith("fridges.csv")
    rows = form.columns.rows
    assert [(name, row.role.value) for name, row in rows.items()] == [
        ("Zeit", "=time"),
        ("Fridge", "=asset"),
        ("Temp", "temperature"),
        ("Door", "door"),
        ("Hum", ""),
        ("Note", "=ignore"),
    ]
    assert rows["Temp"].unit.value == "°F"
    assert rows["Door"].states.value == "auf = open, zu = closed"
    assert "K1 · K2" in rows["Fridge"].samples.value
    assert (form.asset.type.value, form.asset.column.value) == ("fridge", "Fridge")
    assert not form.unsaved
    assert form.save_button.disabled


def test_another_unit_changes_preview_and_text_but_not_the_file(form: MappingForm, folder: Path) -> None:
    assert shown(form, "temperature")[0] == ("fridge/K1", "2026-03-28 00:00:00", "4.00")
    form.columns.rows["Temp"].unit.value = "degC"
    assert shown(form, "temperature")[0][2] == "39.20"
    assert "39.20" in form.preview.value
    assert "Temp: {signal: temperature, unit: degC}" in form.yaml.value
    assert form.unsaved
    assert "unsaved" in form.status.value
    assert saved(folder) == MAPPING


def test_edits_keep_the_comments_of_the_draft(form: MappingForm) -> None:
    form.columns.rows["Temp"].unit.value = "degC"
    form.columns.rows["Hum"].role.value = "humidity"
    assert "# The header says °F; between 38 and 41 it fits a fridge." in form.yaml.value
    assert form.yaml.value.replace("degC", "°F").replace("      Hum: {signal: humidity}\n", "") == MAPPING


def test_saving_writes_the_file_and_says_what_changed(form: MappingForm, folder: Path) -> None:
    form.columns.rows["Temp"].unit.value = "degC"
    form.save_button.click()
    assert saved(folder) == MAPPING.replace("unit: °F", "unit: degC")
    assert "tables[0].columns.Temp.unit: °F → degC" in form.message.value
    assert not form.unsaved
    assert form.save_button.disabled
    assert [path.name for path in (folder / "mapping").iterdir()] == ["fridges.yaml"]


def test_saving_keeps_the_line_ends_and_the_byte_order_mark_of_the_file(folder: Path) -> None:
    path = folder / "mapping" / "fridges.yaml"
    before = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(before)
    form = MappingForm(folder, "fridges")
    form.columns.rows["Temp"].unit.value = "degC"
    form.save_button.click()
    after = path.read_bytes()
    assert after == before.replace("unit: °F".encode(), b"unit: degC") != before


def test_an_unknown_unit_is_told_beside_its_column_and_cannot_be_saved(form: MappingForm, folder: Path) -> None:
    form.columns.rows["Temp"].unit.value = "degX"
    note = form.columns.rows["Temp"].note
    assert "unknown unit" in note.value
    assert note.layout.display != "none"
    assert form.columns.rows["Door"].note.layout.display == "none"
    assert form.save_button.disabled
    assert "last preview without any" in form.preview.value
    form.save()
    assert "nothing was written" in form.message.value
    assert saved(folder) == MAPPING
    form.columns.rows["Temp"].unit.value = "°C"
    assert note.layout.display == "none"
    assert not form.save_button.disabled


def test_a_unit_that_does_not_fit_is_told_beside_its_column(form: MappingForm) -> None:
    form.columns.rows["Temp"].unit.value = "kg"
    assert "measure different things" in form.columns.rows["Temp"].note.value


def test_a_column_can_be_mapped_with_unit_and_missing_codes(form: MappingForm) -> None:
    row = form.columns.rows["Hum"]
    row.role.value = "humidity"
    row.missing.value = "-99, k.A."
    row.unit.value = "%"
    assert [text for _, _, text in shown(form, "humidity")] == ["41.0", "43.0", "44.0"]
    assert "Hum: {signal: humidity, missing: [-99, k.A.], unit: '%'}" in form.yaml.value.replace('"', "'")
    assert form.table is not None
    assert form.table.unknown == ()


def test_states_can_be_edited_and_what_is_no_state_is_told(form: MappingForm) -> None:
    form.columns.rows["Door"].states.value = "auf = open, zu = clsd"
    assert "did you mean 'closed'" in unescape(form.columns.rows["Door"].note.value)
    form.columns.rows["Door"].states.value = "auf = closed, zu = open"
    assert [text for _, _, text in shown(form, "door")] == ["open", "closed", "open", "open"]
    form.columns.rows["Door"].states.value = "auf"
    assert "expected states such as" in form.message.value
    assert "auf: closed" in form.yaml.value


def test_the_zone_of_a_draft_stays_marked_until_a_person_confirms_it(form: MappingForm) -> None:
    assert "tl-unset" in form.time._dom_classes
    assert "Not stated in the file: check" in form.time.zone_warning.value
    form.time.confirm.click()
    assert "tl-unset" not in form.time._dom_classes
    assert form.time.zone_warning.value == ""
    assert "zone: UTC\n" in form.yaml.value
    assert form.unsaved


def test_choosing_a_zone_confirms_it_and_moves_the_times(form: MappingForm) -> None:
    form.time.zone.value = "Europe/Berlin"
    assert "tl-unset" not in form.time._dom_classes
    assert shown(form, "temperature")[0][1] == "2026-03-27 23:00:00"
    form.time.zone.value = "Europe/Berln"
    assert "did you mean 'Europe/Berlin'" in unescape(form.time.error.value)


def test_a_zone_that_is_taken_away_is_marked(form: MappingForm) -> None:
    form.time.zone.value = ""
    assert "No zone is set" in form.time.zone_warning.value
    assert form.save_button.disabled


def test_the_hours_of_daylight_saving_get_a_rule(form: MappingForm) -> None:
    form.time.ambiguous.value = "order"
    form.time.nonexistent.value = "shift_forward"
    assert form.draft.mapping is not None
    rule = form.draft.mapping.tables[0].time
    assert rule is not None
    assert (rule.ambiguous, rule.nonexistent) == ("order", "shift_forward")
    form.time.ambiguous.value = "refuse"
    assert "ambiguous" not in form.yaml.value


def test_a_format_that_does_not_fit_shows_as_problems(form: MappingForm) -> None:
    form.time.format.value = "iso"
    assert form.table is not None
    assert form.table.values == ()
    assert len(form.table.problems) >= 4


def test_time_can_be_composed_of_columns(folder: Path) -> None:
    path = folder.parent / "parts.csv"
    path.write_text("year,month,day,hour,Temp\n2026,3,1,5,50\n", encoding="utf-8")
    form = MappingForm(folder, "fridges", file=path)
    form.columns.rows["Temp"].role.value = "temperature"
    form.asset.column.value = ""
    form.asset.id.value = "K9"
    form.time.way.value = "parts"
    form.time.zone.value = "UTC"
    assert [widget.value for widget in form.time.parts.values()] == ["year", "month", "day", "hour", "", ""]
    assert [row.role.value for row in form.columns.rows.values()][:5] == ["=time"] * 4 + ["temperature"]


def test_an_asset_can_be_fixed_for_the_whole_table(form: MappingForm) -> None:
    form.asset.column.value = ""
    assert "exactly one of id, column or name_of" in form.asset.error.value
    form.asset.id.value = "K7"
    assert {asset for asset, _, _ in shown(form, "temperature")} == {"fridge/K7"}


def test_an_asset_can_be_named_by_the_file_or_its_folder(form: MappingForm, folder: Path) -> None:
    form.asset.column.value = "=file"
    assert "asset: {type: fridge, name_of: file}" in form.yaml.value
    assert shown(form, "temperature")[0][0] == "fridge/fridges"
    form.asset.column.value = "=folder"
    assert shown(form, "temperature")[0][0] == f"fridge/{folder.parent.name}"
    assert form.asset.id.layout.display == "none"
    form.columns.rows["Fridge"].role.value = "=asset"
    assert "name_of" not in form.yaml.value
    assert shown(form, "temperature")[0][0] == "fridge/K1"


def test_a_column_takes_another_s_role_over(form: MappingForm) -> None:
    form.columns.rows["Note"].role.value = "=asset"
    assert form.columns.rows["Fridge"].role.value == ""
    assert form.asset.column.value == "Note"
    assert "ignore: [Note]" not in form.yaml.value


def test_a_column_with_a_signal_can_be_ignored_and_left_unmapped(form: MappingForm) -> None:
    form.columns.rows["Temp"].role.value = "=ignore"
    assert form.draft.mapping is not None
    assert form.draft.mapping.tables[0].ignore == ["Note", "Temp"]
    form.columns.rows["Temp"].role.value = ""
    assert form.draft.mapping.tables[0].ignore == ["Note"]
    assert "Temp" not in form.draft.mapping.tables[0].columns


def test_the_text_can_be_edited_and_the_fields_follow(form: MappingForm) -> None:
    form.yaml.value = MAPPING.replace("unit: °F", "unit: K").replace(
        "zone: UTC  # not stated in the file: check", "zone: Asia/Tokyo"
    )
    assert form.columns.rows["Temp"].unit.value == "K"
    assert form.time.zone.value == "Asia/Tokyo"
    assert shown(form, "temperature")[0][1] == "2026-03-27 15:00:00"


def test_text_that_is_no_yaml_is_told_with_its_line_and_locks_the_fields(form: MappingForm, folder: Path) -> None:
    before = [one for one in fields(form) if one.disabled]
    form.yaml.value = MAPPING.replace("asset: {type", "asset: {{type")
    assert "fridges.yaml:10: expected YAML" in form.errors.value
    assert form.save_button.disabled
    assert "fridges.yaml:10: expected YAML" in form.yaml_errors.value
    assert "these fields show how it was before" in form.stale.value
    assert [one for one in fields(form) if not one.disabled] == []
    assert form.yaml.value != MAPPING
    form.yaml.value = MAPPING
    assert form.errors.value == form.yaml_errors.value == form.stale.value == ""
    assert [one for one in fields(form) if one.disabled] == before
    assert saved(folder) == MAPPING


def test_errors_of_a_text_that_was_yaml_are_gone_once_it_is_none(form: MappingForm) -> None:
    row = form.columns.rows["Temp"]
    row.more.button.value = form.time.more.button.value = True
    parts = [(row.unit, "degX", row.note, row.more), (form.time.zone, "Mars", form.time.error, form.time.more)]
    for field, wrong, note, more in parts:
        before, field.value = field.value, wrong
        assert more.list is not None
        assert "✖" in note.value
        assert "Errors here" in more.list.errors.value
        form.yaml.value += "{"
        assert "✖" not in note.value + more.list.errors.value
        assert [one for one in fields(form) if not one.disabled] == []
        form.yaml.value = form.yaml.value[:-1]
        field.value = before


def test_another_table_is_shown_locked_too(form: MappingForm, folder: Path) -> None:
    form.yaml.value = MAPPING + "  - {table: fridges2, ignore: [Note]}\n"
    broken = form.yaml.value + "  - {"
    form.yaml.value = broken
    assert form.tables.options == ("fridges", "fridges2")
    form.tables.value = "fridges2"
    assert form.time.column.value == ""
    assert [one for one in fields(form) if not one.disabled] == []
    form.yaml.value = broken.removesuffix("  - {")
    assert form.tables.value == "fridges2"
    assert not form.time.column.disabled


def test_a_mapping_that_is_no_yaml_can_be_opened_and_repaired(folder: Path) -> None:
    (folder / "mapping" / "fridges.yaml").write_text(MAPPING[:-2], encoding="utf-8")
    form = MappingForm(folder, "fridges")
    assert "fridges.yaml:16: expected YAML" in form.errors.value
    assert [one for one in fields(form) if not one.disabled] == []
    form.yaml.value = MAPPING
    assert form.columns.rows["Temp"].role.value == "temperature"
    assert not form.columns.rows["Temp"].role.disabled


def test_a_misspelt_key_is_told_with_line_and_nearest_word(form: MappingForm) -> None:
    form.yaml.value = MAPPING.replace("ignore:", "ignored:")
    assert "fridges.yaml:16: tables[0].ignored" in form.errors.value
    assert "did you mean 'ignore'" in unescape(form.errors.value)


def test_every_text_that_is_being_typed_is_survived(form: MappingForm) -> None:
    for length in range(0, len(MAPPING), 5):
        form.yaml.value = MAPPING[:length]
        assert "Please report" not in form.message.value, MAPPING[:length]
    form.yaml.value = MAPPING
    assert form.errors.value == ""
    assert not form.unsaved


def test_what_the_form_cannot_show_is_kept(form: MappingForm, folder: Path) -> None:
    events = "    events:\n      - {type: trip, key: [Zeit, Fridge], start: {column: Zeit, zone: UTC, format: '%d.%m.%Y %H:%M'}, properties: {parcels: Hum}}\n"
    form.yaml.value = MAPPING + events
    assert "Please report" not in form.message.value
    assert form.columns.rows["Hum"].role.label == "events (see YAML)"
    assert form.table is not None
    assert [found.what for found in form.table.found] == ["event trip"]
    form.columns.rows["Temp"].unit.value = "degC"
    form.save()
    assert events in saved(folder)


def test_each_of_several_rules_of_a_column_has_a_row(form: MappingForm) -> None:
    rules = "Temp: [{signal: temperature, unit: °F, valid_until: 2026-03-28T00:05Z}, {signal: temperature, unit: °C, valid_from: 2026-03-28T00:05Z}]"
    form.yaml.value = MAPPING.replace("Temp: {signal: temperature, unit: °F}", rules)
    assert [text for _, _, text in shown(form, "temperature")] == ["4.00", "5.00", "39.20"]
    row, second = form.columns.rows["Temp"], form.columns.further["Temp", 1]
    assert (row.unit.value, second.unit.value) == ("°F", "°C")
    second.unit.value = "K"
    assert "unit: K, valid_from" in form.yaml.value
    second.unit.value = "kg"
    assert "measure different things" in second.note.value
    assert row.note.value == ""
    row.role.value = ""
    assert form.columns.further == {}
    assert "Temp: [{signal: temperature, unit: kg, valid_from" in form.yaml.value
    assert row.unit.value == "kg"


def test_a_second_signal_of_a_column_is_added_beside_the_first(form: MappingForm, folder: Path) -> None:
    row = form.columns.rows["Door"]
    row.add.value = True
    new = form.columns.further["Door", 1]
    assert "=ignore" not in [key for _, key in new.role.options]
    assert form.yaml.value == MAPPING
    new.role.value = "humidity"
    assert form.columns.further["Door", 1] is new
    assert not row.add.value
    new.missing.value = "zu, auf"
    assert form.yaml.value == MAPPING.replace(
        "        signal: door\n        states: {auf: open, zu: closed}\n",
        "        - signal: door\n          states: {auf: open, zu: closed}\n        - {signal: humidity, missing: [zu, auf]}\n",
    )
    assert [text for _, _, text in shown(form, "door")][:2] == ["closed", "open"]
    new.role.value = ""
    assert form.columns.further == {}
    assert form.draft.entries("fridges", "Door") == [{"signal": "door", "states": {"auf": "open", "zu": "closed"}}]


def test_a_meaning_is_added_to_a_column_that_names_the_asset_or_is_read_by_events(form: MappingForm) -> None:
    event = "{type: trip, key: [Zeit, Fridge], start: {column: Zeit, zone: UTC, format: '%d.%m.%Y %H:%M'}}"
    form.yaml.value = MAPPING + f"    events:\n      - {event}\n"
    row = form.columns.rows["Fridge"]
    row.add.value = True
    form.columns.further["Fridge", 1].role.value = "humidity"
    assert form.asset.column.value == "Fridge"
    assert row.role.value == "humidity"
    assert "also: asset, events" in row.note.value
    form.columns.rows["Temp"].add.value = True
    new = form.columns.further["Temp", 1]
    assert ("property parcels of events 1 (trip)", "@events/0/properties/parcels") in new.role.options
    new.role.value = "@events/0/properties/parcels"
    assert form.draft.get("fridges", "events", 0, "properties") == {"parcels": "Temp"}
    assert form.columns.rows["Temp"].role.value == "temperature"
    assert form.columns.further == {}
    assert form.columns.rows["Note"].add.layout.visibility == "hidden"


def test_a_further_meaning_that_is_not_chosen_changes_nothing(form: MappingForm) -> None:
    row = form.columns.rows["Temp"]
    row.add.value = True
    form.columns.rows["Hum"].role.value = "humidity"
    assert ("Temp", 1) in form.columns.further
    row.add.value = False
    assert form.columns.further == {}
    assert form.yaml.value.replace("      Hum: {signal: humidity}\n", "") == MAPPING


def test_a_long_table_shows_its_tags(folder: Path) -> None:
    path = folder.parent / "long.csv"
    path.write_text("when,tag,value\n2026-03-01T00:00Z,K1.t,41\n2026-03-01T00:00Z,K1.h,55\n", encoding="utf-8")
    (folder / "mapping" / "long.yaml").write_text(
        "source: long\nfiles: [long.csv]\ntables:\n  - table: long\n    time: {column: when, zone: offset}\n",
        encoding="utf-8",
    )
    form = MappingForm(folder, "long")
    assert form.tags.layout.display == "none"
    form.columns.rows["tag"].role.value = "=tag"
    form.columns.rows["value"].role.value = "=value"
    form.asset.type.value = "fridge"
    form.asset.id.value = "K1"
    assert list(form.tags.rows) == ["K1.t", "K1.h"]
    form.tags.rows["K1.t"].role.value = "temperature"
    form.tags.rows["K1.t"].unit.value = "°F"
    form.tags.rows["K1.h"].role.value = "=ignore"
    assert shown(form, "temperature") == [("fridge/K1", "2026-03-01 00:00:00", "5.00")]
    assert form.table is not None
    assert form.table.unknown == ()


def test_a_missing_file_is_told_and_another_can_be_named(folder: Path) -> None:
    form = MappingForm(folder, "fridges", file=folder / "nowhere.csv")
    assert "does not exist" in form.message.value
    assert form.table is None
    form.file.value = str(folder.parent / "fridges.csv")
    assert form.message.value == ""
    assert len(shown(form, "temperature")) == 3


def test_without_a_file_the_form_still_edits(folder: Path) -> None:
    (folder.parent / "fridges.csv").unlink()
    form = MappingForm(folder, "fridges")
    assert "No sample file" in form.preview.value
    form.columns.rows["Temp"].unit.value = "degC"
    form.save()
    assert "unit: degC" in saved(folder)


def test_a_file_that_somebody_else_changed_is_not_overwritten_unasked(form: MappingForm, folder: Path) -> None:
    form.columns.rows["Temp"].unit.value = "degC"
    theirs = MAPPING + "# by hand\n"
    (folder / "mapping" / "fridges.yaml").write_text(theirs, encoding="utf-8")
    form.save_button.click()
    assert "changed by somebody else" in form.message.value
    assert saved(folder) == theirs
    form.save_button.click()
    assert saved(folder) == MAPPING.replace("unit: °F", "unit: degC")


def test_reload_forgets_the_edits(form: MappingForm) -> None:
    form.columns.rows["Temp"].unit.value = "degC"
    form.reload_button.click()
    assert form.yaml.value == MAPPING
    assert form.columns.rows["Temp"].unit.value == "°F"


def test_two_forms_do_not_share_state(folder: Path) -> None:
    one, other = MappingForm(folder, "fridges"), MappingForm(folder, "fridges")
    one.columns.rows["Temp"].unit.value = "degC"
    one.columns.rows["Hum"].role.value = "humidity"
    one.time.zone.value = "Asia/Tokyo"
    assert other.columns.rows["Temp"].unit.value == "°F"
    assert other.columns.rows["Hum"].role.value == ""
    assert other.yaml.value == MAPPING
    assert other.columns.rows["Hum"].unit.layout.visibility == "hidden"
    assert not other.unsaved


def test_a_fault_of_the_form_itself_is_shown(form: MappingForm) -> None:
    def fails(draft: object) -> object:
        return 1 / 0

    form.edit(fails)
    assert "ZeroDivisionError" in form.message.value
    assert form.yaml.value == MAPPING


def test_cells_of_the_file_cannot_inject_html(folder: Path) -> None:
    (folder.parent / "fridges.csv").write_text(
        ROWS.replace("fine", "<script>x</script>").replace("Hum", "<b>Hum"), encoding="utf-8"
    )
    form = MappingForm(folder, "fridges")
    rows = [text for row in form.columns.rows.values() for text in (row.title.value, row.samples.value)]
    everything = "".join([form.preview.value, *rows])
    assert "<script>" not in everything
    assert "<b>Hum" not in everything


def test_names_of_a_source_and_of_files_cannot_inject_html(folder: Path) -> None:
    name = "<img onerror=x>"
    path = folder / "mapping" / f"{name}.yaml"
    path.write_text(MAPPING.replace("source: fridges", f"source: {name}").replace("table: fridges", "table: ovens"))
    sample = folder.parent / "<img onerror=x>.csv"
    sample.write_text(ROWS)
    form = MappingForm(folder, name, file=sample)
    form.tables.value = "ovens"
    title = form.children[0].children[0]
    shown = [title.value, form.status.value, form.preview.value, form.message.value, form.errors.value]
    assert all("&lt;img" in text for text in shown[:3])
    assert not any("<img" in text for text in shown)


def test_a_mapping_for_another_source_cannot_be_saved_here(form: MappingForm) -> None:
    form.yaml.value = MAPPING.replace("source: fridges", "source: ovens")
    assert "which this form is for" in form.errors.value
    assert form.save_button.disabled


def test_a_source_or_twin_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="did you mean 'fridges'"):
        MappingForm(folder, "fridge")
    with pytest.raises(SourceError, match=r"there is no twin\.yaml"):
        MappingForm(tmp_path, "fridges")


def test_a_notebook_shows_the_form(form: MappingForm) -> None:
    assert "application/vnd.jupyter.widget-view+json" in form._repr_mimebundle_()


DISPATCH = """\
source: fridges
tables:
  - table: fridges
    events:
      - type: trip
        key: [Zeit, Fridge]
        planned_start:
          column: Zeit
          format: "%d.%m.%Y %H:%M"
          zone: UTC  # not stated in the file: set it, for example Europe/Berlin
        start:
          column: Zeit
          format: "%d.%m.%Y %H:%M"
          zone: UTC  # not stated in the file: set it, for example Europe/Berlin
"""


def test_the_zone_of_events_is_marked_and_set_for_all_their_times(form: MappingForm) -> None:
    form.yaml.value = DISPATCH
    assert "Not stated in the file" in form.time.zone_warning.value
    assert form.time.column.layout.display == "none"
    form.time.zone.value = "Europe/Berlin"
    assert form.yaml.value == DISPATCH.replace(
        "zone: UTC  # not stated in the file: set it, for example Europe/Berlin", "zone: Europe/Berlin"
    )
    assert form.table is not None
    assert "2026-03-27 23:00:00" in form.table.found[0].rows[0]
    form.time.nonexistent.value = "shift_forward"
    assert form.yaml.value.count("nonexistent: shift_forward") == 2


def test_a_unit_that_the_file_does_not_state_is_marked_until_one_is_set(form: MappingForm) -> None:
    form.yaml.value = MAPPING.replace(
        "        signal: door\n", "        signal: temperature\n        # unit not stated: 38 to 41 fits degF\n"
    )
    assert "unit not stated: 38 to 41 fits degF" in form.columns.rows["Door"].note.value
    form.columns.rows["Door"].unit.value = "degF"
    assert "not stated: 38" not in form.yaml.value + form.columns.rows["Door"].note.value


def test_a_drafted_twin_opens_in_the_form(tmp_path: Path) -> None:
    rows = "".join(
        f"2026-03-{day:02} {hour:02}:00;K{room};{room + hour / 10}\n"
        for day in range(1, 9)
        for hour in range(24)
        for room in (1, 2)
    )
    (tmp_path / "rooms.csv").write_text("time;room;temperature\n" + rows, encoding="utf-8")
    drafted = draft([tmp_path / "rooms.csv"], name="pilot")
    (tmp_path / "pilot" / "mapping").mkdir(parents=True)
    (tmp_path / "pilot" / "twin.yaml").write_text(drafted.model_yaml, encoding="utf-8")
    (tmp_path / "pilot" / "mapping" / "rooms.yaml").write_text(drafted.mappings["rooms"], encoding="utf-8")
    form = MappingForm(tmp_path / "pilot", "rooms")
    assert (form.errors.value, form.message.value) == ("", "")
    assert form.table is not None
    assert len(form.table.values) == 20
    assert "Not stated" in form.time.zone_warning.value
    form.questions.rows[-1].buttons["UTC"].click()
    assert form.time.zone_warning.value == ""
    form.save()
    assert "rooms.yaml: tables[0].time.zone: unknown → UTC" in form.message.value


def test_the_model_can_be_edited_beside_the_mapping(form: MappingForm, folder: Path) -> None:
    form.columns.rows["Hum"].role.value = "humidity"
    form.columns.rows["Hum"].unit.value = "kg"
    assert "give the signal a unit that fits" in form.columns.rows["Hum"].note.value
    form.model.text.value = MODEL.replace('unit: "%"', "unit: g")
    assert form.errors.value == ""
    assert shown(form, "humidity")[0][2] == "41000.0"
    form.model.text.value = MODEL.replace('unit: "%"', "unit: gg")
    assert "twin.yaml:6" in form.errors.value
    assert form.save_button.disabled
    form.model.text.value = MODEL.replace('unit: "%"', "unit: g")
    form.save_button.click()
    assert (folder / "twin.yaml").read_text(encoding="utf-8") == MODEL.replace('unit: "%"', "unit: g")
    assert "twin.yaml: asset_types.fridge.signals.humidity.unit: % → g" in form.message.value
    assert "fridges.yaml: tables[0].columns.Hum: added" in form.message.value


def test_a_model_that_another_mapping_needs_is_not_broken(form: MappingForm, folder: Path) -> None:
    other = MAPPING.replace("source: fridges", "source: ovens").replace(
        "        signal: door\n        states: {auf: open, zu: closed}", "        signal: humidity"
    )
    (folder / "mapping" / "ovens.yaml").write_text(other, encoding="utf-8")
    form.model.text.value = MODEL.replace("humidity", "wetness")
    form.save_button.click()
    assert "ovens.yaml" in form.message.value
    assert (folder / "twin.yaml").read_text(encoding="utf-8") == MODEL
    form.reload_button.click()
    assert form.model.text.value == MODEL
    assert not form.unsaved


# -- questions ---------------------------------------------------------------------------------------------------------
ASKING_MODEL = MODEL.replace("unit: degC", "unit: unknown")
ASKING = MAPPING.replace(
    "zone: UTC  # not stated in the file: check", "zone: unknown  # not stated in the file: set it"
)
ASKING = ASKING.replace("unit: °F", "unit: unknown") + (
    "questions:\n"
    '  - {at: "tables[0].time.format", ask: "Day first?", choices: ["%d.%m.%Y %H:%M", "%m.%d.%Y %H:%M"], drafted: "%d.%m.%Y %H:%M"}\n'
)


@pytest.fixture
def asking(folder: Path) -> MappingForm:
    (folder / "twin.yaml").write_text(ASKING_MODEL, encoding="utf-8")
    (folder / "mapping" / "fridges.yaml").write_text(ASKING, encoding="utf-8")
    return MappingForm(folder, "fridges")


def test_questions_are_answered_with_one_click_each(asking: MappingForm, folder: Path) -> None:
    assert "4 open questions" in asking.open_count.value
    assert [len(row.asked.places) for row in asking.questions.rows] == [2, 1, 1]
    assert "temperature [unit unknown]" in asking.preview.value
    assert "temperature: In which unit are these values?" in asking.questions.rows[0].children[0].value
    asking.questions.rows[0].buttons["degF"].click()
    assert asking.model.text.value == ASKING_MODEL.replace("unit: unknown", "unit: degF")
    assert shown(asking, "temperature")[0] == ("fridge/K1", "2026-03-28 00:00:00", "39.20")
    zone = asking.questions.rows[0].field
    assert zone is not None
    zone.value = "Europe/Berlin"
    assert shown(asking, "temperature")[0][1] == "2026-03-27 23:00:00"
    assert "1 open question" in asking.open_count.value
    keep = asking.questions.rows[0].keep
    assert keep is not None
    assert keep.description == "Keep DD.MM.YYYY hh:mm (day first)"
    keep.click()
    assert "No open questions" in asking.open_count.value
    assert "No open questions" in asking.questions._note.value
    expected = MAPPING.replace("zone: UTC  # not stated in the file: check", "zone: Europe/Berlin")
    assert asking.yaml.value == expected.replace("unit: °F", "unit: degF")
    assert saved(folder) == ASKING
    asking.save_button.click()
    assert saved(folder) == asking.yaml.value
    assert (folder / "twin.yaml").read_text(encoding="utf-8") == MODEL.replace("degC", "degF")


def test_an_answer_that_does_not_fit_is_told_and_changes_nothing(asking: MappingForm) -> None:
    field = asking.questions.rows[0].field
    assert field is not None
    field.value = "degX"
    assert "unknown unit 'degX'" in unescape(asking.message.value)
    assert (asking.model.text.value, asking.yaml.value) == (ASKING_MODEL, ASKING)
    zone = asking.questions.rows[1].field
    assert zone is not None
    zone.value = "Europe/Berln"
    assert "did you mean 'Europe/Berlin'" in unescape(asking.message.value)
    assert asking.yaml.value == ASKING
    zone.value = "Europe/Berlin"
    assert asking.message.value == ""
    assert "zone: Europe/Berlin\n" in asking.yaml.value


def test_questions_follow_the_text_and_are_hidden_while_it_has_errors(asking: MappingForm) -> None:
    asking.yaml.value = ASKING.replace("zone: unknown", "zone: UTC")
    assert "3 open questions" in asking.open_count.value
    asking.yaml.value = ASKING.replace("zone: unknown", "zone: Mars")
    assert asking.open_count.value.count("question") == 0
    assert asking.questions.rows == []
    asking.reload_button.click()
    assert len(asking.questions.rows) == 3


def test_a_zone_that_is_unknown_is_not_offered_for_confirmation(asking: MappingForm) -> None:
    assert asking.time.zone.value == ""
    assert asking.time.confirm.layout.display == "none"
    assert "tl-unset" in asking.time._dom_classes


def test_the_browser_s_zone_is_a_choice_once_the_browser_has_told_it(asking: MappingForm) -> None:
    tell = asking.questions._zone.field
    tell.value = "<b>Mars</b>"
    assert list(asking.questions.rows[1].buttons) == ["UTC"]
    tell.value = "Asia/Tokyo"
    assert list(asking.questions.rows[1].buttons) == ["UTC", "Asia/Tokyo"]
    asking.questions.rows[1].buttons["Asia/Tokyo"].click()
    assert "zone: Asia/Tokyo\n" in asking.yaml.value


def test_many_questions_are_shown_in_parts(folder: Path) -> None:
    signals = "".join(f"      s{number}: {{unit: unknown, resolution: 1}}\n" for number in range(40))
    (folder / "twin.yaml").write_text(MODEL.replace("    signals:\n", f"    signals:\n{signals}"), encoding="utf-8")
    form = MappingForm(folder, "fridges")
    assert "40 open questions" in form.open_count.value
    assert len(form.questions.rows) == 25
    assert "The first 25 of 40" in form.questions._note.value


def test_one_answer_is_for_all_tables_and_a_contradicted_zone_is_marked(folder: Path) -> None:
    asked = """\
source: fridges
files: [fridges.csv]
tables:
  - {table: fridges, time: {column: Zeit, format: "%d.%m.%Y %H:%M", zone: unknown}, asset: {type: fridge, column: Fridge}}
  - {table: others, time: {column: t, zone: unknown}, asset: {type: fridge, column: a}}
questions:
  - {at: "tables[0].time.zone", ask: "In which zone does this clock run?", times: ["2026-03-29T01:30"], drafted: unknown}
"""
    (folder / "mapping" / "fridges.yaml").write_text(asked, encoding="utf-8")
    form = MappingForm(folder, "fridges")
    form.questions._zone.field.value = "Europe/London"
    row = form.questions.rows[0]
    assert row.buttons["Europe/London"].description == "Europe/London (this browser): 2026-03-29 01:30 doesn't exist"
    assert row.wider in row.children[1].children
    row.buttons["Europe/London"].click()
    assert "The data contradict Europe/London: 2026-03-29 01:30 doesn't exist there" in unescape(form.message.value)
    form.reload()
    row = form.questions.rows[0]
    row.wider.value = True
    row.buttons["UTC"].click()
    assert form.draft.text.count("zone: UTC") == 2
    assert form.questions.rows == []
