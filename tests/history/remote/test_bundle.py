"""Small objects of a repository in one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import CorruptionError
from twinlab.history.remote import bundle
from twinlab.history.remote.bundle import bundle_bytes, bundle_path, read_bundle


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with objects of 0 to 300 bytes."""
    (tmp_path / "manifests").mkdir()
    for size in (300, 0, 20):
        (tmp_path / "manifests" / str(size)).write_bytes(bytes([size % 256]) * size)
    return tmp_path


NAMES = ["manifests/300", "manifests/0", "manifests/20"]


def test_a_bundle_has_the_bytes_of_its_objects(repository: Path) -> None:
    path = bundle_path(repository, "S")
    assert read_bundle(path) == {}
    path.parent.mkdir()
    path.write_bytes(bundle_bytes(repository, NAMES))
    assert read_bundle(path) == {name: (repository / name).read_bytes() for name in NAMES}


def test_the_largest_objects_are_left_out_of_a_full_bundle(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_LIMIT", 100)
    (repository / "b").write_bytes(bundle_bytes(repository, NAMES))
    assert set(read_bundle(repository / "b")) == {"manifests/0", "manifests/20"}


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"", lambda data: b"y" * 80]
)
def test_a_file_that_is_no_bundle_is_reported(repository: Path, damage: object) -> None:
    (repository / "b").write_bytes(damage(bundle_bytes(repository, NAMES)))
    with pytest.raises(CorruptionError, match="expected a bundle of metadata"):
        read_bundle(repository / "b")
