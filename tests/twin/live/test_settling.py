"""Late rows change exactly their windows; windows are open, settling or settled by the sources' watermarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

LIVE = "{kind: replay, file: log.csv, lateness: 30min}"


def add(log: Path, *rows: tuple[str, str, float]) -> None:
    with log.open("a") as file:
        file.writelines(f"{time},{truck},{value}\n" for time, truck, value in rows)


def hours(twin: tl.Twin) -> pd.DataFrame:
    return twin.history("truck", step="1h").temperature_max.to_pandas()


def test_a_late_burst_changes_exactly_the_windows_that_it_is_of(live_twin: Callable[[str], tl.Twin], log: Path) -> None:
    twin = live_twin(LIVE)
    twin.run(once=True)
    add(log, *((f"2026-03-01T{hour:02}:00Z", truck, 1.0) for hour in range(3, 12) for truck in "ab"))
    twin.run(once=True)
    before = hours(twin)
    add(log, ("2026-03-01T01:10:30Z", "b", 99.0), ("2026-03-01T07:00:20Z", "a", 50.0))
    twin.run(once=True)
    after = hours(twin)
    changed = [(time.hour, truck) for (time, truck), same in (before == after).stack().items() if not same]
    assert changed == [(1, "b"), (7, "a")]
    other = tl.create(
        twin.folder.parent / "other", model=twin.folder / "twin.yaml", mappings=twin.folder / "mapping" / "feed.yaml"
    )
    other.ingest(tl.sources.csv(log, name="feed"))
    pd.testing.assert_frame_equal(after, hours(other))


def test_windows_are_open_then_settling_then_settled(live_twin: Callable[[str], tl.Twin], log: Path) -> None:
    twin = live_twin(LIVE)
    assert twin.window_states(["2026-03-01T01:00"], "truck").tolist() == ["open"]
    twin.run(once=True)  # up to 02:29
    stops = pd.date_range("2026-03-01T01:00", periods=5, freq="30min").values
    assert twin.window_states(stops, "truck").tolist() == ["settled", "settled", "settling", "open", "open"]
    add(log, ("2026-03-01T03:00Z", "a", 1.0))
    twin.run(once=True)
    assert twin.window_states(stops, "truck", signals=["temperature"]).tolist() == [
        "settled", "settled", "settled", "settled", "settling",
    ]  # fmt: skip


def test_a_source_whose_rules_have_ended_keeps_no_window_open(
    live_twin: Callable[[str], tl.Twin], log: Path, tmp_path: Path
) -> None:
    twin = live_twin(LIVE)
    files = tmp_path / "before.csv"
    files.write_text("time,truck,temperature\n2026-02-28T23:00Z,a,1.0\n")
    stop = ["2026-03-01T01:00"]
    for until, state in ((", valid_until: 2026-03-01", "settled"), ("", "open")):
        old = (twin.folder / "mapping" / "feed.yaml").read_text().replace("source: feed", "source: before")
        old = old[: old.index("live:")].replace("unit: degC}", f"unit: degC{until}}}")
        (twin.folder / "mapping" / "before.yaml").write_text(old)
        twin = tl.open(twin.folder)
        twin.ingest(tl.sources.csv(files, name="before"))
        twin.run(once=True)
        assert twin.window_states(stop, "truck").tolist() == [state]


def test_a_kpi_is_settled_only_when_rows_cannot_be_late_any_more(
    live_twin: Callable[[str], tl.Twin], log: Path, tmp_path: Path
) -> None:
    twin = live_twin(LIVE)
    path = twin.folder / "twin.yaml"
    path.write_text(
        path.read_text() + "kpis:\n  cool: {on: truck, formula: time_share(temperature <= 8 degC), unit: '%'}\n"
    )
    twin = tl.open(twin.folder)
    twin.run(once=True)
    kpi = twin.kpi("cool", every="30min", start="2026-03-01", stop="2026-03-01T02:30")
    assert kpi.settled_until.values == np.datetime64("2026-03-01T02:00")
    mapping = twin.folder / "mapping" / "feed.yaml"
    mapping.write_text(mapping.read_text().replace("30min", "1h"))
    assert tl.open(twin.folder).kpi("cool", every="30min").settled_until.values == np.datetime64("2026-03-01T01:30")


@pytest.mark.parametrize("lateness", ["1min", "2h"])
def test_another_lateness_rebuilds_nothing(live_twin: Callable[[str], tl.Twin], log: Path, lateness: str) -> None:
    twin = live_twin(LIVE)
    twin.run(once=True)
    snapshot = twin.reader.pinned().view.snapshot
    mapping = twin.folder / "mapping" / "feed.yaml"
    mapping.write_text(mapping.read_text().replace("30min", lateness))
    again = tl.open(twin.folder)
    again.history("truck")
    assert again.reader.pinned().view.snapshot == snapshot
    assert again.edits() == []
