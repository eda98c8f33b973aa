"""Use of pages: counted by several processes, bounded, without anything about people, and never in a page's way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twinlab as tl
from twinlab.errors import SourceError
from twinlab.twin.usage.counter import UsageCounter
from twinlab.twin.usage.store import MOST_KEYS, MOST_MONTHS, UsageStore
from twinlab.twin.usage.table import SMALL, usage_table

DAYS = st.dates(pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-12-31").date()).map(str)
KEYS = st.sampled_from(["page:now", "page:map", "task:excel", "answer:1s"])
MODEL = "twin: site\norigin: 2026-01-01\nasset_types:\n  room: {signals: {temperature: {unit: degC, resolution: 0.1, cadence: 1min}}}\n"
ADDING = """
import sys
from pathlib import Path
from twinlab.twin.usage.store import UsageStore
store = UsageStore(Path(sys.argv[1]))
for _ in range(40):
    while True:
        try:
            store.add({"2026-03-02": {"page:now": 1}})
        except Exception as error:
            assert "another" in str(error) or "lock" in str(error), error
        else:
            break
"""


def site(folder: Path, more: str = "") -> tl.Twin:
    (folder / "twin.yaml").write_text(MODEL + more)
    return tl.create(folder / "site", model=folder / "twin.yaml")


@given(st.lists(st.tuples(DAYS, KEYS), max_size=80))
def test_counts_by_week_are_those_of_pandas_and_small_ones_are_hidden(seen: list[tuple[str, str]]) -> None:
    counts: dict[str, dict[str, int]] = {}
    for day, key in seen:
        counts.setdefault(day, {}).setdefault(key, 0)
        counts[day][key] += 1
    table = usage_table(counts)
    frame = pd.DataFrame(seen, columns=["day", "key"])
    frame["week"] = pd.to_datetime(frame["day"]).dt.to_period("W-SUN").dt.start_time
    expected = frame.groupby(["week", "key"]).size()
    assert len(table) == len(expected)
    for row in table.to_dict("records"):
        number = expected[row["start"], f"{row['kind']}:{row['name']}"]
        assert row["shown"] == (str(number) if number >= SMALL else "< 5")
        assert pd.isna(row["count"]) if number < SMALL else row["count"] == number


def test_several_processes_add_without_losing_a_count(tmp_path: Path) -> None:
    adding = [subprocess.Popen([sys.executable, "-c", ADDING, str(tmp_path / "usage")]) for _ in range(3)]
    assert [one.wait(timeout=120) for one in adding] == [0, 0, 0]
    assert UsageStore(tmp_path / "usage").read() == {"2026-03-02": {"page:now": 120}}


def test_a_process_writes_what_it_counted_each_time_and_at_its_end(tmp_path: Path) -> None:
    store = UsageStore(tmp_path / "usage")
    counter = UsageCounter(store, every=0.05, clock=lambda: 1_772_409_600.0)
    counter.page("now")
    ends = time.monotonic() + 20
    while not store.read() and time.monotonic() < ends:
        time.sleep(0.02)
    for seconds in (0.2, 1.0, 2.0, 11.0, float("nan")):
        counter.answered(seconds)
    counter.close()
    found = {"page:now": 1, "task:answer": 5, "answer:1s": 3, "answer:3s": 1, "answer:longer": 1}
    assert store.read() == {"2026-03-02": found}


def test_what_is_written_has_days_and_counts_and_nothing_else(tmp_path: Path) -> None:
    counter = UsageCounter(UsageStore(tmp_path / "usage"))
    counter.page("now")
    counter.task("excel")
    counter.close()
    (path,) = (tmp_path / "usage").glob("*.json")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert json.loads(path.read_text()) == {day: {"page:now": 1, "task:excel": 1}}
    assert {one.name for one in (tmp_path / "usage").iterdir()} == {path.name, "lock"}


def test_a_folder_that_cannot_be_written_fails_no_page_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "usage").write_text("a file where the folder would be")
    store = UsageStore(tmp_path / "usage")
    with pytest.raises(SourceError, match="can't be written"):
        store.add({"2026-03-02": {"page:now": 1}})
    counter = UsageCounter(store, every=60)
    for _ in range(3):
        counter.page("now")
        assert not counter.flush()
    assert sum("isn't counted" in one.message for one in caplog.records) == 1
    (tmp_path / "usage").unlink()
    counter.close()
    assert [day["page:now"] for day in store.read().values()] == [3]


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = UsageStore(tmp_path / "usage")
    store.add({"2026-03-02": {"page:now": 1}})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(SourceError, match="No space left"):
            store.add({"2026-03-02": {"page:now": 1}})
    assert store.read() == {"2026-03-02": {"page:now": 1}}


@pytest.mark.parametrize("damage", ["{", "[]", '{"2026-03-02": {"page:now": "many"}}', '{"yesterday": {}}'])
def test_a_damaged_file_is_put_aside(tmp_path: Path, damage: str) -> None:
    store = UsageStore(tmp_path)
    (tmp_path / "2026-03.json").write_text(damage)
    assert store.read() == {}
    store.add({"2026-03-02": {"page:now": 1}})
    assert store.read() == {"2026-03-02": {"page:now": 1}}
    assert (tmp_path / "2026-03.damaged").read_text() == damage


def test_names_and_months_are_bounded(tmp_path: Path) -> None:
    store = UsageStore(tmp_path)
    store.add({"2026-03-02": {f"page:p{number}": 1 for number in range(3 * MOST_KEYS)} | {"page:<script>": 2}})
    (day,) = store.read().values()
    assert len(day) <= MOST_KEYS + 1
    assert sum(day.values()) == 3 * MOST_KEYS + 2
    assert not any("script" in key for key in day)
    for month in pd.period_range("2024-01", periods=MOST_MONTHS + 3, freq="M"):
        store.add({f"{month}-01": {"page:now": 1}})
    assert len(list(tmp_path.glob("*.json"))) == MOST_MONTHS


def test_a_count_takes_microseconds(tmp_path: Path) -> None:
    counter = UsageCounter(UsageStore(tmp_path / "usage"), every=60)
    began = time.process_time()
    for _ in range(2_000):
        counter.page("now")
    assert time.process_time() - began < 1.0
    counter.close()


def test_a_twin_counts_by_default_and_one_line_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = site(tmp_path)
    counter = twin.usage_counter
    assert counter is not None
    for _ in range(6):
        counter.page("now")
    counter.close()
    assert twin.usage()[["name", "count", "shown"]].values.tolist() == [["now", 6, "6"]]
    assert twin.usage(by="day")["start"].dt.normalize().nunique() == 1
    monkeypatch.setenv("TWINLAB_USAGE", "off")
    assert twin.usage_counter is None
    assert twin.has_usage
    monkeypatch.delenv("TWINLAB_USAGE")
    (twin.folder / "twin.yaml").write_text(MODEL + "usage: off\n")
    assert tl.open(twin.folder).usage_counter is None
