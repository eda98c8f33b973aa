"""The ledger's folder: one folder per source, for any name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab.errors import SchemaError
from twinlab.ledger import Ledger

Make = Callable[..., pa.RecordBatch]
ROWS = pa.RecordBatch.from_pydict({"tag": ["t1", "t2"], "source_time": [0, 1], "value": [4.5, 5.5]})


def test_source_names_may_hold_anything_but_never_leave_the_ledger(ledger: Ledger, telemetry: Make) -> None:
    names = ["a/b", "blobs", "Kühlraum 3", "x..", "50%", "c:\\d", "_twin"]
    for name in names:
        with ledger.writer(name) as w:
            w.append_observations(telemetry(1))
    assert ledger.sources() == sorted(names)
    assert {p.parent for p in ledger.path.iterdir()} == {ledger.path}
    assert all(ledger.reader(n).position() == 1 for n in names)
    for bad in ("", ".", "..", ".hidden"):
        with pytest.raises(SchemaError, match="Rename"):
            ledger.reader(bad)


@pytest.mark.parametrize("source", ["con", "Aux", "nul.csv", "room:7", "a\\b", "a/b", "x.", "x ", "blobs", "50 %", "é"])
def test_a_source_of_any_name_gets_a_folder_that_every_system_accepts(tmp_path: Path, source: str) -> None:
    ledger = Ledger(tmp_path)
    with ledger.writer(source) as writer:
        writer.append_observations(ROWS)
    assert Ledger(tmp_path).sources() == [source]
    assert Ledger(tmp_path).reader(source).position() == 2
    (folder,) = [path.name for path in tmp_path.iterdir()]
    assert not re.match(r"(con|aux|nul)\s*(\.|$)", folder, re.IGNORECASE)
    assert not re.search(r'[<>:"/\\|?*]|[. ]$', folder)
    assert folder != "blobs"


def test_a_source_whose_folder_has_a_name_of_an_earlier_version_stays_where_it_is(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.writer("con") as writer:
        writer.append_observations(ROWS)
    (tmp_path / "%63on").rename(tmp_path / "con")
    again = Ledger(tmp_path)
    assert again.reader("con").position() == 2
    with again.writer("con") as writer:
        writer.append_observations(ROWS)
    assert again.sources() == ["con"]
    assert Ledger(tmp_path).reader("con").position() == 4
