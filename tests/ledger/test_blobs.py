"""Source files in the ledger, by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import SourceError, UnknownTermError
from twinlab.ledger import Ledger


def test_the_same_file_twice_is_kept_once(ledger: Ledger, tmp_path: Path) -> None:
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_bytes(b"x,y\n" * 400_000)
    two.write_bytes(one.read_bytes())
    file_id = ledger.blobs.put(one)
    assert ledger.blobs.put(two) == file_id == ledger.blobs.put(str(one))
    assert list(ledger.blobs.ids()) == [file_id]
    assert ledger.blobs.known(file_id)
    with ledger.blobs.open(file_id) as file:
        assert file.read() == one.read_bytes()
    assert not list(ledger.path.rglob("*.tmp"))


def test_readings_of_a_name_are_remembered_in_order(ledger: Ledger, tmp_path: Path) -> None:
    ids = []
    for text in ("1", "2"):
        (tmp_path / "a.csv").write_text(text)
        ids.append(ledger.blobs.put(tmp_path / "a.csv"))
        ledger.blobs.read_as("fridges", "a.csv", ids[-1])
    ledger.blobs.read_as("other", "a.csv", ids[0])
    ledger.blobs.read_as("fridges", "b.csv", ids[0])
    assert ledger.blobs.readings("fridges", "a.csv") == ids
    assert ledger.blobs.names("fridges") == {"a.csv": ids[1], "b.csv": ids[0]}
    assert ledger.blobs.readings("fridges", "c.csv") == []


def test_an_unknown_file_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UnknownTermError, match="there is no copy of such a file"):
        ledger.blobs.open("0" * 64)
    with pytest.raises(UnknownTermError, match="SHA-256"):
        ledger.blobs.known("../../etc/passwd")
    with pytest.raises(SourceError, match=r"none\.csv"):
        ledger.blobs.put(tmp_path / "none.csv")
