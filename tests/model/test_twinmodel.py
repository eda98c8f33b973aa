"""A twin's words: what a signal, an asset type and an event type may say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import TwinReader
from twinlab.model.flags import FLAG_SEVERITY, Flag, flag_attributes
from twinlab.model.load import parse_model
from twinlab.model.schema import EVENT_COLUMNS, OBSERVATIONS
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import Signal, TwinModel, parse_duration
from twinlab.testing import FakeTwin


def with_signal(fields: str, *, name: str = "t") -> TwinModel:
    return parse_model(f"twin: a\nasset_types: {{r: {{signals: {{x: {{resolution: 1}}, {name}: {fields}}}}}}}")


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("10s", 10**10), ("15min", 900 * 10**9), ("1.5 h", 5400 * 10**9), ("1d", 86400 * 10**9), (" 250ms ", 25 * 10**7)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "1 hour", "-1s", "0s", "1e3s", "h", "1m", "0.0000001ms", "99999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("{resolution: 1, cadence: 7min}", "a cadence that divides a day"),
        ("{resolution: 1, cadence: 2d}", "a cadence that divides a day"),
        ("{resolution: .inf}", "resolution"),
        ("{resolution: 0}", "greater than 0"),
        ("{resolution: 1, spike: [-1, 2]}", "two positive sizes of change"),
        ("{resolution: 1, sensor_span: [0, 1], expected_span: [0, 2]}", "must be inside sensor_span"),
        ("{resolution: 1, sensor_span: [.nan, 1]}", "low < high"),
        ("{resolution: 1, sensor_span: [1]}", "sensor_span"),
        ("{resolution: 1, wraps_at: 100}", "only a counter wraps"),
        ("{resolution: 1, cadence: 5min, heartbeat: 5min}", "isn't longer than the cadence"),
        ("{kind: counter, resolution: 1, wraps_at: -1}", "greater than 0"),
        ("{kind: state, states: {0: a, 1: a}}", "each state's name once"),
        ("{kind: state, states: {-1: a}}", "must be in 0..32767"),
        ("{kind: state, states: {0: a}, combine: mean}", "can't be combined by 'mean'"),
        ("{kind: state, states: {x: a}}", "expected a valid integer"),
    ],
)
def test_a_signal_that_makes_no_sense_is_refused(fields: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        with_signal(fields)


@pytest.mark.parametrize("name", ["time", "asset", "x_qc", "x_mean", "x_not_evaluated", "Temp", "1st", "a-b", "ä"])
def test_a_signals_name_must_be_free_and_plain(name: str) -> None:
    with pytest.raises(SchemaError, match="choose another|lower-case letters"):
        with_signal("{resolution: 1}", name=name)


def test_a_signal_may_end_like_a_rollup_of_a_signal_that_does_not_exist() -> None:
    assert "daily_mean" in with_signal("{resolution: 1}", name="daily_mean").asset_types["r"].signals


@pytest.mark.parametrize("name", sorted(EVENT_COLUMNS))
def test_a_property_of_an_event_must_not_hide_a_column(name: str) -> None:
    with pytest.raises(SchemaError, match="is another column"):
        parse_model(f"twin: a\nevent_types: {{e: {{properties: {{{name}: {{}}}}}}}}")


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("2013-01-01", 1356998400 * 10**9), ("2013-01-01T00:00Z", 1356998400 * 10**9), ("1970-01-01T00:00:01", 10**9)],
)
def test_the_origin_is_an_instant_in_utc(text: str, nanoseconds: int) -> None:
    assert parse_model(f"twin: a\norigin: {text}").origin_ns == nanoseconds


@pytest.mark.parametrize(
    "text", ["NaT", "now", "2013", "2013-02-30", "2013-01-01T00:00+02:00", "9999-01-01", "0001-01-01"]
)
def test_an_origin_that_is_no_instant_in_utc_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="expected an instant in UTC"):
        parse_model(f"twin: a\norigin: {text}")


@given(st.floats(1e-6, 1e3), st.floats(0.1, 1e12))
def test_the_stored_integers_reach_beyond_the_sensors_span(resolution: float, reach: float) -> None:
    signal = Signal(resolution=resolution, sensor_span=(-reach, reach))
    assert np.iinfo(signal.storage_dtype).max >= min(16 * reach / resolution, 2**62)


def test_states_are_stored_as_small_codes() -> None:
    assert Signal(kind="state", states={0: "closed", 1: "open"}).storage_dtype == np.int16


def test_flags_are_qartods_numbers_with_cf_attributes() -> None:
    assert {flag.name: int(flag) for flag in Flag} == {
        "PASS": 1,
        "NOT_EVALUATED": 2,
        "SUSPECT": 3,
        "FAIL": 4,
        "MISSING": 9,
    }
    assert sorted(FLAG_SEVERITY) == sorted(Flag)
    attributes = flag_attributes("speed")
    assert len(np.asarray(attributes["flag_values"])) == len(str(attributes["flag_meanings"]).split())


def test_every_observation_has_a_tag_and_a_time() -> None:
    assert [field.name for field in OBSERVATIONS if not field.nullable] == ["tag", "source_time"]


@pytest.mark.parametrize(
    ("term", "known", "message"),
    [
        ("temprature", ["temperature", "speed"], "; did you mean 'temperature'?"),
        ("TEMPERATURE", ["temperature"], "; did you mean 'temperature'?"),
        ("zzz", ["a", "b"], "; known: a, b"),
        ("zzz", [], "; none is known yet"),
        ("zzz", [f"x{n}" for n in range(9)], "; known: x0, x1, x2, x3, x4, x5, x6, x7, …"),
    ],
)
def test_an_unknown_term_is_answered_with_the_nearest_known_ones(term: str, known: list[str], message: str) -> None:
    assert nearest(term, known) == message


def test_an_unknown_term_prints_without_quotes_round_the_sentence() -> None:
    assert str(UnknownTermError("there is no 'x'")) == "there is no 'x'"


def test_the_fake_twin_is_a_twin_reader() -> None:
    assert isinstance(FakeTwin(parse_model("twin: a")), TwinReader)
