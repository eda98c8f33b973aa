"""Private keys in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from twinlab.errors import SchemaError
from twinlab.signing.envelopes import open_envelope, public_key, sign_payload
from twinlab.signing.keys import create_key, read_signer


def test_a_new_key_signs_what_its_public_part_verifies(tmp_path: Path) -> None:
    public = create_key(tmp_path / "ann.pem", note="card 1")
    wire = sign_payload(b"{}", "text/x", read_signer(tmp_path / "ann.pem"))
    opened = open_envelope(wire, payload_type="text/x", keys={public.key_id: public_key(public.key_id, public.public)})
    assert opened.key_ids == (public.key_id,)
    assert public.note == "card 1"
    assert (tmp_path / "ann.pem").stat().st_mode & 0o077 == 0


def test_keys_arent_overwritten_and_others_may_not_read_them(tmp_path: Path) -> None:
    path = tmp_path / "ann.pem"
    create_key(path)
    with pytest.raises(SchemaError, match="keys aren't overwritten"):
        create_key(path)
    path.chmod(0o644)
    with pytest.raises(SchemaError, match=f"run: chmod 600 {path}"):
        read_signer(path)


def test_what_is_no_ed25519_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="expected a private key"):
        read_signer(tmp_path / "missing.pem")
    path = tmp_path / "rsa.pem"
    key = rsa.generate_private_key(65_537, 2048)
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path.chmod(0o600)
    with pytest.raises(SchemaError, match="expected an Ed25519 key, got RSAPrivateKey"):
        read_signer(path)
