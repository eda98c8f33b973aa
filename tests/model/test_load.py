"""Model and mapping files: every fault is named with its line, its path and the nearest known word."""

import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.model.load import (
    check_mapping,
    dump_mapping,
    dump_model,
    json_schema,
    load_mapping,
    load_model,
    parse_mapping,
    parse_model,
    write_schemas,
)
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel
from twinlab.model.yamltext import read_yaml, write_line, write_yaml

NYC = Path(__file__).parents[2] / "twinlab" / "demos" / "nyc"

MODEL = """\
twin: cold_chain
asset_types:
  cold_room:
    properties:
      zone: {dtype: text}
      volume: {dtype: number, unit: m3}
      floor: {dtype: integer}
    signals:
      temperature: {unit: °C, resolution: 0.1}
      door: {kind: state, states: {0: closed, 1: open}}
      energy: {kind: counter, unit: kWh, resolution: 0.01}
  truck: {}
relationships:
  stands_in: {from: cold_room, to: cold_room}
event_types:
  trip:
    asset: truck
    links: {target: cold_room}
    properties:
      distance: {dtype: number, unit: km}
"""
TABLE = """\
source: fridges
tables:
  - table: log
    time: {column: when, zone: Europe/Berlin}
    asset: {type: cold_room, column: room}
    columns:
"""


def model() -> TwinModel:
    return parse_model(MODEL)


def fault(text: str) -> str:
    with pytest.raises(TwinlabError) as caught:
        parse_model(text, "twin.yaml")
    return str(caught.value)


def mapping_fault(text: str) -> TwinlabError:
    mapping = parse_mapping(text, "fridges.yaml")
    with pytest.raises(TwinlabError) as caught:
        check_mapping(mapping, model(), "fridges.yaml")
    return caught.value


def faults(parse: Callable[[str, str], object], text: str, name: str) -> list[str]:
    try:
        parse(text, name)
    except TwinlabError as error:
        return str(error).splitlines()
    return []


def test_a_unit_fault_names_file_line_path_and_nearest_unit() -> None:
    text = MODEL.replace("°C", "celcius")
    with pytest.raises(UnitError) as caught:
        parse_model(text, "twin.yaml")
    assert str(caught.value) == (
        "twin.yaml:9: asset_types.cold_room.signals.temperature.unit: unknown unit 'celcius': expected a unit such as "
        "'degC', 'km/h' or '1' for a bare number; did you mean 'degC'?"
    )


def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    assert fault(MODEL.replace("resolution: 0.1", "resolutoin: 0.1")).splitlines()[0] == (
        "twin.yaml:9: asset_types.cold_room.signals.temperature.resolutoin: unknown key 'resolutoin'; did you mean 'resolution'?"
    )


def test_all_faults_of_a_file_come_in_one_message_a_line_each_in_the_files_order() -> None:
    text = (
        MODEL.replace("°C", "celcius").replace("kind: counter", "kind: countr").replace("dtype: integer", "dtype: int")
    )
    lines = fault(text).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["twin.yaml:7", "twin.yaml:9", "twin.yaml:11"]
    assert "expected one of gauge, state, counter, got 'countr'; did you mean 'counter'?" in lines[2]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", SchemaError, "twin.yaml:1: expected keys with values, beginning with `twin:`, got nothing"),
        ("# only a remark\n", SchemaError, "got nothing"),
        ("- twin", SchemaError, "got a list"),
        ("twin", SchemaError, "got a str"),
        ("twin: a\n\tb: 1", SchemaError, "twin.yaml:2: .*indent with spaces"),
        ("twin: a\ntwin: b", SchemaError, "twin.yaml:2: twin: the key 'twin' is there twice, first on line 1"),
        ("twin: a\n---\ntwin: b", SchemaError, "expected a single document"),
        ("twin: [a", SchemaError, "expected YAML"),
        ("twin: a: b", SchemaError, "in quotes"),
        ("twin: %", SchemaError, "in quotes"),
        ("twin: !!python/object/apply:os.system [ls]", SchemaError, "the tag .* isn't allowed"),
        ("twin: !!binary aGk=", SchemaError, "the tag .* isn't allowed"),
        ("twin: !!int twelve", SchemaError, "expected int, got 'twelve'"),
        ("twin: a\n? [x]\n: 1", SchemaError, "expected a plain key"),
        ("twin: a\n~: 1", SchemaError, "expected a key before the colon"),
        ("twin: a\nx: &x [*x]", SchemaError, "an alias to a part that contains itself"),
        ("[" * 10_000, SchemaError, "reasonable depth|expected YAML"),
        ("twin: Cold Chain", SchemaError, "expected a name of lower-case letters"),
        ("twin: a\norigin: yesterday", SchemaError, "expected an instant in UTC such as 2013-01-01"),
        (
            "twin: a\nrelationships: {r: {from: x, to: y}}",
            UnknownTermError,
            "twin.yaml:2: relationships.r.from: there is no asset type 'x'",
        ),
        (
            "twin: a\nevent_types: {e: {asset: x}}",
            UnknownTermError,
            "twin.yaml:2: event_types.e.asset: there is no asset type 'x'",
        ),
        (
            "twin: a\nasset_types:\n  r: {label: nmae, properties: {name: {}}}",
            UnknownTermError,
            "twin.yaml:3: .*did you mean 'name'",
        ),
        ("twin: a\nasset_types: {r: {signals: {t: {}}}}", SchemaError, "a gauge needs `resolution:`"),
        ("twin: a\nasset_types: {r: {signals: {t: {kind: state}}}}", SchemaError, "a state signal needs `states:`"),
        (
            "twin: a\nasset_types: {r: {signals: {t: {resolution: 1, cadence: 1 hour}}}}",
            SchemaError,
            "expected a duration such as",
        ),
        (
            "twin: a\nasset_types: {r: {signals: {t: {resolution: 1, sensor_span: [2, 1]}}}}",
            SchemaError,
            "low < high",
        ),
        ("twin: a\nasset_types: {r: {signals: {t: {resolution: -1}}}}", SchemaError, "expected greater than 0, got -1"),
        ("twin: a\nasset_types: {r: {signals: {t: {resolution: .nan}}}}", SchemaError, "resolution"),
        (
            "twin: a\nasset_types: {r: 3}",
            SchemaError,
            "twin.yaml:2: asset_types.r: expected a mapping of keys to values.*got 3",
        ),
        ("twin: a\x07", SchemaError, "expected YAML"),
    ],
)
def test_a_hostile_model_is_refused_with_a_reason(text: str, kind: type[TwinlabError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        parse_model(text, "twin.yaml")
    assert str(caught.value).startswith("twin.yaml")
    assert type(caught.value) is kind


def test_a_document_that_grows_without_end_is_refused() -> None:
    levels = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert "values once aliases are followed" in fault(f"twin: a\nx0: &x0 [a]\n{levels}")


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    found = read_yaml(
        "{no: on, a: 12:30, b: 007, c: 1_000, d: 2013-01-01, e: 1e3, f: 1.5, g: 0, h: ~, i: true, j: 'true'}", name="x"
    )
    assert found.data == {
        "no": "on",
        "a": "12:30",
        "b": "007",
        "c": "1_000",
        "d": "2013-01-01",
        "e": 1000.0,
        "f": 1.5,
        "g": 0,
        "h": None,
        "i": True,
        "j": "true",
    }


def test_states_may_be_called_on_and_off() -> None:
    door = (
        parse_model("twin: a\nasset_types: {r: {signals: {d: {kind: state, states: {0: off, 1: on}}}}}")
        .asset_types["r"]
        .signals["d"]
    )
    assert door.states == {0: "off", 1: "on"}


def test_merge_keys_and_aliases_are_followed() -> None:
    text = "twin: a\nasset_types:\n  r:\n    signals:\n      t: &t {unit: F, resolution: 0.1}\n      u: {<<: *t, unit: K}\n"
    signals = parse_model(text).asset_types["r"].signals
    assert (signals["t"].unit, signals["u"].unit, signals["u"].resolution) == ("degF", "K", 0.1)


def test_a_file_that_is_not_utf8_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twin.yaml"
    with pytest.raises(SchemaError, match="No such file"):
        load_model(path)
    path.write_bytes("twin: a\ntitle: Kühlhaus".encode("cp1252"))
    with pytest.raises(SchemaError, match="expected UTF-8 text, got other bytes at position 16"):
        load_model(path)
    path.write_text("twin: a\ntitle: Kühlhaus", encoding="utf-8-sig")
    assert load_model(path).title == "Kühlhaus"


def test_a_mapping_that_fits_is_accepted() -> None:
    text = (
        TABLE
        + "      temp: {signal: temperature, unit: F}\n      door: {signal: door, states: {o: open, c: closed}}\n      e: {signal: energy, unit: MJ}\n"
    )
    check_mapping(parse_mapping(text), model())


@pytest.mark.parametrize(
    ("row", "kind", "message"),
    [
        (
            "t: {signal: temprature}",
            UnknownTermError,
            r"fridges.yaml:7: tables\[0\].columns.t.signal: .*did you mean 'temperature'",
        ),
        ("t: {signal: temperature, unit: kPa}", UnitError, "can't convert 'kPa' to 'degC'"),
        ("t: {signal: temperature, unit: delta_K}", UnitError, "'degC' is a temperature and 'delta_K' a difference"),
        ("t: {signal: door, unit: V}", UnitError, "the state 'door' has no unit"),
        ("t: {signal: door, states: {o: opne}}", UnknownTermError, r"columns.t.states.o: .*did you mean 'open'"),
        ("t: {signal: temperature, states: {o: open}}", SchemaError, "is a gauge, not a state"),
        ("t: {signal: temperature, asset: coldroom/1}", UnknownTermError, "did you mean 'cold_room'"),
        ("t: {signal: temperature, asset: cold_room}", SchemaError, "expected 'type/id'"),
        ("t: {signal: temperature, asset: 'cold_room/{room}'}", UnknownTermError, "has no group 'room'"),
        (
            r"'/^(?P<rom>\d)$/': {signal: temperature, asset: 'cold_room/{room}'}",
            UnknownTermError,
            "did you mean 'rom'",
        ),
        ("t: {signal: temperature, valid_from: soon}", SchemaError, "expected an instant in UTC"),
        (
            "t: {signal: temperature, valid_from: 2014-01-01, valid_until: 2013-01-01}",
            SchemaError,
            "expected an instant after valid_from",
        ),
        ("t: [{signal: temperature}, {signal: temp}]", UnknownTermError, r"columns.t\[1\].signal"),
    ],
)
def test_a_mapping_that_does_not_fit_its_model_is_refused(row: str, kind: type[TwinlabError], message: str) -> None:
    error = mapping_fault(f"{TABLE}      {row}\n")
    assert type(error) is kind
    assert re.search(message, str(error)), str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tables: [{time: {column: t, zone: Europe/Berln}}]",
            "no IANA time zone 'Europe/Berln'; did you mean 'Europe/Berlin'",
        ),
        (
            "tables: [{time: {column: t, zone_of: {column: a, asset_type: room, property: zone}}}]",
            "no asset type 'room'",
        ),
        (
            "tables: [{time: {column: t, zone_of: {column: a, asset_type: cold_room, property: zne}}}]",
            "did you mean 'zone'",
        ),
        (
            "tables: [{time: {column: t, zone_of: {column: a, asset_type: cold_room, property: zone, also: {X: Mars}}}}]",
            "no IANA time zone 'Mars'",
        ),
        ("tables: [{asset: {type: room, column: a}}]", "no asset type 'room'"),
        ("tables: [{asset: {type: cold_room, column: a, pattern: '('}}]", "expected a regular expression"),
        ("tables: [{assets: [{type: room, id: a}]}]", "no asset type 'room'"),
        ("tables: [{assets: [{type: cold_room, id: a, properties: {volum: v}}]}]", "did you mean 'volume'"),
        (
            "tables: [{assets: [{type: cold_room, id: a, properties: {volume: {column: v, unit: kg}}}]}]",
            "can't convert 'kg' to 'm³'",
        ),
        (
            "tables: [{assets: [{type: cold_room, id: a, properties: {floor: {column: v, unit: kg}}}]}]",
            "has no unit in the model",
        ),
        ("tables: [{relationships: [{type: stand_in, from: a, to: b}]}]", "did you mean 'stands_in'"),
        ("tables: [{events: [{type: tripp, key: [a], start: {column: a, zone: UTC}}]}]", "did you mean 'trip'"),
        (
            "tables: [{events: [{type: trip, key: [a], asset: {type: cold_room, column: a}, start: {column: a, zone: UTC}}]}]",
            "is about truck, got 'cold_room'",
        ),
        (
            "tables: [{events: [{type: trip, key: [a], start: {column: a, zone: UTC}, links: {targt: a}}]}]",
            "did you mean 'target'",
        ),
        (
            "tables: [{events: [{type: trip, key: [a], start: {column: a, zone: UTC}, properties: {distance: {column: a, unit: h}}}]}]",
            "can't convert 'h' to 'km'",
        ),
        (
            "tables: [{events: [{type: trip, key: [a], start: {clock: a, near: planned_start, zone: UTC}, end: {column: a, zone: UTC}}]}]",
            "another time of this event that has a rule",
        ),
        ("stream: {zone: Nowhere, tags: {t: {signal: temperature}}}", "no IANA time zone 'Nowhere'"),
        ("stream: {tags: {t: {signal: temperature}}}", "expected `asset: type/id` here"),
    ],
)
def test_every_name_in_a_mapping_must_exist_in_the_model(text: str, message: str) -> None:
    assert message in str(mapping_fault(f"source: fridges\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: []", "fridges.yaml:1: expected the key 'source', which is missing"),
        ("source: Fridges", "source"),
        ("source: a\ntables: [{tme: {}}]", r"tables[0].tme: unknown key 'tme'; did you mean 'time'"),
        ("source: a\ntables: [{columns: {t: {signal: t}}}]", "a table of signals needs time"),
        ("source: a\ntables: [{time: {column: t}}]", "expected exactly one of zone"),
        ("source: a\ntables: [{time: {zone: UTC}}]", "expected exactly one of column, parts, clock or elapsed"),
        (
            "source: a\ntables: [{time: {column: t, zone: UTC}, columns: {'/(/': {signal: t}}}]",
            "is no regular expression",
        ),
        (
            "source: a\ntables: [{time: {column: t, zone: UTC}, columns: {t: {signl: t}}}]",
            "columns.t.signl: unknown key 'signl'",
        ),
        ("source: a\ntables: [{tags: {t: {signal: t}}}]", "a long table needs tag and value"),
        (
            "source: a\ntables: [{time: {column: t, zone: UTC}, tag: g, value: v, columns: {a: {signal: a}}}]",
            "'columns' is not used",
        ),
        (
            "source: a\ntables: [{time: {column: t, zone: UTC}, value: v, columns: {a: {signal: a}}}]",
            "'value' is not used",
        ),
        ("source: a\ntables: [{unit_column: u}]", "'unit_column' is not used: the table has no signals"),
        ("source: a\ntables: [{asset: {type: a, id: b}, assets: [{type: a, id: c}]}]", "'asset' is not used"),
        ("source: a\ntables: [{asset: {type: a, id: b, pattern: c}}]", "'pattern' is not used"),
        (
            "source: a\ntables: [{events: [{type: t, key: [a]}]}]",
            "an event needs a time: start, end, planned_start or planned_end",
        ),
        ("source: a\ntables: [{events: [{type: t, key: [], start: {column: a, zone: UTC}}]}]", "key"),
    ],
)
def test_a_hostile_mapping_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_mapping(text, "fridges.yaml")
    assert message in str(caught.value)


def test_the_nyc_twin_and_its_mappings_fit_and_survive_a_round_trip() -> None:
    nyc = load_model(NYC / "twin.yaml")
    assert parse_model(dump_model(nyc)) == nyc
    for path in sorted((NYC / "mapping").glob("*.yaml")):
        mapping = load_mapping(path)
        check_mapping(mapping, nyc, path.name)
        assert parse_mapping(dump_mapping(mapping)) == mapping


def test_a_model_with_states_survives_a_round_trip() -> None:
    assert parse_model(dump_model(model())) == model()


SCALARS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    st.sampled_from(
        [
            "no",
            "on",
            "~",
            "null",
            "12:30",
            "007",
            "1e5",
            "1_0",
            "2013-01-01",
            "<<",
            "=",
            "- a",
            "a: b",
            "#",
            "'",
            '"',
            "",
            " x ",
            ".5",
            "0x1f",
        ]
    ),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdeno:# ", min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["a", "no", "on", "x y"]), TREES, min_size=1))
def test_what_is_written_as_yaml_is_read_back_equal(data: dict[str, object]) -> None:
    assert read_yaml(write_yaml(data), name="x").data == data


@given(st.dictionaries(st.sampled_from(["a", "no", "on", "x y"]), TREES, min_size=1))
def test_what_is_written_as_yaml_any_other_reader_reads_the_same(data: dict[str, object]) -> None:
    assert yaml.safe_load(write_yaml(data)) == data


@pytest.mark.parametrize("text", ["\n", "a\nb", "\x85", "a\u2028b", "\u2029 "])
def test_line_breaks_of_all_kinds_in_keys_and_values_are_read_back(text: str) -> None:
    data = {text: {"b": [{"c": {"d": {text: text}}}]}, "e": text}
    assert yaml.safe_load(write_yaml(data)) == data
    assert yaml.safe_load(f"{{{write_line(text)}: {write_line(data)}}}") == {text: data}


@given(st.text(max_size=200))
def test_any_text_is_a_model_or_an_explained_error(text: str) -> None:
    assert all(line.startswith("twin.yaml") for line in faults(parse_model, text, "twin.yaml"))


@given(TREES)
def test_any_tree_is_a_mapping_or_an_explained_error(tree: object) -> None:
    text = write_yaml({"source": "a", "tables": tree})
    assert all(line.startswith("a.yaml") for line in faults(parse_mapping, text, "a.yaml"))


@pytest.mark.parametrize("what", ["model", "mapping"])
def test_the_json_schema_accepts_what_we_accept(what: str) -> None:
    schema = json_schema(what)
    jsonschema.Draft202012Validator.check_schema(schema)
    paths = [NYC / "twin.yaml"] if what == "model" else sorted((NYC / "mapping").glob("*.yaml"))
    for path in paths:
        jsonschema.validate(read_yaml(path.read_text(encoding="utf-8"), name="x").data, schema)


def test_the_json_schema_refuses_an_unknown_key_and_completes_units() -> None:
    schema = json_schema("model")
    with pytest.raises(jsonschema.ValidationError, match="twn"):
        jsonschema.validate({"twin": "a", "twn": 1}, schema)
    assert "degC" in schema["$defs"]["Signal"]["properties"]["unit"]["anyOf"][0]["enum"]


def test_editors_find_the_schemas_from_the_first_line_of_the_files(tmp_path: Path) -> None:
    written = write_schemas(tmp_path)
    for name, text in (
        ("twin.yaml", dump_model(model(), editor=True)),
        ("mapping/a.yaml", dump_mapping(parse_mapping("source: a"), editor=True)),
    ):
        match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert match is not None
        assert (tmp_path / name).parent.joinpath(match[1]).resolve() in [path.resolve() for path in written]
    assert parse_model(dump_model(model(), editor=True)) == model()


def test_every_field_with_a_remark_shows_it_in_editors() -> None:
    properties = json_schema("model")["$defs"]["Signal"]["properties"]
    assert properties["cadence"]["description"] == "Regular step of the history's time axis."
    assert properties["unit"]["description"].startswith("Unit of the values in history")


def test_a_schema_of_something_else_is_an_unknown_term() -> None:
    with pytest.raises(UnknownTermError, match="expected 'model' or 'mapping'"):
        json_schema("ledger")


def test_models_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        model().twin = "other"
    with pytest.raises(ValueError, match="frozen"):
        parse_mapping("source: a").source = "b"
    assert isinstance(parse_mapping("source: a"), Mapping)
