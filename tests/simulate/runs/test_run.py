"""Running models: the same arrays however they are computed, kept, extended and resumed."""

import json
import threading
import warnings
from collections import Counter

import numpy as np
import pytest
import xarray as xr
from queue_model import Plain, Queue

from twinlab import simulate
from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError, SourceError, UnknownTermError
from twinlab.simulate.cost.amounts import Cost
from twinlab.simulate.runs import schedule

OPTIONS = {"start": "2026-01-01", "horizon": "2d", "step": "1h", "progress": False}


def run(models, replications=40, **options):
    return simulate.run(models, replications=replications, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def serial():
    return run({"small": Queue(20.0, 3), "large": Queue(20.0, 4)}, workers=1, chunk=40).data.load()


@pytest.mark.parametrize("options", [{}, {"workers": 1, "chunk": 1}, {"workers": 3, "chunk": 7}, {"chunk": 64}])
@pytest.mark.parametrize("stored", [False, True])
def test_chunks_threads_and_store_change_no_bit(queues, serial, tmp_path, options, stored):
    found = run(queues, store=tmp_path / "run" if stored else None, **options).data.load()
    xr.testing.assert_identical(found, serial)


def test_a_model_without_advance_many_gives_the_same(serial):
    found = run({"small": Plain(20.0, 3), "large": Plain(20.0, 4)}, chunk=9).data.load()
    xr.testing.assert_identical(found, serial)


@pytest.mark.parametrize("stored", [False, True])
def test_kpis_are_those_of_the_data_and_join_no_signals(queues, serial, tmp_path, stored):
    results = run(queues, store=tmp_path / "run" if stored else None, chunk=7)
    kpis = results.kpis
    xr.testing.assert_identical(kpis, serial[["mean_wait", "customers"]])
    assert "data" not in vars(results)


def test_results_have_dims_signals_kpis_events_and_a_verdict(queues):
    results = run(queues, trace=2)
    assert results.scenarios == ["small", "large"]
    assert results.replications == {"small": 40, "large": 40}
    assert results.data["queue_wait"].dims == ("scenario", "replication", "time")
    assert list(results.data["server"].values) == ["s0", "s1", "s2", "s3"]
    assert results.data["server_busy"].sel(scenario="small", server="s3").isnull().all()
    assert set(results.kpis) == {"mean_wait", "customers"}
    assert results.signals("server")["busy"].dims == ("scenario", "replication", "time", "asset")
    visits = results.events("visit")
    assert list(visits.columns[:2]) == ["scenario", "replication"]
    assert visits["replication"].tolist() == [0, 1, 0, 1]
    assert results.events("flight").empty
    assert results.compare("small", "large", kpi="mean_wait").verdict == "better"
    with pytest.raises(UnknownTermError, match="'larg'.*'large'"):
        results.compare("larg", "small")
    with pytest.raises(UnknownTermError, match="server"):
        results.signals("hub")
    for text in (repr(results), results._repr_html_()):
        assert "small, large" in text
        assert "40 each, seed 0" in text


def test_traced_replications_have_the_results_of_others_and_survive_a_store(queues, serial, tmp_path):
    memory = run(queues, trace=3)
    stored = run(queues, trace=3, store=tmp_path / "run")
    xr.testing.assert_identical(memory.data.load(), serial)
    xr.testing.assert_identical(stored.data.load(), serial)
    assert memory.events("visit").equals(simulate.open_results(tmp_path / "run").events("visit"))


def test_another_seed_gives_other_numbers(queues, serial):
    assert not run(queues, seed=1).data["mean_wait"].equals(serial["mean_wait"])


def test_a_run_begins_in_a_given_state(queues):
    model = queues["small"]
    start = model.initial_state(start=np.datetime64("2026-01-01"), seed=5)
    later = model.advance(start, until=np.datetime64("2026-01-01T06:00"), step=np.timedelta64(3600 * 10**9, "ns")).state
    results = run(model, 3, start=None, state=later)
    assert results.data["time"].values[0] == np.datetime64("2026-01-01T06:00")
    assert results.about["seed"] == 5
    with pytest.raises(SchemaError, match="expected a state of the model"):
        run(queues["large"], start=None, state=later)


def test_bare_xarray_opens_a_stored_scenario(queues, serial, tmp_path):
    run(queues, store=tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = xr.open_zarr(tmp_path / "run/scenarios/small").load()
    expected = serial.sel(scenario="small", server=["s0", "s1", "s2"])
    for name in serial.data_vars:
        np.testing.assert_array_equal(plain[name].values, expected[name].values)
        assert plain[name].attrs == expected[name].attrs


@pytest.mark.parametrize("stored", [False, True])
def test_extending_computes_each_replication_once(log, tmp_path, stored, serial):
    first = run(Queue(20.0, 3, log=log), 13, store=tmp_path / "run" if stored else None, chunk=4)
    before = first.data.load()
    more = first.extend(25).extend(40)
    computed = Counter(int(line.split()[0]) for line in log.read_text().splitlines())
    assert computed == dict.fromkeys(range(40), 1)
    assert first.replications == {"queue": 13 if not stored else 40}
    assert before.sizes["replication"] == 13
    np.testing.assert_array_equal(more.data["mean_wait"].values[0], serial["mean_wait"].sel(scenario="small"))
    assert more.extend(5).replications == {"queue": 40}
    assert len(log.read_text().splitlines()) == 40
    assert more.meter.replications == 40
    assert more.meter.cpu_hours.value > first.store.sessions()[0]["meter"]["cpu_hours"][0]


def test_a_cancelled_run_is_partial_and_goes_on(queues, serial, tmp_path):
    cancel = threading.Event()
    seen = []

    def report(progress):
        seen.append((progress.done, progress.total, progress.data.sizes["replication"]))
        if progress.done >= 20:
            cancel.set()

    results = run(queues, store=tmp_path / "run", chunk=4, progress=report, cancel=cancel)
    assert results.stopped == "cancelled"
    assert "cancelled" in repr(results)
    assert seen[-1][1] == 80
    assert 20 <= sum(results.replications.values()) < 80
    partial = results.data.load()
    again = run(queues, store=tmp_path / "run").data.load()
    xr.testing.assert_identical(again, serial)
    number = partial["replication"].values[0]
    xr.testing.assert_equal(partial["queue_wait"].sel(replication=number), serial["queue_wait"].sel(replication=number))


def test_an_interrupt_from_the_keyboard_leaves_a_store_that_goes_on(queues, serial, tmp_path):
    def report(progress):
        if progress.done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(queues, store=tmp_path / "run", chunk=4, progress=report)
    assert 20 <= sum(simulate.open_results(tmp_path / "run").replications.values()) < 80
    xr.testing.assert_identical(run(queues, store=tmp_path / "run").data.load(), serial)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "the seed is 0 there and 1 here"),
        ({"step": "1h", "horizon": "1d"}, "the end is 2026-01-03T00:00:00 there and 2026-01-02T00:00:00 here"),
        ({"start": "2026-01-02"}, "the start is"),
        ({"trace": 1}, "the number of traced replications is 0 there and 1 here"),
    ],
)
def test_another_run_into_the_same_store_is_refused(queues, tmp_path, change, message):
    run(queues, 4, store=tmp_path / "run")
    with pytest.raises(SchemaError, match=message):
        run(queues, 4, store=tmp_path / "run", **change)


def test_another_model_into_the_same_store_is_refused(queues, tmp_path):
    run(queues, 4, store=tmp_path / "run")
    with pytest.raises(SchemaError, match="the model of scenario 'large' is queue-20.0-4-10.0 there"):
        run({**queues, "large": Queue(20.0, 5)}, 4, store=tmp_path / "run")
    with pytest.raises(SchemaError, match="the scenarios are"):
        run(queues["small"], 4, store=tmp_path / "run")


def test_a_folder_with_other_data_is_refused_and_left_alone(queues, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SchemaError, match="found other data"):
        run(queues, 4, store=tmp_path)
    with pytest.raises(SchemaError, match="found other data"):
        run(queues, 4, store=tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(SchemaError, match="found none"):
        simulate.open_results(tmp_path)


def test_two_processes_dont_compute_into_one_store(queues, tmp_path):
    results = run(queues, 4, store=tmp_path / "run")
    with results.store.writing(), pytest.raises(HistoryConflictError, match="locked by process"):
        run(queues, 8, store=tmp_path / "run")


def test_a_cut_line_of_finished_chunks_doesnt_count(queues, serial, tmp_path):
    run(queues, store=tmp_path / "run", chunk=8)
    file = tmp_path / "run/finished.jsonl"
    lines = [line for line in file.read_text().splitlines() if "session" not in line]
    file.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:30])
    assert sum(simulate.open_results(tmp_path / "run").replications.values()) == 72
    again = run(queues, store=tmp_path / "run")
    xr.testing.assert_identical(again.data.load(), serial)
    assert all(json.loads(line) for line in file.read_text().splitlines())
    # The meter of the call that was cut counts, from its chunks.
    assert again.meter.cpu_hours.value > 0


def test_a_damaged_list_of_chunks_is_named(queues, tmp_path):
    run(queues, 4, store=tmp_path / "run")
    file = tmp_path / "run/finished.jsonl"
    file.write_text("{broken\n" + file.read_text())
    with pytest.raises(CorruptionError, match=r"line 1 of .*finished\.jsonl"):
        simulate.open_results(tmp_path / "run")


def test_a_damaged_or_missing_chunk_is_named(queues, tmp_path):
    results = run(queues, store=tmp_path / "run", chunk=8)
    results.verify()
    file = tmp_path / "run/scenarios/large/queue_wait/c/2/0"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 4
    file.write_bytes(whole)
    with pytest.raises(
        CorruptionError, match=r"large/queue_wait/c/2/0 \(replication 16 to 23 of queue_wait\) fails its"
    ):
        simulate.open_results(tmp_path / "run").data.load()
    file.unlink()
    with pytest.raises(CorruptionError, match="is missing"):
        results.verify()
    # Others can be read all the same.
    simulate.open_results(tmp_path / "run").kpis["mean_wait"].load()


def test_damaged_chunks_are_computed_again_and_no_others(log, tmp_path, serial):
    model = Queue(20.0, 3, log=log)
    results = run(model, store=tmp_path / "run", chunk=8)
    folder = tmp_path / "run/scenarios/queue"
    (folder / "customers/c/0").unlink()
    (folder / "server_busy/c/3/0/0").write_bytes(b"nothing")
    # A whole chunk in the place of another one: its checksum is right, its numbers aren't.
    (folder / "mean_wait/c/4").write_bytes((folder / "mean_wait/c/1").read_bytes())
    with pytest.raises(CorruptionError):
        results.verify()
    before = len(log.read_text().splitlines())
    repaired = results.repair(progress=False)
    computed = [int(line.split()[0]) for line in log.read_text().splitlines()[before:]]
    assert sorted(computed) == [*range(8), *range(24, 40)]
    repaired.verify()
    simulate.open_results(tmp_path / "run").verify()
    np.testing.assert_array_equal(repaired.data["mean_wait"].values[0], serial["mean_wait"].sel(scenario="small"))
    assert repaired.repair(progress=False).replications == {"queue": 40}


def test_a_full_disk_is_named_and_finished_chunks_are_kept(queues, serial, tmp_path, monkeypatch):
    from twinlab.history.regions import region_store

    written = []
    write = region_store.write_atomically

    def full(target, writer):
        written.append(target)
        if len(written) > 60:

            def writer(draft):
                raise OSError(28, "No space left on device")

        return write(target, writer)

    monkeypatch.setattr(region_store, "write_atomically", full)
    with pytest.raises(SourceError, match="No space left on device; free some space"):
        run(queues, store=tmp_path / "run", chunk=4)
    assert sum(simulate.open_results(tmp_path / "run").replications.values()) > 0
    monkeypatch.undo()
    xr.testing.assert_identical(run(queues, store=tmp_path / "run").data.load(), serial)


def test_large_results_go_to_a_folder_that_is_removed_with_them(queues, serial, monkeypatch):
    monkeypatch.setattr(schedule, "MEMORY_BYTES", 1000)
    results = run(queues, chunk=2)
    path = results.store.path
    assert path.is_dir()
    xr.testing.assert_identical(results.data.load(), serial)
    assert results.extend(44).replications == {"small": 44, "large": 44}
    del results
    assert not path.exists()


class Failing(Queue):
    def advance_many(self, state, *, replications, **options):
        if 30 in replications:
            message = "a truck without a route"
            raise ValueError(message)
        return super().advance_many(state, replications=replications, **options)


def test_an_error_of_the_model_is_raised_and_finished_chunks_are_kept(tmp_path):
    with pytest.raises(ValueError, match="without a route"):
        run(Failing(20.0, 3), store=tmp_path / "run", chunk=4, workers=1)
    assert simulate.open_results(tmp_path / "run").replications["queue"] >= 24


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": []}, "at least one model"),
        ({"models": "queue"}, "expected a model"),
        ({"models": [Queue(), Queue()]}, "different names"),
        ({"horizon": "a week"}, "horizon="),
        ({"horizon": "-1d"}, "horizon="),
        ({"step": "0h"}, "step="),
        ({"horizon": "90min"}, "whole steps"),
        ({"start": "yesterday or so"}, "start="),
        ({"start": None}, "start= or state="),
        ({"replications": 0}, "at least 1"),
        ({"trace": -1}, "at least 0"),
        ({"workers": 0}, "workers="),
        ({"workers": "all"}, "workers="),
        ({"budget": "much"}, "expected a budget"),
        ({"budget": "2 USD"}, "currency"),
        ({"over_budget": "hope"}, "over_budget="),
    ],
)
def test_a_wrong_argument_is_named_before_anything_runs(options, message, log):
    options = {"models": Queue(log=log), "replications": 4} | options
    with pytest.raises(SchemaError, match=message):
        run(options.pop("models"), **options)
    assert not log.exists()


def test_a_quote_is_made_of_the_first_chunks_only(log):
    found = simulate.quote(Queue(2000.0, 205, log=log), replications=100_000, **{**OPTIONS, "horizon": "7d"})
    assert isinstance(found, Cost)
    assert found.replications == 100_000
    assert len(log.read_text().splitlines()) < 1000
    for amount in found.amounts.values():
        assert amount.low <= amount.value <= amount.high
        assert amount.source
    with pytest.raises(SchemaError, match="store"):
        simulate.quote(Queue(), store="x", **OPTIONS)


def test_a_run_above_its_budget_is_refused_before_it_is_spent(log, tmp_path):
    model = Queue(2000.0, 205, log=log)
    with pytest.raises(simulate.BudgetError, match=r"at most 5 s.*truncate"):
        run(model, 100_000, budget="5 s", store=tmp_path / "run", horizon="7d")
    assert len(log.read_text().splitlines()) < 1000


def test_a_budget_that_ends_while_the_first_replications_are_timed_is_refused_too(queues):
    with pytest.raises(
        simulate.BudgetError, match=r"expected at most 0\.0001 s, but .* replications take .* raise the budget"
    ):
        run(queues, 1_000_000, budget="0.0001 s")
    stopped = run(queues, 1_000_000, budget="0.0001 s", over_budget="truncate")
    assert stopped.stopped == "the budget of 0.0001 s is spent"


def test_a_truncated_run_stays_within_its_budget():
    results = run(Queue(2000.0, 205), 100_000, budget="2 CPU s", over_budget="truncate", horizon="7d")
    assert results.stopped == "the budget of 2 CPU s is spent"
    assert results.quote.cpu_hours.value * 3600 > 2
    # A chunk that has begun isn't stopped; other work on the machine can make it take more than was expected.
    assert 0.8 < results.meter.cpu_hours.value * 3600 < 3
    done = results.replications["queue"]
    assert results.meter.replications == done
    assert results.data["replication"].values.tolist() == list(range(done))


def test_a_run_within_its_budget_is_finished(queues):
    results = run(queues, budget="1 h")
    assert results.stopped == ""
    assert results.replications == {"small": 40, "large": 40}
