"""The file of keys, read whenever somebody signs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinlab.errors import SchemaError
from twinlab.signing.keys import KeyRingFile


def _write(path: Path, person: str) -> None:
    path.write_text(f'people:\n  {person}: {{roles: [operator], keys: [{{public: "{"a" * 64}"}}]}}\n', encoding="utf-8")


class _Interrupted(KeyRingFile):
    """Calls a function once, where another thread may run: after the first attribute that a read sets."""

    meanwhile: Callable[[], object] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        act = _Interrupted.meanwhile
        if act is not None and value is not None:
            _Interrupted.meanwhile = None
            act()


def test_a_ring_is_never_beside_the_bytes_of_another(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    _write(path, "Ann")
    file = _Interrupted(path)

    def revoke_and_read() -> None:
        _write(path, "Bob")
        assert set(file.read().people) == {"Bob"}

    _Interrupted.meanwhile = revoke_and_read
    assert set(file.read().people) == {"Ann"}
    _write(path, "Ann")
    assert set(file.read().people) == {"Ann"}
    _write(path, "Bob")
    assert set(file.read().people) == {"Bob"}


def test_an_invalid_file_is_an_error_each_time(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    _write(path, "Ann")
    file = KeyRingFile(path)
    known = file.read()
    assert file.read() is known
    path.write_text("people: [Ann]\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(SchemaError, match="people"):
            file.read()
    path.unlink()
    with pytest.raises(SchemaError, match="without it nobody can send a command"):
        file.read()
    _write(path, "Bob")
    assert set(file.read().people) == {"Bob"}
