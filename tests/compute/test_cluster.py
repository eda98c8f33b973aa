"""The pool of a Dask cluster: lost workers, retries, errors, refusals, and arrays that are computed inside a task."""

import os
import signal
import time
from pathlib import Path

import dask
import dask.array as da
import pytest

from twinlab.compute import Handle, checks, cluster, pool_of
from twinlab.compute.handles import Opening
from twinlab.compute.pool import Call
from twinlab.errors import ClusterError, SchemaError, SourceError


def slow_square(number, folder):
    """Leave a trace of each try."""
    with (Path(folder) / str(number)).open("a") as file:
        file.write("x")
    time.sleep(0.05)
    return number * number


def kill_own_worker():
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(folder):
    (Path(folder) / f"try-{time.time_ns()}").touch()
    msg = "wrong unit in row 7"
    raise SchemaError(msg)


def fail_once(folder):
    mark = Path(folder) / "failed"
    if not mark.exists():
        mark.touch()
        msg = "the network is down"
        raise SourceError(msg)
    return "read"


def nested():
    return da.ones(4, chunks=2).sum().compute(), dask.config.get("scheduler", None)


def test_a_task_whose_worker_is_killed_is_computed_by_another_one(cluster_client, tmp_path):
    calls = [Call(slow_square, (number, str(tmp_path)), str(number)) for number in range(24)]
    pid = next(iter(cluster_client.run(os.getpid).values()))
    with pool_of(cluster_client) as pool:
        found = []
        for result in pool.in_order(calls):
            found.append(result)
            if len(found) == 4:
                os.kill(pid, signal.SIGKILL)
    assert found == [number * number for number in range(24)]
    tries = [len((tmp_path / str(number)).read_text()) for number in range(24)]
    # What was begun is computed again, and what was taken isn't.
    assert tries[:4] == [1, 1, 1, 1]
    assert sum(tries) <= 24 + 4


def test_a_shared_value_outlives_the_worker_that_has_it(cluster_client):
    pids = list(cluster_client.run(os.getpid).values())
    with pool_of(cluster_client) as pool:
        shared = pool.share({"a": 1})
        assert pool.submit(len, shared).result() == 1
        os.kill(pids[0], signal.SIGKILL)
        assert list(pool.in_order(Call(len, (shared,)) for _ in range(8))) == [1] * 8


def test_a_task_that_ends_its_worker_each_time_is_an_error_that_names_part_and_reason(cluster_client):
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        cluster_client.run_on_scheduler(allow_failures, 0)
        try:
            with (
                pytest.raises(ClusterError, match=r"'rooms, March' was begun 1 times.*tcp://.*memory_limit"),
                pool_of(cluster_client) as pool,
            ):
                pool.submit(kill_own_worker, place="rooms, March").result()
        finally:
            cluster_client.run_on_scheduler(allow_failures, 3)


def allow_failures(count, dask_scheduler):
    dask_scheduler.allowed_failures = count


def test_wrong_data_are_not_tried_again_and_the_error_names_part_and_worker(cluster_client, tmp_path):
    with pytest.raises(SchemaError, match="wrong unit in row 7") as caught, pool_of(cluster_client) as pool:
        pool.submit(refuse, str(tmp_path), place="rooms, March").result()
    assert "In the part 'rooms, March', on worker tcp://" in caught.value.__notes__[0]
    assert len(list(tmp_path.iterdir())) == 1


def test_what_may_pass_is_tried_again(cluster_client, tmp_path):
    with pool_of(cluster_client) as pool:
        assert pool.submit(fail_once, str(tmp_path)).result() == "read"


def test_arrays_inside_a_task_are_computed_there(cluster_client):
    with pool_of(cluster_client) as pool:
        assert pool.submit(nested).result() == (4.0, "synchronous")
        assert dask.config.get("scheduler") == "threads"
    assert dask.config.get("scheduler", None) is None


def test_tasks_are_withdrawn_when_the_caller_stops(cluster_client, tmp_path):
    with pytest.raises(KeyboardInterrupt), pool_of(cluster_client) as pool:
        for number in range(400):
            pool.submit(slow_square, number, str(tmp_path))
        raise KeyboardInterrupt
    # The workers hear of it a moment later.
    counts = [-1]
    while counts[-1] != (now := len(list(tmp_path.iterdir()))):
        counts.append(now)
        time.sleep(0.5)
    assert counts[-1] < 300


def test_another_version_on_the_workers_is_refused(cluster_client, monkeypatch):
    for module in (checks, cluster):
        monkeypatch.setattr(module, "package_version", lambda: "9.9.9")
    with (
        pytest.raises(ClusterError, match=r"expected twinlab 9.9.9 on all workers.*has 0\..*2 of 2.*install the same"),
        pool_of(cluster_client),
    ):
        pass
    # One that joins later is found by its first task.
    monkeypatch.setattr(cluster, "check_workers", lambda *_: None)
    with (
        pytest.raises(ClusterError, match=r"expected twinlab 9.9.9.*but worker tcp://"),
        pool_of(cluster_client) as pool,
    ):
        pool.submit(len, "abc").result()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_has_lost_all_workers_is_an_error(monkeypatch, tmp_path):
    import distributed

    monkeypatch.setattr(cluster, "_LOOK", 0.1)
    monkeypatch.setattr(cluster, "_ALONE", 0.5)
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with (
        distributed.LocalCluster(silence_logs=50, **options) as lost,
        distributed.Client(lost, set_as_default=False) as client,
        pytest.raises(ClusterError, match="has had no worker for .* min.*memory_limit"),
        pool_of(client) as pool,
    ):
        assert pool.submit(len, "abc").result() == 3
        time.sleep(0.3)
        lost.scale(0)
        while client.nthreads():
            time.sleep(0.05)
        pool.submit(len, "abc").result(timeout=60)


def missing(folder):
    if not Path(folder).is_dir():
        msg = f"expected the twin's folder {folder} there, too"
        raise ClusterError(msg)


def test_workers_without_the_twin_are_refused(cluster_client, tmp_path):
    handle = Handle(Opening(str, (str(tmp_path / "elsewhere"),), missing))
    with (
        pytest.raises(
            ClusterError, match=r"worker tcp://.* can't open the twin \(2 of 2 workers\): expected the twin's folder"
        ),
        pool_of(cluster_client, handle=handle),
    ):
        pass


def test_a_client_that_is_closed_or_asynchronous_is_refused(cluster_client):
    import distributed

    closed = distributed.Client(cluster_client.scheduler.address, set_as_default=False)
    closed.close()
    with pytest.raises(SchemaError, match="one that is closed; make a new one"), pool_of(closed):
        pass
