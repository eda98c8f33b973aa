"""Watched asset types: rows scored as they come give what a search of the same rows gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pandas as pd
import pytest

import twinlab as tl

from .conftest import FAULTS, LATER, USUAL, at

Make = Callable[[], tl.Twin]
COLUMNS = ["asset", "start", "end", "peak", "peak_time", "sustained", "signals"]


def searched(twin: tl.Twin, stop: object = None) -> pd.DataFrame:
    """The events of one search of all rows after the usual ones, with what was learnt for the watch."""
    found = twin.anomalies("pump", fitted=twin.anomaly_events.fitted("pump"), start=at(0), stop=stop)
    found.attrs = {}
    return found


def watched(twin: tl.Twin) -> pd.DataFrame:
    return twin.anomaly_events.table("pump")[COLUMNS].sort_values(["start", "asset"], ignore_index=True)


def append(twin: tl.Twin, rows: pd.DataFrame) -> None:
    with twin.writer() as writer:
        writer.append(rows, table="readings")


@pytest.mark.parametrize("batch", [LATER, 40])
def test_rows_in_any_batches_give_the_events_of_one_search(pumps: Make, all_rows: pd.DataFrame, batch: int) -> None:
    twin, later = pumps(), all_rows.iloc[3 * USUAL :]
    counts = []
    for first in range(0, LATER, batch):
        append(twin, later.iloc[3 * first : 3 * (first + batch)])
        twin.anomaly_events.update(twin.reader)
        counts.append(len(twin.anomaly_events.table(active=True)))
    found = watched(twin)
    pd.testing.assert_frame_equal(found, searched(twin))
    assert found["asset"].tolist() == [fault[0] for fault in FAULTS]
    assert found["start"].tolist() == [at(first + 2) for _, first, _, _ in FAULTS]
    assert all("current" in one for one in found["signals"])
    if batch < LATER:
        assert 1 in counts and 0 in counts


def test_late_rows_are_scored_again_from_the_state_before_them(pumps: Make, all_rows: pd.DataFrame) -> None:
    twin, later = pumps(), all_rows.iloc[3 * USUAL :]
    late = (later["pump"] == "P2") & (later["time"] >= at(200)) & (later["time"] < at(260))
    for rows in (later[~late].iloc[:900], later[~late].iloc[900:]):
        append(twin, rows)
        twin.anomaly_events.update(twin.reader)
    assert twin.anomaly_events.status()["settled_until"][0] > at(LATER - 20)
    assert "P2" not in set(watched(twin)["asset"])
    append(twin, later[late])
    twin.anomaly_events.update(twin.reader)
    found = watched(twin)
    pd.testing.assert_frame_equal(found, searched(twin))
    assert "P2" in set(found["asset"])


def test_the_historian_scores_rows_as_they_come_and_a_kill_changes_nothing(pumps: Make, all_rows: pd.DataFrame) -> None:
    twin, later = pumps(), all_rows.iloc[3 * USUAL :]
    later.to_csv(twin.folder / "later.csv", index=False)
    mapping = (twin.folder / "mapping" / "feed.yaml").read_text()
    (twin.folder / "mapping" / "feed.yaml").write_text(mapping.replace("4000", "600"))
    process = subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "run", str(twin.folder)], stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while not len(twin.anomaly_events.table("pump")):
        assert time.monotonic() < until, "no event"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (twin.folder / "mapping" / "feed.yaml").write_text(mapping)
    twin = tl.open(twin.folder)
    assert not twin.anomaly_events.status()["behind"][0]
    twin.run(once=True)
    found = watched(twin)
    pd.testing.assert_frame_equal(found, searched(twin))
    assert found["asset"].tolist() == [fault[0] for fault in FAULTS]
    assert twin.anomaly_events.table("pump")["settled"].all()


def test_a_state_that_is_damaged_is_made_again_from_an_earlier_one(pumps: Make, all_rows: pd.DataFrame) -> None:
    twin, later = pumps(), all_rows.iloc[3 * USUAL :]
    append(twin, later.iloc[:1200])
    twin.anomaly_events.update(twin.reader)
    states = sorted((twin.folder / "anomalies").glob("*/states/*.model"))
    states[-1].write_bytes(b"damaged")
    (states[-1].parents[1] / "events.json").write_text("{")
    twin = tl.open(twin.folder)
    append(twin, later.iloc[1200:])
    twin.anomaly_events.update(twin.reader)
    pd.testing.assert_frame_equal(watched(twin), searched(twin))


def test_a_unit_that_has_changed_since_is_said_and_events_stay(pumps: Make, all_rows: pd.DataFrame) -> None:
    twin = pumps()
    append(twin, all_rows.iloc[3 * USUAL :])
    twin.anomaly_events.update(twin.reader)
    before = watched(twin)
    text = (twin.folder / "twin.yaml").read_text()
    (twin.folder / "twin.yaml").write_text(text.replace("current: {unit: A", "current: {unit: mA"))
    twin.rebuild()
    twin.anomaly_events.update(twin.reader)
    (error,) = twin.anomaly_events.status()["error"]
    assert "the unit is mA, the model was trained on A" in error
    pd.testing.assert_frame_equal(watched(twin), before)


def test_watching_begins_after_what_was_learnt_and_ends_when_it_is_stopped(pumps: Make) -> None:
    twin = pumps()
    fitted = twin.anomaly_events.fitted("pump")
    with pytest.raises(tl.errors.SchemaError, match="where the usual span ends"):
        twin.watch_anomalies("pump", fitted=fitted, start="2026-03-01")
    with pytest.raises(tl.errors.SchemaError, match="learnt of 'truck', got that of 'pump'"):
        twin.watch_anomalies("truck", fitted=fitted)
    assert "pump watched" in repr(twin.anomaly_events)
    twin.anomaly_events.stop("pump")
    assert "no asset type watched" in repr(twin.anomaly_events)
    with pytest.raises(tl.errors.UnknownTermError, match="'pump' isn't watched"):
        twin.anomaly_events.limits("pump")
