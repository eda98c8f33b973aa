"""FMUs as models, on FMUs that pythonfmu builds."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.simulate import Output, from_fmu
from twinlab.testing import check_model

fmpy = pytest.importorskip("fmpy")
builder = pytest.importorskip("pythonfmu.builder")

START, HOUR = np.datetime64("2026-01-05"), np.timedelta64(1, "h")


@pytest.fixture(scope="module")
def fmus(tmp_path_factory):
    """Paths of the same FMU, which can serialise its state, and can't."""
    found = {}
    for name, able in (("saving", True), ("repeating", False)):
        folder = tmp_path_factory.mktemp(name)
        script = Path(__file__).parent / "noisy_tank.py"
        found[name] = builder.FmuBuilder.build_FMU(
            script, dest=folder, canGetAndSetFMUstate=able, canSerializeFMUstate=able
        )
    return found


def tank(path, **more):
    return from_fmu(path, **({"tick": "10min", "kpis": {"area": "m2"}, "seed_parameter": "seed"} | more))


@pytest.mark.parametrize("kind", ["saving", "repeating"])
def test_an_fmu_conforms_and_its_random_numbers_are_decided_at_the_start(fmus, kind):
    model = tank(fmus[kind])
    check_model(model, forks=False)
    state = model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR).state
    assert ("fmu_state" in state) == (kind == "saving")
    with pytest.raises(SchemaError, match="fork the initial state, not one at 2026-01-05T01"):
        model.advance(state.assign(replication=np.int64(1)), until=START + 2 * HOUR, step=HOUR)


def test_saving_and_repeating_give_the_same_numbers(fmus):
    found = []
    for path in fmus.values():
        model = tank(path)
        state = model.initial_state(start=START, replication=4)
        state = model.advance(state, until=START + 3 * HOUR, step=HOUR).state
        found.append(model.advance(state, until=START + 6 * HOUR, step=HOUR).results)
    assert found[0].identical(found[1])


def test_an_fmu_without_a_seed_parameter_is_the_same_in_all_replications(fmus):
    check_model(tank(fmus["saving"], seed_parameter=None), random=False)
    check_model(tank(fmus["repeating"], seed_parameter=None), random=False)


def test_outputs_have_the_units_that_are_stated_and_parameters_are_set(fmus):
    model = tank(fmus["saving"], parameters={"area": 4.0})
    results = model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR).results
    assert results["area"].item() == 4.0
    assert results["level"].attrs["units"] == "unknown"
    assert results["level"].attrs["long_name"] == "Water level"
    stated = tank(fmus["saving"], signals={"level": Output("m"), "draws": "1"})
    results = stated.advance(stated.initial_state(start=START), until=START + HOUR, step=HOUR).results
    assert results["level"].attrs["units"] == "m"
    assert set(results.data_vars) == {"level", "draws", "area"}
    assert stated.content_hash() != model.content_hash() != tank(fmus["saving"]).content_hash()


def test_a_model_is_copied_to_other_processes_without_its_instances(fmus):
    for path in fmus.values():
        model = tank(path)
        state = model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR).state
        other = pickle.loads(pickle.dumps(model)).advance(state, until=START + 2 * HOUR, step=HOUR)
        assert other.state.identical(model.advance(state, until=START + 2 * HOUR, step=HOUR).state)


def test_wrong_names_and_files_are_errors(fmus, tmp_path):
    with pytest.raises(UnknownTermError, match="did you mean 'level'"):
        tank(fmus["saving"], signals=["levl"])
    with pytest.raises(UnknownTermError, match="did you mean 'area'"):
        tank(fmus["saving"], parameters={"aera": 1.0})
    with pytest.raises(SchemaError, match=r"got 'note' \(String\)"):
        tank(fmus["saving"], signals=["note"])
    with pytest.raises(SourceError, match=r"absent\.fmu: expected an FMU"):
        tank(tmp_path / "absent.fmu")
    (tmp_path / "broken.fmu").write_bytes(b"PK no archive")
    with pytest.raises(SourceError, match=r"broken\.fmu: expected an FMU"):
        tank(tmp_path / "broken.fmu")
    model = tank(fmus["saving"])
    with pytest.raises(SchemaError, match="whole ticks of 600 s"):
        model.advance(model.initial_state(start=START), until=START + HOUR, step=np.timedelta64(90, "s"))


def test_without_fmpy_the_error_names_the_extra(fmus, monkeypatch):
    from twinlab.simulate.adapters import fmus as module

    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"twinlab-kit\[fmu\]"):
        tank(fmus["saving"])
