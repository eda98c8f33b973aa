"""Quality tests that a signal names: in a history's cells, on labelled arrays, and what a test must promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import twinlab.explore.accessor  # noqa: F401  (registers ``.twin``)
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import Difference, Options, QualityTest, Signal, TwinModel, json_schema, parse_model
from twinlab.model.basics import Duration, parse_duration
from twinlab.quality import QUALITY_TESTS, flag_cells, margins, signal_flags, untested
from twinlab.quality.registry import versions_of_tests
from twinlab.testing import check_quality_test

MINUTES = np.datetime64("2026-01-01", "ns") + np.arange(400) * np.timedelta64(1, "m")
BUILT_IN: dict[str, dict[str, object]] = {
    "attenuated": {"window": "9min", "suspect": 0.51, "fail": 0.11, "least": 3},
    "cadence": {"expected": "1min", "gap": "10min"},
    "chatter": {"window": "9min", "most": 1},
    "climatology": {"spans": [{"suspect": [-3, 3], "hours": [0, 2]}], "zone": "Europe/Berlin"},
    "clock": {"shift": "5min", "period": "1h", "resolution": "1min", "largest": "20min", "correlation": 0.3},
    "completeness": {"period": "7min"},
    "conditional": {
        "given": "x",
        "spans": [{"when": [-9, 0], "suspect": [-3, 3]}, {"when": [0, 9], "suspect": [-1, 9]}],
    },
    "consistency": {"counter": "x", "over": "5min", "suspect": 9, "kind": "increase"},
    "counter": {"wraps_at": 50},
    "flat_line": {"duration": "7min"},
    "location": {"longitude": "x", "box": [-15, -10, 10, 15], "jump": 200_000},
    "missing": {},
    "multivariate": {"coefficients": {"x": 0.5, "y": 0.5}, "suspect": 2},
    "peers": {"resolution": 0.1, "least": 2},
    "range": {"fail_span": [-15, 15], "suspect_span": [-3, 3]},
    "rate": {"suspect": 0.01, "fail": 0.1},
    "response": {"when": {"x": [-1, 0, 1, 2]}, "never": "rises", "by": 0.5, "lasting": "1min", "held": "5min"},
    "speed": {"longitude": "x", "suspect": 1_000, "fail": 9_000},
    "spike": {"suspect": 2, "fail": 5, "within": "3min"},
    "state": {"codes": [0, 1, 2]},
    "status": {"codes": {0: "pass", 1073741824: "suspect"}, "other": "fail"},
    "summer_time": {"zone": "Europe/Berlin"},
    "transition": {"allowed": {0: [1], 1: [2], 2: [0, 3], 3: [0]}, "within": "9min"},
    "departure": {"window": "20min", "limit": 3},
    "drift": {"against": "past"},
    "affected": {"given": "x", "span": [-1, 1], "lasting": "1min", "after": "5min", "window": "20min"},
    "reset": {"signals": ["x", "y"], "limit": 1},
    "level_shift": {"longest": "1h", "limit": 3},
    "variability": {"window": "20min", "limit": 3},
    "visit": {"signals": ["x", "y"]},
}


class JumpOptions(Options):
    """Options of `jump_flags`."""

    height: Difference
    over: Duration = "1min"


def jump_flags(values: xr.DataArray, *, height: float, over: str) -> xr.DataArray:
    """Flag values that lie further than ``height`` from the mean of those up to ``over`` before: suspect."""
    cells = parse_duration(over) // (60 * 10**9)
    past = values.shift(time=1).rolling(time=cells, min_periods=1).mean()
    flags = xr.where((abs(values - past) > height) & past.notnull(), 3, 1)
    return flags.where(values.notnull(), 9).astype("uint8").transpose(*values.dims)


JUMP = QualityTest("jump", jump_flags, JumpOptions, lambda options, step: (parse_duration(options.over), 0))


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> QualityTest:
    monkeypatch.setitem(QUALITY_TESTS._built_in, "jump", "")
    monkeypatch.setitem(QUALITY_TESTS._loaded, "jump", JUMP)
    return JUMP


def test_every_built_in_test_conforms() -> None:
    assert set(BUILT_IN) == set(QUALITY_TESTS.names())
    for name, options in BUILT_IN.items():
        check_quality_test(name, **options)
    check_quality_test(JUMP, height=1.5, over="4min")


def _changing(values: xr.DataArray) -> xr.DataArray:
    flags = jump_flags(values, height=1, over="1min")
    values[0] = 7
    return flags


def _compared(values: xr.DataArray) -> xr.DataArray:
    others = [dim for dim in values.dims if dim != "time"]
    return jump_flags(values - values.mean(others), height=1, over="1min").transpose(*values.dims)


WRONG = {
    "float64": replace(JUMP, function=lambda values, **options: jump_flags(values, **options).astype(float)),
    "expected flag 9": replace(
        JUMP, function=lambda values, **options: (values * 0).fillna(0).astype("uint8") + np.uint8(1)
    ),
    "the number 7": replace(
        JUMP, function=lambda values, **options: (values * 0).fillna(0).astype("uint8") + np.uint8(7)
    ),
    "DataArray": replace(JUMP, function=lambda values, **options: values.to_numpy()),
    "reach": replace(JUMP, reach=lambda options, step: (step, 0)),
    "each series by itself": QualityTest("compared", _compared, reach=lambda options, step: (step, 0)),
    "read-only": QualityTest("changing", _changing),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_test_that_breaks_its_promise_is_told_how(message: str) -> None:
    wrong = WRONG[message]
    options = {"height": 1.5, "over": "4min"} if wrong.options is JumpOptions else {}
    with pytest.raises((AssertionError, SchemaError, ValueError), match=message):
        check_quality_test(wrong, **options)


def test_a_function_of_lazy_arrays_must_not_compute() -> None:
    computing = replace(JUMP, lazy=True, function=lambda values, **options: jump_flags(values.compute(), **options))
    with pytest.raises(AssertionError, match="lazy array got flags in memory"):
        check_quality_test(computing, height=1.5, over="4min")


def _values(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = np.cumsum(random.normal(0, 1, (400, 3)), axis=0).round(1)
    values[random.random((400, 3)) < 0.15] = np.nan
    return values


@pytest.mark.usefixtures("jump")
def test_cells_get_the_worst_of_all_tests_whatever_the_pieces() -> None:
    signal = Signal(
        unit="degC", resolution=0.1, sensor_span=(-12, 12), tests={"jump": {"height": "2.754 degF", "over": "4min"}}
    )
    values = _values()
    whole = flag_cells(values, signal=signal)
    shown = np.where(np.abs(values) <= 12, values, np.nan)
    jumped = jump_flags(xr.DataArray(shown, {"time": MINUTES}, ("time", "asset")), height=1.53, over="4min").to_numpy()
    plain = flag_cells(values, signal=signal.model_copy(update={"tests": {}}))
    assert (whole == np.where((jumped == 3) & (plain == 1), 3, plain)).all()
    assert (whole == 3).sum() > 50
    before, after = margins(signal)
    assert (before, after) == (4, 0)
    for start in range(0, 400, 37):
        low, stop = max(0, start - before), min(400, start + 37)
        piece = flag_cells(values[low:stop], signal=signal, margin_before=start - low)
        assert (piece == whole[start:stop]).all()


@pytest.mark.usefixtures("jump")
def test_unsettled_values_are_not_shown_to_a_test() -> None:
    signal = Signal(resolution=0.1, tests={"jump": {"height": 1}})
    flags = flag_cells(np.array([[1.0], [1.0], [9.0], [9.0]]), signal=signal, known_until=3)
    assert flags.ravel().tolist() == [1, 1, 3, 2]


def test_a_test_is_given_the_time_of_each_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def night(values: xr.DataArray) -> xr.DataArray:
        flags = xr.where(values.time.dt.hour < 6, 4, 1) * xr.ones_like(values)
        return flags.where(values.notnull(), 9).astype("uint8").transpose(*values.dims)

    monkeypatch.setitem(QUALITY_TESTS._built_in, "night", "")
    monkeypatch.setitem(QUALITY_TESTS._loaded, "night", QualityTest("night", night))
    signal = Signal(resolution=0.1, cadence="1h", tests={"night": None})
    start = int(np.datetime64("2026-01-01T04:00", "ns").astype("int64"))
    assert flag_cells(np.ones((4, 1)), signal=signal, start_ns=start).ravel().tolist() == [4, 4, 1, 1]


@pytest.mark.usefixtures("jump")
@pytest.mark.parametrize("chunks", [None, 50])
def test_labelled_arrays_get_the_flags_of_history(chunks: int | None) -> None:
    signal = Signal(unit="degC", resolution=0.1, tests={"jump": {"height": 1.53, "over": "4min"}})
    array = xr.DataArray(_values(1), {"time": MINUTES}, ("time", "asset"), "t", {"units": "degC"})
    given = array if chunks is None else array.chunk(time=chunks)
    expected = flag_cells(array.to_numpy(), signal=signal)
    assert (signal_flags(given, signal=signal).to_numpy() == expected).all()
    asked = given.twin.flags(jump={"height": "2.754 degF", "over": "4min"})
    assert (asked.chunks is None) == (chunks is None)
    assert (asked.to_numpy() == expected).all()


@pytest.mark.usefixtures("jump")
def test_a_wrong_name_or_option_is_told_with_its_place() -> None:
    text = (
        "twin: x\nasset_types:\n  room:\n    signals:\n      t:\n        resolution: 1\n        tests:\n          {}\n"
    )
    with pytest.raises(
        UnknownTermError, match=r"twin.yaml:8: .*tests.jmp: .*no quality test 'jmp'.*did you mean 'jump'"
    ):
        parse_model(text.replace("{}", "jmp: {height: 1}"))
    with pytest.raises(UnknownTermError, match=r"twin.yaml:8: .*has no option 'hieght'; did you mean 'height'"):
        parse_model(text.replace("{}", "jump: {height: 1, hieght: 2}"))
    with pytest.raises(SchemaError, match=r"twin.yaml:8: .*tests.jump.*needs the option 'height'"):
        parse_model(text.replace("{}", "jump:"))
    with pytest.raises(SchemaError, match=r"tests.jump.height: .*can't convert 'bar' to '1'"):
        parse_model(text.replace("{}", "jump: {height: 2 bar}"))
    with pytest.raises(SchemaError, match="judges signals of kind gauge or counter, got a state"):
        parse_model(
            text.replace("{}", "jump: {height: 1}").replace("resolution: 1", "kind: state\n        states: {0: a}")
        )
    array = xr.DataArray([1.0, 2], {"time": MINUTES[:2]}, "time")
    with pytest.raises(SchemaError, match="no option 'hieght'"):
        array.twin.flags(jump={"height": 1, "hieght": 1})


@pytest.mark.usefixtures("jump")
def test_a_test_that_looks_too_far_is_left_out_and_told() -> None:
    signal = Signal(resolution=0.1, cadence="1s", tests={"jump": {"height": 1, "over": "1d"}})
    assert list(untested(signal)) == ["tests.jump"]
    assert margins(signal) == (0, 0)
    assert flag_cells(np.array([[1.0], [9.0]]), signal=signal).ravel().tolist() == [1, 1]


@pytest.mark.usefixtures("jump")
def test_the_models_hash_changes_with_a_tests_version_only_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from twinlab.history.build.mapping_context import content_hash

    plain = TwinModel.model_validate({"twin": "x", "asset_types": {"room": {"signals": {"t": {"resolution": 1}}}}})
    used = TwinModel.model_validate(
        {"twin": "x", "asset_types": {"room": {"signals": {"t": {"resolution": 1, "tests": {"jump": {"height": 1}}}}}}}
    )
    assert "tests" not in plain.model_dump_json()
    before = content_hash(plain), content_hash(used)
    monkeypatch.setitem(QUALITY_TESTS._loaded, "jump", replace(JUMP, version=2))
    assert versions_of_tests(used) == {"jump": 2}
    assert content_hash(plain) == before[0]
    assert content_hash(used) != before[1]


@pytest.mark.usefixtures("jump")
def test_editors_know_the_tests_and_their_options() -> None:
    tests = json_schema("model")["$defs"]["Signal"]["properties"]["tests"]
    assert set(tests["properties"]) == {*BUILT_IN, "jump"}
    assert tests["properties"]["jump"]["properties"]["height"]["type"] == ["number", "string"]
    assert tests["properties"]["jump"]["required"] == ["height"]
