"""How far a run is: shown in a terminal, in a notebook, or given to a callback."""

import time

import pytest
import xarray as xr
from queue_model import Queue

from twinlab import simulate
from twinlab.simulate.runs import progress as module
from twinlab.simulate.runs.progress import Progress, reporting

OPTIONS = {"start": "2026-01-01", "horizon": "2d", "step": "1h", "replications": 40, "chunk": 4}


def test_a_callback_gets_each_chunk_once_with_what_is_left():
    seen: list[Progress] = []
    results = simulate.run(Queue(20.0, 3), progress=seen.append, **OPTIONS)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == seen[-1].total == 40
    assert seen[-1].seconds_left == 0
    assert all(one.seconds_left > 0 for one in seen[1:-1])
    joined = xr.concat([one.data for one in seen], "replication").sortby("replication")
    assert joined["mean_wait"].equals(results.data["mean_wait"].isel(scenario=0, drop=True))


def test_a_bar_shows_the_share_and_the_time_left(capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    monkeypatch.setattr(module, "_DELAY", 0)
    with reporting(None) as report:
        for done in (10, 30):
            # A bar is drawn ten times a second at most.
            time.sleep(0.15)
            report(Progress(done, 40, 90.0 - done, "queue", xr.Dataset()))
    shown = capsys.readouterr().err
    assert "01:20 left" in shown or "01:00 left" in shown
    assert "/40" in shown


@pytest.mark.parametrize("disable", ["1", "0"])
def test_nothing_is_shown_where_it_isnt_wanted(capsys, monkeypatch, disable):
    monkeypatch.setenv("TQDM_DISABLE", disable)
    monkeypatch.setattr(module, "_DELAY", 0)
    with reporting(False if disable == "0" else None) as report:
        report(Progress(10, 40, 80.0, "queue", xr.Dataset()))
    assert capsys.readouterr().err == ""
