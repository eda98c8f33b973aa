"""A repository whose objects are elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinlab.errors import CorruptionError
from twinlab.history.remote.repository import address_of, object_parts, write_address
from twinlab.objects.address import Address


def test_a_file_beside_the_repository_says_where_its_objects_are(tmp_path: Path) -> None:
    repository = tmp_path / "history" / "icechunk"
    repository.mkdir(parents=True)
    assert address_of(repository) is None
    assert object_parts(repository, "S") is None
    address = Address("plant", "pilot", "https://store.example", "eu-1")
    write_address(repository, address)
    assert address_of(repository) == address
    assert "secret" not in (repository.parent / "objects.json").read_text()
    (repository.parent / "objects.json").write_text('{"bucket": ')
    with pytest.raises(CorruptionError, match="expected an address, got"):
        address_of(repository)
