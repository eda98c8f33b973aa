"""The report of a verification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from twinlab.ledger import Ledger

Make = Callable[..., pa.RecordBatch]


def test_the_report_of_verify_reads_well_in_text_and_html(ledger: Ledger, telemetry: Make, tmp_path: Path) -> None:
    assert "0 rows" in str(ledger.verify())
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
    (tmp_path / "f").write_text("f")
    ledger.blobs.put(tmp_path / "f")
    seen: list[tuple[int, int]] = []
    report = ledger.verify(progress=lambda done, total: seen.append((done, total)))
    assert report.ok
    assert (report.rows, report.frames, report.segments, report.blobs) == (100, 1, 1, 1)
    assert "no damage found" in report._repr_html_()
    assert seen
    assert seen[-1][0] <= seen[-1][1]
