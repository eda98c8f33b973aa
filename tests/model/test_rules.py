"""Rules of twin.yaml: what can be said, and what is refused with which words."""

import pytest

from twinlab.errors import TwinlabError, UnknownTermError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model import Rule, TwinModel, dump_model, parse_model
from twinlab.model.expressions.bound import All, Compare, Constant, Property, Signal

YAML = """
twin: cold
asset_types:
  room:
    position: [latitude, longitude]
    properties: {upper_limit: {dtype: number, unit: degC}, name: {}, latitude: {dtype: number}, longitude: {dtype: number}}
    signals:
      temperature: {unit: degC, resolution: 0.1}
      door: {kind: state, states: {0: closed, 1: open}}
  truck:
    position: [latitude, longitude]
    signals:
      latitude: {unit: degree, resolution: 0.0001}
      longitude: {unit: degree, resolution: 0.0001}
relationships:
  stands_in: {from: room, to: truck, locates: true}
event_types:
  leg: {asset: truck}
rules:
"""


def model(rules: str) -> TwinModel:
    return parse_model(YAML + rules)


def test_a_rule_is_read_from_yaml_and_written_again() -> None:
    read = model(
        "  warm: {on: room, when: temperature > upper_limit and door == open, lasting: 10min, severity: high}\n"
    )
    assert read.rules["warm"].lasting_ns == 600 * 10**9
    assert read.relationships["stands_in"].locates
    assert parse_model(dump_model(read)) == read


def test_a_condition_is_bound_to_signals_properties_and_states() -> None:
    read = model("  x: {on: room, when: temperature > upper_limit and door != closed}\n")
    assert read.rules["x"].condition(read) == All(
        (
            Compare(">", Signal("temperature", "degC"), Property("upper_limit", "degC")),
            Compare("!=", Signal("door", "1"), Constant(0.0, "1")),
        )
    )
    assert read.rules["x"].signals(read) == ["temperature", "door"]


def test_a_limit_in_another_unit_is_converted() -> None:
    read = model("  x: {on: room, when: temperature <= -4 degF}\n")
    assert read.rules["x"].condition(read).right.value == pytest.approx(-20.0)


def test_the_hash_of_a_model_with_rules_is_what_it_was() -> None:
    # As stored by twins before conditions had more to say than comparisons.
    text = "  warm: {on: room, when: temperature > upper_limit and door == open, lasting: 10min, severity: high}\n"
    assert content_hash(model(text)) == "c80de20e165eee328f58a199"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{on: room}", "exactly one of when, silent, late or flagged, got none"),
        ("{on: room, silent: 1h, when: temperature > 1}", "got when and silent"),
        ("{on: room, silent: 1h, lasting: 1h}", "`lasting` belongs to `when`"),
        ("{on: room, silent: 1h, at: start}", "`at` belongs to `late`"),
        ("{on: room, when: too warm}", "expected a comparison"),
        ("{on: room, when: 'temperature > 3 and'}", "column 20"),
        ("{on: room, when: temperature > 3 AND door == open}", "did you mean 'and'"),
        ("{on: room, when: upper_limit > 3}", "expected a signal"),
        ("{on: room, when: mean(temperature) > 3}", "over 15 min"),
        ("{on: room, when: temprature > 3}", "did you mean 'temperature'"),
        ("{on: room, when: temperature > 3 km}", "km"),
        ("{on: room, when: temperature > name}", "number property"),
        ("{on: room, when: door == ajar}", "closed, open"),
        ("{on: rom, silent: 1h}", "no asset type 'rom'; did you mean 'room'"),
        ("{on: truck, late: 1h}", "no event type 'truck'"),
        ("{on: room, silent: soon}", "expected a duration"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(rule: str, words: str) -> None:
    with pytest.raises(TwinlabError) as caught:
        model(f"  odd: {rule}\n")
    assert words in str(caught.value)
    assert "odd" in str(caught.value) or "rules" in str(caught.value)


def test_a_position_may_name_signals_but_nothing_unknown() -> None:
    with pytest.raises(UnknownTermError, match="no property and no signal 'lat'"):
        parse_model("twin: x\nasset_types: {a: {position: [lat, lon]}}\n")


def test_a_rule_alone_can_be_made_in_python() -> None:
    assert Rule(on="leg", late="30min").at == "end"


@pytest.mark.parametrize(
    "rule", ["{on: room, when: temperature > 3}", "{on: room, silent: 1h}", "{on: leg, late: 1h, at: start}"]
)
def test_a_model_is_read_again_from_json(rule: str) -> None:
    # As the twin's journal stores it, from which `as_of` reads it.
    read = model(f"  odd: {rule}\n")
    assert TwinModel.model_validate_json(read.model_dump_json(by_alias=True)) == read
