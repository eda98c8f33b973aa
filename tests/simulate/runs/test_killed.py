"""Runs on a cluster of processes, and runs whose worker or whose own process is killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from queue_model import Queue

from twinlab import simulate

HERE = Path(__file__).parent
OPTIONS = {"start": "2026-01-01", "horizon": "2d", "step": "1h", "replications": 40, "chunk": 4, "progress": False}


@pytest.fixture(scope="module")
def serial():
    return simulate.run(Queue(20.0, 3), workers=1, **OPTIONS).data.load()


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_processes_gives_the_same_bits_also_when_a_worker_is_killed(cluster_client, serial, log, tmp_path):
    calm = simulate.run(Queue(20.0, 3), client=cluster_client, **OPTIONS)
    xr.testing.assert_identical(calm.data.load(), serial)
    assert "not measured" in calm.meter.kwh.source

    killed = []

    def report(progress):
        if progress.done >= 12 and not killed:
            killed.append(int(log.read_text().split()[-1]))
            os.kill(killed[0], signal.SIGKILL)

    results = simulate.run(
        Queue(20.0, 3, log=log),
        client=cluster_client,
        store=tmp_path / "run",
        **{**OPTIONS, "progress": report, "trace": 2},
    )
    assert killed
    assert killed[0] != os.getpid()
    assert results.stopped == ""
    xr.testing.assert_identical(results.data.load(), serial)
    assert len(results.events("visit")) == 2


PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from queue_model import Queue
from twinlab import simulate

def report(progress):
    print(progress.done, flush=True)

simulate.run(Queue(20.0, 3, log=sys.argv[3]), start="2026-01-01", horizon="2d", step="1h", replications=4000, chunk=4,
             progress=report, store=sys.argv[2])
"""


@pytest.mark.parametrize("after", [4, 120])
def test_a_run_whose_process_is_killed_goes_on_and_computes_nothing_finished_again(tmp_path, after):
    store, log = tmp_path / "run", tmp_path / "computed.txt"
    command = [sys.executable, "-c", PROGRAM, str(HERE), str(store), str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < after:
            pass
        process.send_signal(signal.SIGKILL)
    finished = simulate.open_results(store)
    done = finished.data["replication"].values
    assert after <= len(done) < 4000
    finished.verify()
    again = simulate.run(Queue(20.0, 3, log=log), store=store, **{**OPTIONS, "replications": 160})
    assert len(again.data["replication"]) == max(160, done.max() + 1)
    computed = Counter(int(line.split()[0]) for line in log.read_text().splitlines())
    # What was being computed when the process was killed is computed again, and nothing else.
    twice = [number for number, count in computed.items() if count > 1]
    assert set(twice).isdisjoint(done)
    again.verify()
    whole = simulate.run(Queue(20.0, 3), workers=1, **{**OPTIONS, "replications": 160}).data
    xr.testing.assert_identical(again.data.isel(replication=slice(160)).load(), whole.load())
    assert not [path for path in store.rglob(".*") if time.time() - path.stat().st_mtime > 3600]
    np.testing.assert_array_equal(again.data["replication"], np.arange(len(again.data["replication"])))
