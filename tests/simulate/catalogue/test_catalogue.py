"""Stored runs: listed, opened, compared, computed again, deleted."""

import numpy as np
import pytest
import xarray as xr

from twinlab import simulate
from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError, SourceError, UnknownTermError
from twinlab.simulate import Advanced, Catalogue, Network, NetworkModel
from twinlab.simulate.runs import run as run_module

OPTIONS = {"start": "2026-01-05T06:00", "horizon": "6h", "step": "1h", "replications": 12, "progress": False}


def bank(servers=2, *, name="bank"):
    service = {"kind": "exponential", "mean": "4 min"}
    node = {"type": "counter", "servers": servers, "service": service}
    return NetworkModel(Network(name=name, nodes={"desk": node}, demand={"customers": {"at": "desk", "rate": "25 /h"}}))


class Dice:
    """A model that is code: its description can't be stored."""

    name = "dice"

    def content_hash(self):
        return "dice-1"

    def initial_state(self, *, start, seed=0, replication=0):
        values = {"start": start, "time": start, "seed": np.int64(seed), "replication": np.int64(replication)}
        return xr.Dataset(values, attrs={"model": self.name, "model_hash": self.content_hash()})

    def advance(self, state, *, until, step, trace=False):
        random = np.random.default_rng([int(state["seed"]), int(state["replication"])])
        return Advanced(state.assign(time=until), xr.Dataset({"eyes": random.integers(1, 7)}))


class LoadedDice(Dice):
    """The same by its hash, but with another result: code that changed without its hash."""

    def advance(self, state, *, until, step, trace=False):
        found = super().advance(state, until=until, step=step, trace=trace)
        return found if state["replication"] < 5 else Advanced(found.state, found.results * 0 + 6)


@pytest.fixture
def runs(tmp_path):
    return Catalogue(tmp_path / "twin/scenarios")


def test_runs_are_listed_and_opened_with_what_they_are_runs_of(runs):
    assert len(runs) == 0
    assert "no runs" in repr(runs)
    results = runs.run(
        {"two": bank(2), "three": bank(3)}, name="more desks", attrs={"mapping": "v3", "position": "crm:118"}, **OPTIONS
    )
    runs.run(bank(2), **{**OPTIONS, "seed": 4})
    table = runs.table().set_index("name")
    row = table.loc["more desks"]
    assert row["scenarios"] == ("two", "three")
    assert (row["replications"], row["asked"], row["seed"], row["stopped"]) == (24, 24, 0, "")
    assert row["attrs"] == {"mapping": "v3", "position": "crm:118"}
    assert row["bytes"] > 0
    assert row["cpu_hours"] > 0
    stated = runs["more desks"].about["scenarios"]["two"]
    assert stated["model_hash"] == bank(2).content_hash()
    assert len(stated["state_hash"]) == 32
    assert stated["description"]["network"]["name"] == "bank"
    xr.testing.assert_identical(runs.open("more desks").data.load(), results.data.load())
    assert len(runs) == len(list(runs)) == 2
    assert "more desks" in runs
    for text in (repr(runs), runs._repr_html_()):
        assert "more desks" in text
        assert "two, three" in text


def test_runs_are_computed_again_identically(runs):
    runs.run({"two": bank(2), "three": bank(3)}, name="a", **OPTIONS)
    runs.run(Dice(), name="dice", **OPTIONS)
    found = runs.rerun("a", progress=False)
    assert found.identical
    assert found.replications == 24
    assert repr(found).startswith("a: all 24 replications are identical (version")
    assert runs.rerun("dice", Dice(), progress=False).identical
    differing = runs.rerun("dice", LoadedDice(), progress=False)
    assert not differing.identical
    assert min(differing.differing["dice"]) >= 5
    assert "of 12 replications differ (dice: " in repr(differing)


def test_a_run_from_a_state_is_computed_again_from_that_state(runs):
    model = bank()
    start = model.initial_state(start=np.datetime64("2026-01-05T06:00"), seed=3)
    state = model.advance(start, until=np.datetime64("2026-01-05T09:30"), step=np.timedelta64(30, "m")).state
    runs.run(model, state=state, name="later", **{**OPTIONS, "start": None})
    found = runs.rerun("later", progress=False)
    assert found.identical
    assert found.results.data["time"].values[0] == np.datetime64("2026-01-05T09:30")


def test_a_model_that_is_code_is_asked_for(runs):
    runs.run(Dice(), name="dice", **OPTIONS)
    with pytest.raises(SchemaError, match="expected the model 'dice' of scenario 'dice'.*models="):
        runs.rerun("dice")
    with pytest.raises(SchemaError, match="with hash dice-1, got one with hash"):
        runs.rerun("dice", bank())
    with pytest.raises(SchemaError, match="expected the model 'dice'"):
        runs["dice"].extend(20)


def test_an_opened_run_of_a_network_is_extended(runs):
    runs.run(bank(), name="a", **OPTIONS)
    more = runs["a"].extend(20, progress=False)
    assert more.replications == {"bank": 20}
    assert runs.table()["asked"].tolist() == [20]
    whole = simulate.run(bank(), **{**OPTIONS, "replications": 20})
    for name, values in more.kpis.items():
        np.testing.assert_array_equal(values, whole.kpis[name])


def test_runs_and_their_scenarios_are_compared_pair_by_pair(runs):
    runs.run(bank(2), name="two", **OPTIONS)
    runs.run({"three": bank(3), "four": bank(4)}, name="more", **OPTIONS)
    kpi = str(next(name for name, values in runs["two"].kpis.items() if "wait" in str(name)))
    found = runs.compare("two", ("more", "three"), kpi=kpi, better="lower")
    assert found.paired
    assert found.verdict == "better"
    assert (found.a, found.b) == ("two", "more, three")
    with pytest.raises(SchemaError, match="several scenarios: three, four"):
        runs.compare("two", "more", kpi=kpi)
    with pytest.raises(UnknownTermError, match="'five'"):
        runs.compare("two", ("more", "five"), kpi=kpi)


def test_deleting_removes_one_run_and_nothing_else(runs):
    runs.run(bank(), name="a", **OPTIONS)
    runs.run(bank(), name="b", **OPTIONS)
    other = runs.path.parent / "history"
    other.mkdir()
    (other / "run.json").write_text("{}")
    runs.delete("a")
    assert list(runs) == ["b"]
    assert sorted(path.name for path in runs.path.iterdir()) == ["b"]
    for name in ("a", "../history", "..", ".", "", "b/../b"):
        with pytest.raises(UnknownTermError, match="expected the name of a stored run"):
            runs.delete(name)
    assert (other / "run.json").is_file()
    assert list(runs) == ["b"]


def test_a_run_that_is_being_computed_isnt_deleted(runs):
    results = runs.run(bank(), name="a", **OPTIONS)
    with results.store.writing(), pytest.raises(HistoryConflictError, match="the run 'a' is locked"):
        runs.delete("a")
    assert runs["a"].replications == {"bank": 12}


def test_what_a_killed_deletion_leaves_isnt_listed_and_goes_with_the_next(runs):
    runs.run(bank(), name="a", **OPTIONS)
    runs.run(bank(), name="b", **OPTIONS)
    (runs.path / "a").rename(runs.path / ".deleted-a")
    assert list(runs) == ["b"]
    runs.delete("b")
    assert list(runs.path.iterdir()) == []


def test_a_name_is_of_one_run_only_and_goes_on_if_it_is_the_same(runs):
    runs.run(bank(), name="a/../../b", **OPTIONS)
    assert list(runs) == ["a/../../b"]
    assert [path.name for path in runs.path.parent.iterdir()] == ["scenarios"]
    runs.run(bank(), name="a/../../b", **{**OPTIONS, "replications": 20})
    assert runs["a/../../b"].replications == {"bank": 20}
    with pytest.raises(SchemaError, match="the seed is 0 there and 1 here"):
        runs.run(bank(), name="a/../../b", seed=1, **OPTIONS)
    with pytest.raises(SchemaError, match="name for the run"):
        runs.run(bank(), name=" ", **OPTIONS)
    with pytest.raises(SchemaError, match="store="):
        runs.run(bank(), store="x", **OPTIONS)


def test_a_run_that_cant_be_read_is_listed_with_the_reason(runs):
    runs.run(bank(), name="a", **OPTIONS)
    runs.run(bank(), name="b", **OPTIONS)
    (runs.path / "a/run.json").write_text("{")
    table = runs.table().set_index("name")
    assert "isn't JSON" in table.loc["a", "stopped"]
    with pytest.raises(CorruptionError, match=r"run\.json isn't JSON"):
        runs.open("a")
    runs.delete("a")
    assert list(runs) == ["b"]


def test_an_unknown_run_is_named_with_the_nearest(runs):
    runs.run(bank(), name="storm", **OPTIONS)
    with pytest.raises(UnknownTermError, match="'strom'.*'storm'"):
        runs.open("strom")


def test_an_interrupted_run_is_listed_and_goes_on_by_its_name(runs):
    def report(progress):
        if progress.done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.run(bank(), name="a", chunk=2, **{**OPTIONS, "progress": report})
    assert runs.table()["stopped"].tolist() == ["interrupted"]
    runs.run(bank(), name="a", **OPTIONS)
    assert runs.table()["stopped"].tolist() == [""]
    assert runs.rerun("a", progress=False).identical


def test_a_run_without_its_state_says_so(runs):
    import shutil

    runs.run(bank(), name="a", **OPTIONS)
    shutil.rmtree(runs.path / "a/states")
    with pytest.raises(SourceError, match="there is no state"):
        runs.rerun("a")


def test_results_in_memory_cant_be_computed_again_from_a_store():
    with pytest.raises(SchemaError, match="results in memory"):
        run_module.rerun(simulate.run(bank(), **OPTIONS))
