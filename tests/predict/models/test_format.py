"""Every kind of fitted model as arrays and JSON, and back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import twinlab as tl
from tests.predict.conftest import INPUTS, TARGET
from tests.predict.models.conftest import LEADS
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict.models.format import (
    MODEL_FORMATS,
    ModelFormat,
    dataclass_format,
    from_arrays,
    model_hash,
    to_arrays,
)
from twinlab.predict.models.plain import MARK, Decoder, Encoder
from twinlab.testing import check_stored_model

P = tl.predict
NAMES = ["seasonal naive", "climatology", "forecast", "constant", "trees", "forest", "pipeline", "intervals", "adaptive", "logistic", "classes", "delay"]  # fmt: skip


def back(model):
    arrays, content = to_arrays(model)
    return from_arrays(arrays, json.loads(json.dumps(content, allow_nan=False)))


@pytest.mark.parametrize("name", NAMES)
def test_a_fitted_predictor_that_was_written_and_read_predicts_the_same_bits(fitted, name):
    model, state = fitted[name]
    served = state.at(state.issue_time - np.timedelta64(12, "h"), window=model.inputs.window_ns)
    for one in (state, served):
        check_stored_model(model, lambda found, one=one: found.predict(one))
    assert back(model).training == model.training


@pytest.mark.parametrize("name", NAMES)
def test_a_fitted_predictor_shows_no_arrays(fitted, name):
    model, _ = fitted[name]
    shown = repr(model)
    assert shown.startswith(f"<{type(model).__name__}: '{model.name}' of {model.inputs.asset_type}, fitted to ")
    assert len(shown) < 200


def test_a_format_that_loses_something_does_not_pass_the_check(monkeypatch, fitted):
    model, state = fitted["climatology"]
    whole = MODEL_FORMATS.get("baselines")

    def read(name, content, decoder):
        found = whole.read(name, content, decoder)
        return replace(found, table=found.table.astype("float32").astype(float)) if name == "FittedTable" else found

    monkeypatch.setitem(
        MODEL_FORMATS._loaded, "baselines", ModelFormat("baselines", "", whole.classes, whole.write, read)
    )
    with pytest.raises(AssertionError, match="predicts other bits"):
        check_stored_model(model, lambda found: found.predict(state))


def test_intervals_that_adapt_go_on_as_they_would_have(fitted, state):
    model, _ = fitted["adaptive"]
    later = model.update(state)
    assert back(model).update(state).content_hash() == later.content_hash()
    assert back(later).predict(state).identical(later.predict(state))


def test_the_probability_of_lateness_and_the_reasons_of_a_delay_are_the_same(fitted):
    model, state = fitted["delay"]
    assert back(model).table(state).equals(model.table(state))


@pytest.mark.parametrize("name", ["Pca", "RobustZ", "Forest"])
def test_a_model_of_anomalies_that_was_written_and_read_scores_the_same_bits(anomaly_models, name):
    model, rows = anomaly_models[name]
    check_stored_model(model, lambda found: found.score(rows)[0])
    assert model_hash(model) != model_hash(model.with_limit(2.0))
    assert len(repr(model)) < 300
    one, two = (each.score(rows)[1] for each in (model, back(model)))
    assert np.array_equal(one.earlier, two.earlier)


def test_texts_of_lightgbm_are_its_own(fitted):
    import lightgbm

    arrays, _ = to_arrays(fitted["trees"][0])
    texts = [one.tobytes().decode() for name, one in arrays.items() if name.endswith(".txt")]
    assert len(texts) == 3
    assert lightgbm.Booster(model_str=texts[0]).num_trees() == 8


def test_a_function_of_a_users_own_is_refused_with_its_place_in_the_model(state):
    mean = P.CallableEstimator("mean", lambda x, y, names: y.mean(), lambda m, x: np.full(len(x), m))
    features = (P.FunctionFeature("one", lambda state, cases: np.ones(len(cases))),)
    model = P.FeaturePredictor(INPUTS, TARGET, features, mean, LEADS, train_every="6h").fit(state)
    with pytest.raises(
        SchemaError, match=r"of\.features\.0 is a .*FunctionFeature, which can't be stored.*twinlab\.model_formats"
    ):
        to_arrays(model)


def test_a_package_adds_a_format_with_a_module_and_a_line(monkeypatch, state):
    mean = P.CallableEstimator("mean", lambda x, y, names: y.mean(), lambda m, x: np.full(len(x), m))
    model = P.FeaturePredictor(INPUTS, TARGET, (P.LeadTime(),), mean, LEADS, train_every="6h").fit(state)

    def write(value, encoder, place):
        return {"model": encoder.value(value.model, f"{place}.model"), "data": value.data_hash}

    def read(name, content, decoder):
        return type(model.model)(mean, decoder.value(content["model"]), content["data"])

    where = "twinlab.predict.protocol.estimator:"
    mine = ModelFormat("mine", "means", {"Mean": f"{where}_FittedCallable"}, write, read)
    estimators = ModelFormat(
        "mine_too", "means", {"Parameters": f"{where}CallableEstimator"}, lambda *_: {}, lambda *_: mean
    )
    monkeypatch.setitem(MODEL_FORMATS._built_in, "mine", "")
    monkeypatch.setitem(MODEL_FORMATS._built_in, "mine_too", "")
    monkeypatch.setitem(MODEL_FORMATS._loaded, "mine", mine)
    monkeypatch.setitem(MODEL_FORMATS._loaded, "mine_too", estimators)
    assert back(model).predict(state).identical(model.predict(state))


def test_a_format_of_another_package_is_named_where_it_is_missing(fitted):
    arrays, content = to_arrays(fitted["constant"][0])
    content["model"][MARK] = "baseline"
    with pytest.raises(UnknownTermError, match="did you mean 'baselines'.*install the package"):
        from_arrays(arrays, content)


def test_another_version_is_refused(fitted):
    arrays, content = to_arrays(fitted["constant"][0])
    with pytest.raises(SchemaError, match="expected version 1 of the format, got 2"):
        from_arrays(arrays, content | {"version": 2})
    with pytest.raises(SchemaError, match="expected a model of twinlab"):
        from_arrays(arrays, {"model": {}})
    content["model"]["content"]["of"]["content"]["added_later"] = 1
    with pytest.raises(SchemaError, match="Constant has added_later, which this version doesn't know"):
        from_arrays(arrays, content)


def test_a_field_with_a_default_that_a_file_does_not_have_gets_it(fitted, state):
    model, _ = fitted["constant"]
    arrays, content = to_arrays(model)
    del content["model"]["content"]["of"]["content"]["name"]
    assert from_arrays(arrays, content).predict(state).identical(model.predict(state))
    del content["model"]["content"]["levels"]
    with pytest.raises(SchemaError, match="FittedTable lacks levels"):
        from_arrays(arrays, content)


def test_what_is_no_model_is_refused():
    with pytest.raises(SchemaError, match="expected a fitted model, got a dict"):
        to_arrays({"a": 1})
    with pytest.raises(SchemaError, match="expected dataclasses in the format 'x', got int"):
        dataclass_format("x", "numbers", int)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.integers(-(2**62), 2**62).map(lambda one: np.datetime64(one, "ns")) | st.integers(0, 9).map(np.int32),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)  # fmt: skip
ARRAYS = hn.arrays(
    hn.scalar_dtypes().filter(lambda one: one.kind != "c" and one.byteorder != ">"),
    hn.array_shapes(min_dims=0, min_side=0),
)


def _round_trip(value):
    encoder = Encoder(lambda *_: None)
    node = json.loads(json.dumps(encoder.value(value, "at"), allow_nan=False))
    return Decoder(encoder.arrays, lambda *_: None).value(node)


@given(PLAIN)
def test_plain_values_come_back_equal_and_of_the_same_types(value):
    again = _round_trip(value)
    assert repr(again) == repr(value)


@given(ARRAYS)
def test_arrays_come_back_with_type_and_shape(array):
    again = _round_trip((array, [array]))
    for one in (again[0], again[1][0]):
        assert one.dtype == array.dtype
        assert one.shape == array.shape
        assert one.tobytes() == array.tobytes()
