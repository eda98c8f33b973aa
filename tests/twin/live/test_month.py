"""Weeks of a historian: files, memory and the work of a publication don't grow with the time that it has run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("month.py")
#: Folders whose files are those of the last day's publications, whatever the number of days.
PUBLISHED = ("history/icechunk/snapshots", "history/icechunk/transactions", "history/icechunk/refs", "history/seals")
#: MiB that a process may need more at the end than in the first week: until then not all heads that readers keep have come.
MEMORY = 60


def run(folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Yield what a historian needed at the end of each day."""
    command = [sys.executable, str(PROGRAM), str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if path := os.environ.get("TWINLAB_MONTH_OUT"):
                with Path(path).open("a") as out:
                    out.write(line)
            yield json.loads(line)
    assert process.returncode == 0


def test_what_was_published_a_day_ago_is_gone(tmp_path: Path) -> None:
    before, after = list(run(tmp_path / "twin", "--days", "1.6", "--rows", "600", "--every", "0.75", "--streams", "1"))
    # Two sources; the batch of this instant may be on its way.
    assert before["rows"] in (2 * 64_800, 2 * 64_200)
    assert after["rows"] in (2 * 129_600, 2 * 129_000)
    # An hour apart, after the first batch that is ten minutes old.
    assert 17 <= before["publications"] <= 19
    assert 17 <= after["publications"] <= 19
    # Those of the last day. Each hour Icechunk writes the oldest state that is left anew, whose file stays for a day after its end.
    assert all(after["files"][name] <= 28 + 24 for name in PUBLISHED), after["files"]
    assert after["files"]["history/seals"] <= 28, after["files"]
    assert after["files"]["live"] == before["files"]["live"]
    assert after["files"]["cache"] == before["files"]["cache"]
    assert after["files"]["ledger/stream0"] == before["files"]["ledger/stream0"]


@pytest.mark.soak
def test_a_month_of_one_row_a_second_leaves_files_and_memory_flat(tmp_path: Path) -> None:
    days = int(os.environ.get("TWINLAB_MONTH_DAYS", "30"))
    found = list(run(tmp_path / "twin", "--days", str(days + 0.01)))
    assert found[-1]["rows"] >= 3 * (86_400 * days - 60)
    assert len(found) == days
    settled, last = found[1:6], found[-1]
    for name in (*PUBLISHED, "cache", "live", "finders", "ledger/_twin"):
        assert last["files"][name] <= max(day["files"][name] for day in settled) + 2, name
    # A compaction, every three days, replaces many at once.
    name = "history/icechunk/manifests"
    assert last["files"][name] <= 1.5 * max(day["files"][name] for day in settled)
    # Bytes a row.
    for name in ("ledger/stream0", "ledger/table0", "history/icechunk/chunks"):
        assert last["bytes"][name] / last["rows"] <= 1.1 * max(day["bytes"][name] / day["rows"] for day in settled), (
            name
        )
    assert last["rss_mib"] <= max(day["rss_mib"] for day in settled) + MEMORY
    assert last["open_mib"] <= max(day["open_mib"] for day in settled) + MEMORY
    # Files of the ledger come with data: two for each segment of 4,096 minutes.
    assert last["files"]["ledger/stream0"] <= 5 + 2 * (days * 1440 // 4096 + 1)
