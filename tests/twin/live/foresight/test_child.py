"""`twinlab run` predicts what twin.yaml states, in a process of its own that ends with it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.twin.predict.test_rounds import make
from twinlab.model.predictions.rule import PredictionRule
from twinlab.twin.live.foresight.child import seconds_between

LIVE = "live: {kind: watch, folder: incoming, every: 1s}\n"


@pytest.mark.parametrize(("every", "seconds"), [("1min", 20), ("5min", 100), ("1d", 300)])
def test_rounds_are_often_enough_for_the_shortest_time_between_predictions(every, seconds):
    assert (
        seconds_between([PredictionRule(delay="trip", every=every), PredictionRule(delay="leg", every="1d")]) == seconds
    )


@pytest.mark.skipif(os.name != "posix", reason="sends SIGTERM")
def test_a_running_historian_predicts_and_stops_when_it_is_asked_to(tmp_path, need):
    need("lightgbm")
    twin = make(tmp_path, until=np.datetime64("now", "ns") - np.timedelta64(30, "m"))
    plan = twin.folder / "mapping" / "plan.yaml"
    plan.write_text(plan.read_text() + LIVE)
    (twin.folder / "incoming").mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "twinlab.cli", "run", str(twin.folder)], stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + 120
            while '"did": "trips: predicted at' not in (tmp_path / "log").read_text():
                assert process.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.2)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert process.returncode == 0
    assert "trips, late" in twin.predictions
    assert twin.models.record("trips").owner == "twin.yaml"
