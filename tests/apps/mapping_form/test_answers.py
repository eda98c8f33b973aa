"""Answers to open questions: one value changes in the text, every other byte stays."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from twinlab.apps.mapping_form.answers import Asked, answered, asked_questions, contradiction, kept, locate, typed
from twinlab.harmonise import draft
from twinlab.model.load import parse_mapping, parse_model
from twinlab.model.questions import open_questions
from twinlab.model.yamltext import read_yaml

MODEL = """\
twin: plant
asset_types:
  tank:
    signals:
      temperature:
        unit: unknown  # unit not stated: values 3..9
        resolution: 0.1
      level: {unit: unknown, resolution: 0.1, title: "Pegel"}  # in the yard
      pump: {kind: state, states: {0: "0", 1: "1"}}  # 0 and 1
questions:  # answered when the value is changed, or the line removed
  - {at: asset_types.tank.signals.temperature.unit, ask: "Which unit?", evidence: values 3..9, choices: [degC, K], drafted: unknown}
  - {at: asset_types.tank.signals.pump.states.1, ask: "What do 0 and 1 mean?", choices: ["1", "on", "open"], drafted: "1"}
"""
MAPPING = """\
source: tanks
files: [tanks.csv]
tables:
  - table: tanks
    time:
      column: when
      format: ["%d/%m/%y %H:%M", "%d/%m/%y"]  # two shapes
      zone: unknown  # not stated in the file: set it
    asset: {type: tank, id: a}
    columns:
      "T. [1] °C": [{signal: temperature, missing: [bad]}]
      pump: {signal: pump}
    ignore: [day, note]  # not needed
    events:
      - {type: filling, key: [note], start: {column: filled, zone: unknown}}
questions:
  - {at: "tables[0].time.format", ask: "Which is first?", choices: ["%d/%m/%y %H:%M", "%m/%d/%y %H:%M"]}
  - {at: "tables[0].columns.T. [1] °C.missing", ask: "Do these mean missing?", evidence: "'bad' in 2 rows"}
  # about columns
  - {at: "tables[0].ignore", ask: "'day' looks like times: which format is it?"}
  - {at: "tables[0].ignore", ask: "'note' looks like times: which format is it?"}
"""


class Files:
    """The two texts, answered as the form answers them."""

    def __init__(self) -> None:
        self.texts = {"twin.yaml": MODEL + "event_types: {filling: {}}\n", "mapping/tanks.yaml": MAPPING}

    @property
    def asked(self) -> list[Asked]:
        model, mapping = parse_model(self.texts["twin.yaml"]), parse_mapping(self.texts["mapping/tanks.yaml"])
        made = asked_questions(self.texts, model, mapping)
        assert sum(len(one.places) for one in made) == len(open_questions(model, {"tanks": mapping}))
        return made

    def find(self, path: str, ask: str = "") -> Asked:
        return next(one for one in self.asked if path in [place for _, place in one.places] and ask in one.question.ask)

    def answer(self, path: str, value: object) -> list[tuple[str, str]]:
        """Answer, and return the lines that changed, before and after."""
        return self._replace(answered(self.texts, self.find(path), value))

    def keep(self, path: str, ask: str = "") -> list[tuple[str, str]]:
        return self._replace(kept(self.texts, self.find(path, ask)))

    def _replace(self, texts: dict[str, str]) -> list[tuple[str, str]]:
        before, after = ("".join(one.values()).splitlines() for one in (self.texts, texts))
        self.texts = texts
        if len(before) != len(after):
            return [(line, "") for line in before if line not in after] + [("", x) for x in after if x not in before]
        return [(old, new) for old, new in zip(before, after, strict=True) if old != new]


@pytest.fixture
def files() -> Files:
    return Files()


def test_a_unit_is_stated_without_the_comment_that_asks_for_it(files: Files) -> None:
    path = "asset_types.tank.signals.temperature.unit"
    one = files.find(path)
    assert [choice.value for choice in one.choices] == ["degC", "K", "1"]
    assert (one.field, one.keep, one.subject) == ("unit", "", "temperature")
    assert files.answer(path, "K") == [("        unit: unknown  # unit not stated: values 3..9", "        unit: K")]


def test_a_unit_without_choices_offers_those_of_the_quantity_and_leaves_other_comments(files: Files) -> None:
    one = files.find("asset_types.tank.signals.level.unit")
    assert [choice.value for choice in one.choices][:2] == ["m", "cm"]
    changed = files.answer("asset_types.tank.signals.level.unit", "cm")
    assert changed[0][1] == '      level: {unit: cm, resolution: 0.1, title: "Pegel"}  # in the yard'


def test_unknown_units_of_a_signal_and_its_column_are_answered_together(files: Files) -> None:
    mapping = MAPPING.replace("missing: [bad]", "unit: unknown, missing: [bad]")
    files.texts["mapping/tanks.yaml"] = mapping
    one = files.find("tables[0].columns.T. [1] °C.unit")
    assert one.question.path == "asset_types.tank.signals.temperature.unit"
    files.answer("tables[0].columns.T. [1] °C.unit", "degC")
    assert files.texts["mapping/tanks.yaml"] == mapping.replace("unit: unknown, m", "unit: degC, m")
    assert "unit: degC\n" in files.texts["twin.yaml"]


def test_the_unknown_zones_of_a_table_are_answered_together(files: Files) -> None:
    one = files.find("tables[0].time.zone")
    assert [path for _, path in one.places] == ["tables[0].time.zone", "tables[0].events[0].start.zone"]
    assert [choice.value for choice in one.choices] == ["UTC"]
    assert files.answer("tables[0].time.zone", "Europe/Berlin") == [
        ("      zone: unknown  # not stated in the file: set it", "      zone: Europe/Berlin"),
        (
            "      - {type: filling, key: [note], start: {column: filled, zone: unknown}}",
            "      - {type: filling, key: [note], start: {column: filled, zone: Europe/Berlin}}",
        ),
    ]


def test_an_order_of_day_and_month_replaces_the_formats_and_closes_the_question(files: Files) -> None:
    one = files.find("tables[0].time.format")
    assert [choice.label for choice in one.choices] == ["DD/MM/YY hh:mm (day first)", "MM/DD/YY hh:mm (month first)"]
    files.answer("tables[0].time.format", "%m/%d/%y %H:%M")
    assert "format: '%m/%d/%y %H:%M'  # two shapes" in files.texts["mapping/tanks.yaml"]
    assert "Which is first?" not in files.texts["mapping/tanks.yaml"]


def test_missing_codes_of_a_rule_in_a_list_are_typed(files: Files) -> None:
    path = "tables[0].columns.T. [1] °C.missing"
    one = files.find(path)
    assert (one.field, one.value, one.keep) == ("list", "bad", "Keep bad")
    changed = files.answer(path, typed(one, "bad, -99"))
    assert ("", '      "T. [1] °C": [{signal: temperature, missing: [bad, -99]}]') in changed
    assert path not in [one.question.path for one in files.asked]


def test_what_is_accepted_loses_its_entry_alone(files: Files) -> None:
    changed = files.keep("tables[0].ignore", "'note'")
    assert changed == [("""  - {at: "tables[0].ignore", ask: "'note' looks like times: which format is it?"}""", "")]
    assert [one.question.ask[:5] for one in files.asked if one.question.path.endswith("ignore")] == ["'day'"]


def test_the_last_entry_goes_with_its_section(files: Files) -> None:
    for path in ("tables[0].time.format", "tables[0].columns.T. [1] °C.missing", *("tables[0].ignore",) * 2):
        files.keep(path)
    assert files.texts["mapping/tanks.yaml"] == MAPPING.partition("questions:")[0]


def test_a_state_at_1_names_the_one_at_0_too(files: Files) -> None:
    path = "asset_types.tank.signals.pump.states.1"
    one = files.find(path)
    assert ([choice.value for choice in one.choices], one.keep) == (["on", "open", "gauge"], "Keep 1")
    ((before, after),) = files.answer(path, "open")
    assert (before, parse_model(files.texts["twin.yaml"]).asset_types["tank"].signals["pump"].states) == (
        '      pump: {kind: state, states: {0: "0", 1: "1"}}  # 0 and 1',
        {0: "closed", 1: "open"},
    )
    assert after.endswith("}}  # 0 and 1")


def test_a_state_of_0_and_1_can_be_a_number_instead(files: Files) -> None:
    path = "asset_types.tank.signals.pump.states.1"
    ((_, after),) = files.answer(path, "gauge")
    assert after == "      pump: {kind: gauge, unit: unknown, resolution: 1}  # 0 and 1"
    assert files.find("asset_types.tank.signals.pump.unit").subject == "pump"


def test_every_question_is_answered_by_its_first_choice_or_kept(files: Files) -> None:
    counts = [len(files.asked)]
    while files.asked and len(counts) < 20:
        one = files.asked[0]
        files.texts = answered(files.texts, one, one.choices[0].value) if one.choices else kept(files.texts, one)
        counts.append(len(files.asked))
    assert counts[-1] == 0
    assert all(before - after == 1 for before, after in pairwise(counts))


@pytest.mark.parametrize(
    ("at", "path"),
    [
        ("tables[1].time.zone", ("tables", 1, "time", "zone")),
        ("tables[0].columns.a.b.unit", ("tables", 0, "columns", "a.b", 0, "unit")),
        ("tables[0].columns.a.unit", ("tables", 0, "columns", "a", "unit")),
        ("tables[0].columns.x.unit", None),
        ("tables[2].time.zone", None),
        ("states.1", ("states", 1)),
    ],
)
def test_a_path_is_found_among_the_names_that_are_there(at: str, path: object) -> None:
    columns = {"a": {"signal": "t"}, "a.b": [{"signal": "t"}]}
    data = {"tables": [{"columns": columns}, {"time": {"zone": "unknown"}}], "states": {1: "on"}}
    assert locate(data, at) == path


def test_codes_that_are_no_gaps_leave_the_list(files: Files) -> None:
    path = "tables[0].columns.T. [1] °C.missing"
    mapping = MAPPING.replace("missing: [bad]", "missing: [-200, bad, -99]").replace(
        "'bad' in 2 rows", "-200 in 9 rows"
    )
    files.texts["mapping/tanks.yaml"] = mapping
    one = files.find(path)
    assert [choice.label for choice in one.choices] == ["Not missing: keep as values"]
    files.answer(path, one.choices[0].value)
    assert '"T. [1] °C": [{signal: temperature, missing: [bad, -99]}]' in files.texts["mapping/tanks.yaml"]
    assert path not in [one.question.path for one in files.asked]


def test_texts_that_are_no_gaps_are_reported_and_the_empty_list_goes(files: Files) -> None:
    path = "tables[0].columns.T. [1] °C.missing"
    one = files.find(path)
    assert [choice.label for choice in one.choices] == ["Not missing: report these rows"]
    files.answer(path, one.choices[0].value)
    assert '"T. [1] °C": [{signal: temperature}]' in files.texts["mapping/tanks.yaml"]


ZONES = """\
source: tanks
tables:
  - table: a
    events:
      - type: filling
        key: [n]
        start: {column: s, zone: "-05:00"}
        end: {column: e, zone: "-05:00"}
  - table: b
    events:
      - type: filling
        key: [n]
        start: {column: s, zone: "-05:00"}
        end: {column: e, zone: unknown}
  - table: c
    events: [{type: filling, key: [n], start: {column: s, zone: unknown}, end: {column: e, zone: unknown}}]
questions:
  - {at: "tables[0].events[0].start.zone", ask: "All year?", evidence: one, choices: ["-05:00", America/New_York], drafted: "-05:00"}
  - {at: "tables[0].events[0].end.zone", ask: "All year?", evidence: two, choices: ["-05:00", America/New_York], drafted: "-05:00"}
  - {at: "tables[1].events[0].start.zone", ask: "All year?", choices: ["-05:00", America/New_York], drafted: "-05:00"}
  - {at: "tables[2].events[0].end.zone", ask: "In which zone does this clock run?", evidence: three, choices: [Asia/Tokyo], times: ["2026-03-29T01:30"], drafted: unknown}
"""


def test_all_times_of_a_table_are_one_question_with_all_the_evidence(files: Files) -> None:
    files.texts["mapping/tanks.yaml"] = ZONES
    one = files.find("tables[0].events[0].start.zone")
    assert [place for _, place in one.places] == ["tables[0].events[0].start.zone", "tables[0].events[0].end.zone"]
    assert one.question.evidence == "one; two"
    files.answer("tables[0].events[0].start.zone", "America/New_York")
    assert files.texts["mapping/tanks.yaml"].count("zone: America/New_York") == 2
    other = files.find("tables[2].events[0].start.zone")
    assert (other.question.evidence, [choice.value for choice in other.choices]) == ("three", ["Asia/Tokyo", "UTC"])


def test_what_is_kept_for_a_table_closes_the_questions_of_all_its_times(files: Files) -> None:
    files.texts["mapping/tanks.yaml"] = ZONES
    files.keep("tables[0].events[0].start.zone")
    assert [one.question.path for one in files.asked if one.question.file != "twin.yaml"][0].startswith("tables[1]")


def test_an_answer_can_be_for_all_tables_of_the_source(files: Files) -> None:
    files.texts["mapping/tanks.yaml"] = ZONES
    one = files.find("tables[2].events[0].start.zone")
    assert [place for _, place in one.wider] == ["tables[1].events[0].end.zone"]
    files.texts = answered(files.texts, replace(one, places=(*one.places, *one.wider)), "Asia/Tokyo")
    assert files.texts["mapping/tanks.yaml"].count("zone: Asia/Tokyo") == 3
    assert not any("which zone" in one.question.ask for one in files.asked)


@pytest.mark.parametrize(
    ("zone", "absent"),
    [
        ("Europe/London", "2026-03-29 01:30"),
        ("Europe/Berlin", ""),
        ("UTC", ""),
        ("-05:00", ""),
        ("offset", ""),
        ("nowhere", ""),
    ],
)
def test_a_zone_in_which_a_time_of_the_data_does_not_exist_is_contradicted(
    files: Files, zone: str, absent: str
) -> None:
    files.texts["mapping/tanks.yaml"] = ZONES
    assert contradiction(files.find("tables[2].events[0].end.zone"), zone) == absent


def test_formats_that_are_tried_in_order_are_written_as_a_list(files: Files) -> None:
    files.answer("tables[0].time.format", "%m/%d/%y %H:%M | %m/%d/%y")
    assert "format: ['%m/%d/%y %H:%M', '%m/%d/%y']  # two shapes" in files.texts["mapping/tanks.yaml"]


def test_a_date_that_is_no_end_of_a_lifetime_leaves_it_and_the_last_one_takes_it_along(tmp_path: Path) -> None:
    rows = "".join(f"M-{n},2021-05-{n:02},2022-01-{n:02}\n" for n in range(1, 9))
    (tmp_path / "meters.csv").write_text("meter,installed,removed\n" + rows, encoding="utf-8")
    made = draft([tmp_path], name="pilot")
    ((source, mapping),) = made.mappings.items()
    texts = {"twin.yaml": made.model_yaml, f"mapping/{source}.yaml": mapping}
    for left in ({"until": "removed"}, None):
        asked = asked_questions(texts, parse_model(texts["twin.yaml"]), parse_mapping(mapping))
        one = next(one for one in asked if ".lifetime." in one.question.path)
        assert [choice.label for choice in one.choices] == ["No: leave it out"]
        texts = answered(texts, one, one.choices[0].value)
        (kind,) = read_yaml(texts["twin.yaml"], name="x").data["asset_types"].values()
        assert kind.get("lifetime") == left
    assert list(kind["properties"]) == ["installed", "removed"]
