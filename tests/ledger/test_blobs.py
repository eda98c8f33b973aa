"""Source files in the ledger, by their content."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from twinlab.errors import CorruptionError, SourceError, UnknownTermError
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


def test_a_copy_of_text_is_compressed_and_one_of_compressed_data_is_not(ledger: Ledger, tmp_path: Path) -> None:
    text, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    text.write_bytes(b"".join(b"%d,%d.5\n" % (n, n * 7919 % 100) for n in range(300_000)))
    packed.write_bytes(gzip.compress(text.read_bytes()))
    for file, most in ((text, 0.5), (packed, 1.0)):
        file_id = ledger.blobs.put(file)
        assert ledger.blobs.path(file_id).stat().st_size <= most * file.stat().st_size
        with ledger.blobs.open(file_id) as content:
            assert content.read() == file.read_bytes()
    assert len(list(ledger.blobs.ids())) == 2
    assert ledger.verify().ok


def test_copies_of_earlier_versions_which_are_not_compressed_are_read_and_checked(
    ledger: Ledger, tmp_path: Path
) -> None:
    content = b"time,v\n" + b"2025-01-01,1\n" * 9000
    file_id = hashlib.sha256(content).hexdigest()
    old = ledger.path / "blobs" / file_id[:2] / file_id
    old.parent.mkdir(parents=True)
    old.write_bytes(content)
    (tmp_path / "a.csv").write_bytes(content)
    assert ledger.blobs.put(tmp_path / "a.csv") == file_id
    assert (list(ledger.blobs.ids()), ledger.blobs.path(file_id)) == ([file_id], old)
    with ledger.blobs.open(file_id) as file:
        assert file.read() == content
    old.write_bytes(content[:-1] + b"2")
    assert not ledger.verify().ok


@pytest.mark.parametrize("at", [0, 5, 0.5, -1])
def test_a_compressed_copy_that_is_damaged_or_cut_is_named(ledger: Ledger, tmp_path: Path, at: float) -> None:
    (tmp_path / "a.csv").write_bytes(b"".join(b"%d,%d\n" % (n, n * n) for n in range(50_000)))
    file_id = ledger.blobs.put(tmp_path / "a.csv")
    stored = ledger.blobs.path(file_id)
    data = bytearray(stored.read_bytes())
    place = int(at * len(data)) if isinstance(at, float) else at
    data[place] ^= 0x40
    for damaged in (bytes(data), bytes(data[: len(data) // 2])):
        stored.chmod(0o644)
        stored.write_bytes(damaged)
        with pytest.raises(CorruptionError, match=file_id):
            ledger.blobs.open(file_id)


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
