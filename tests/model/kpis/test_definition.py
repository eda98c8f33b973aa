"""KPIs in ``twin.yaml``: faults with their place, what a kind adds, and that adding one rebuilds nothing."""

from __future__ import annotations

import re

import pytest

from twinlab.errors import SchemaError, UnitError, UnknownTermError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model import Kpi, check_mapping, dump_model, json_schema, parse_mapping, parse_model
from twinlab.model.kpis import bind_formula

MODEL = """
twin: x
asset_types:
  room:
    properties: {limit: {dtype: number, unit: degF}}
    signals:
      warmth: {unit: degC, resolution: 0.1}
      speed: {unit: km/h, resolution: 0.1}
      power: {unit: kW, resolution: 0.1}
      meter: {kind: counter, unit: kWh, resolution: 0.1}
      door: {kind: state, states: {0: shut, 1: open}}
event_types:
  trip: {asset: room, properties: {load: {dtype: number, unit: kg}, cause: {}}}
kpis:
"""

FAULTS = {
    "{on: room, formula: time_share(warmht > 3 degC)}": (UnknownTermError, r"15: kpis\.k\.formula: .* did you mean 'warmth'\?"),
    "{on: rom, formula: time_mean(warmth)}": (UnknownTermError, r"kpis\.k\.on: there is no asset type or event type 'rom'; did"),
    "{on: room, formula: time_mean(warmth), unit: km}": (UnknownTermError, r"kpis\.k\.unit: can't convert 'degC' to 'km'"),
    "{on: room, formula: time_mean(warmth), target: < 3 km}": (UnknownTermError, r"kpis\.k\.target: can't convert 'km'"),
    "{on: room, formula: time_mean(warmth), target: 3 degC}": (SchemaError, r"15: kpis\.k\.target: expected a target such as '>= 99 %'"),
    "{on: room, formula: time_mean(warmth), at: end}": (UnknownTermError, r"kpis\.k\.at: `at` is of events"),
    "{on: room, formula: time_mean(warmth), groups: [foo]}": (UnknownTermError, r"kpis\.k\.groups: there is no relationship or link 'foo'"),
    "{on: room, formula: mean(warmth)}": (UnknownTermError, r"mean is of events, and 'room' is an asset type; did you mean 'time_mean'"),
    "{on: trip, formula: time_share(load > 3 kg)}": (UnknownTermError, r"time_share is of the time of assets, and 'trip' is an event type"),
    "{on: room, formula: 3 + 4}": (UnknownTermError, r"expected a function such as 'time_share"),
    "{on: room, formula: warmth}": (UnknownTermError, r"expected a number or a function such as .*, got warmth"),
    "{on: room, formula: time_mean(door)}": (UnknownTermError, r"door is a state; write such as 'time_share\(door == …\)'"),
    "{on: room, formula: time_mean(warmth > 3 degC)}": (UnknownTermError, r"got a condition; time_share takes conditions"),
    "{on: room, formula: total(warmth)}": (UnknownTermError, r"expected a counter or a rate in total"),
    "{on: room, formula: kinetic_mean(speed)}": (UnknownTermError, r"expected a temperature in kinetic_mean"),
    "{on: room, formula: time_mean(warmth) over 2h}": (UnknownTermError, r"time_mean is of a KPI's whole window; remove 'over …'"),
    "{on: room, formula: 'time_mean(warmth, speed)'}": (UnknownTermError, r"expected 1 argument of time_mean, got 2"),
    "{on: room, formula: tiem_mean(warmth)}": (UnknownTermError, r"no function 'tiem_mean' of formulas; did you mean 'time_mean'"),
    "{on: trip, formula: 'quantile(load, 2)'}": (UnknownTermError, r"expected a number from 0 to 1"),
    "{on: trip, formula: count(load)}": (UnknownTermError, r"there is no event type 'load'; known: trip"),
    "{on: trip, formula: mean(cause)}": (UnknownTermError, r"expected a number, got cause, which is a text"),
    "{on: trip, formula: mean(start)}": (UnknownTermError, r"expected a number, got start, which is a time"),
    "{on: room, uptime: {signal: door}}": (SchemaError, r"15: kpis\.k\.uptime: a KPI of the kind 'uptime' needs the option 'states'"),
    "{on: room, uptime: {signal: dor, states: [open]}}": (UnknownTermError, r"kpis\.k\.uptime: expected a state signal of 'room', got 'dor'"),
    "{on: room, uptime: {signal: door, states: [opne]}}": (UnknownTermError, r"expected a state of 'door', got 'opne'; did you mean 'open'"),
    "{on: trip, uptime: {signal: door, states: [open]}}": (UnknownTermError, r"kpis\.k\.on: there is no asset type 'trip'"),
    "{on: room, uptme: {signal: door}}": (SchemaError, r"unknown key 'uptme'; did you mean 'uptime'"),
    "{on: room}": (SchemaError, r"a KPI needs `formula` or one of cold_chain, .*, got none"),
    "{on: room, formula: time_mean(warmth), cold_chain: {}}": (SchemaError, r"got formula and cold_chain"),
}  # fmt: skip


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_names_the_line_the_key_and_what_to_do(text):
    kind, message = FAULTS[text]
    with pytest.raises(kind, match=message):
        parse_model(f"{MODEL}  k: {text}\n")


def test_a_fault_in_a_formula_shows_its_column():
    with pytest.raises(UnknownTermError) as error:
        parse_model(f"{MODEL}  k: {{on: room, formula: time_mean(warmht) + 1 degC}}\n")
    assert str(error.value).splitlines()[1:] == ["  time_mean(warmht) + 1 degC", "            ^"]


@pytest.mark.parametrize(
    ("on", "formula", "unit"),
    [
        ("room", "time_share(door == open)", "1"),
        ("room", "time_total(door == open)", "h"),
        ("room", "time_mean(warmth)", "degC"),
        ("room", "time_max(warmth) - time_min(warmth)", "delta_degC"),
        ("room", "total(speed)", "km"),
        ("room", "total(meter) / count(trip)", "kWh"),
        ("room", "kinetic_mean(warmth)", "K"),
        ("trip", "sum(load) / sum(duration)", "kg/s"),
        ("trip", "median(end_delay where cause == 'rain')", "s"),
        ("trip", "-share(end_delay > 0 s) + 1", "1"),
    ],
)
def test_the_unit_of_a_formula_is_derived(on, formula, unit):
    assert bind_formula(formula, parse_model(MODEL.replace("kpis:", "")), on).unit == unit


def test_a_target_is_converted_to_the_unit_of_the_value():
    kpi = Kpi(on="room", formula="time_mean(warmth)", unit="degC", target="<= 50 degF")
    assert kpi.aim().value == 10
    share = Kpi(on="room", formula="time_share(door == open)", unit="%", target="> 0.5")
    assert (share.aim().operator, share.aim().value) == (">", 0.5)
    with pytest.raises(UnitError):
        Kpi(on="room", formula="time_mean(warmth)", unit="degC", target="< 3 km").aim()


def test_a_kind_gives_title_unit_and_definition_unless_the_kpi_has_its_own():
    model = parse_model(
        f"{MODEL}  a: {{on: room, cold_chain: {{signal: warmth, limit: limit}}}}\n"
        "  b: {on: room, title: Warm, unit: '1', cold_chain: {signal: warmth, limit: 8 degC}}\n"
    )
    first, second = (model.kpis[name].complete(name) for name in "ab")
    assert (first.title, first.unit) == ("Cold-chain compliance", "%")
    assert (second.title, second.unit, second.definition) == ("Warm", "1", first.definition)
    assert model.kpis["b"].bound(model).text == "time_share(warmth <= 8 degC)"


def test_a_kpi_is_written_back_as_it_was_and_rebuilds_nothing():
    text = (
        f"{MODEL}  a: {{on: room, owner: Quality, formula: time_share(warmth <= limit), unit: '%', target: '>= 99 %'}}\n"
        "  b: {on: room, uptime: {signal: door, states: [open]}}\n"
    )
    model = parse_model(text)
    assert parse_model(dump_model(model)) == model
    assert content_hash(model) == content_hash(parse_model(MODEL.replace("kpis:", "")))


def test_the_schema_for_editors_knows_the_kinds_and_their_options():
    properties = json_schema("model")["$defs"]["Kpi"]["properties"]
    assert {"formula", "owner", "target", "uptime", "cold_chain"} <= properties.keys()
    assert "states" in properties["uptime"]["properties"]


STANDARDS = {
    ("ISO 22400-2 availability", None): r"write `standard: ISO 22400-2 availability` here if this source computes it so",
    ("ISO 22400-2 availability", "time switched on"): r"by 'ISO 22400-2 availability', and this source computes it by 'time switched on'",
    (None, "time switched on"): r"states no standard, and this source computes it by 'time switched on'; write it there, too",
}  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), STANDARDS)
def test_a_source_that_computes_a_value_by_another_definition_is_refused_and_both_are_named(ours, theirs):
    of_model, of_mapping = (f", standard: {one}" if one else "" for one in (ours, theirs))
    model = parse_model(
        "{twin: x, asset_types: {m: {signals: {uptime: {unit: '%', resolution: 0.1" + of_model + "}}}}, "
        "event_types: {shift: {asset: m, properties: {oee: {dtype: number, unit: '%'" + of_model + "}}}}}"
    )
    mapping = parse_mapping(
        "source: acme\n"
        "tables:\n"
        "  - time: {column: at, zone: UTC}\n"
        "    asset: {type: m, column: machine}\n"
        "    columns: {up: {signal: uptime" + of_mapping + "}}\n"
        "    events:\n"
        "      - {type: shift, key: [id], start: {column: at, zone: UTC}, properties: {oee: {column: oee"
        + of_mapping
        + "}}}\n"
    )
    with pytest.raises(SchemaError) as error:
        check_mapping(mapping, model)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert re.search(STANDARDS[ours, theirs], lines[0])
    assert lines[0].startswith("mapping.yaml:5: tables[0].columns.up")
    assert lines[1].startswith("mapping.yaml:7: tables[0].events[0].properties.oee")


def test_a_source_that_computes_a_value_by_the_same_definition_is_taken():
    stated = "standard: ISO 22400-2 availability"
    model = parse_model(
        f"{{twin: x, asset_types: {{m: {{signals: {{uptime: {{unit: '%', resolution: 0.1, {stated}}}}}}}}}}}"
    )
    mapping = parse_mapping(
        f"{{source: a, tables: [{{time: {{column: t, zone: UTC}}, asset: {{type: m, column: m}}, "
        f"columns: {{up: {{signal: uptime, {stated}}}}}}}]}}"
    )
    check_mapping(mapping, model)


def test_a_relation_in_time_is_refused_with_the_way_to_find_it():
    text = """{twin: x, asset_types: {room: {}, hall: {signals: {warmth: {unit: degC, resolution: 0.1}}}},
      relationships: {part_of: {from: room, to: hall}}}"""
    with pytest.raises(SchemaError) as caught:
        bind_formula("time_share(in hall where warmth > 3 degC)", parse_model(text), "room")
    assert "twin.find('in hall where warmth > 3 degC', on='room')" in str(caught.value)
    assert "tl.events.timeline(found, every='1d')" in str(caught.value)
