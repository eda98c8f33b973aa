"""Files of private keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from twinlab.errors import SchemaError
from twinlab.signing.keys.private_keys import make_key, public_text, read_key


def test_a_key_file_is_made_once_and_only_for_its_owner(tmp_path: Path, need: Callable[[str], object]) -> None:
    need("cryptography")
    path = tmp_path / "truck-1.pem"
    public = make_key(path)
    assert public_text(read_key(path)) == public
    with pytest.raises(SchemaError, match="aren't overwritten"):
        make_key(path)
    if os.name == "posix":
        path.chmod(0o644)
        with pytest.raises(SchemaError, match="chmod 600"):
            read_key(path)
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(SchemaError, match="PEM"):
        read_key(tmp_path / "text")
