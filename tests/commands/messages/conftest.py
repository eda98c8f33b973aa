"""A command, and signers of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from twinlab.commands.messages import Command, new_command

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def command() -> Command:
    return new_command(
        "forklift/7", "max_speed", 6, "km/h",
        twin="parcel", operation="select", counter=1, expected_state="a" * 64, reason="people near the dock", now=NOW,
    )  # fmt: skip


@pytest.fixture(scope="session")
def signers(need: Callable[[str], object]) -> dict[str, Any]:
    need("securesystemslib")
    from securesystemslib.signer import CryptoSigner

    return {name: CryptoSigner.generate_ed25519(keyid=name) for name in ("one", "two", "stranger")}


@pytest.fixture(scope="session")
def keys(signers: dict[str, Any]) -> dict[str, Any]:
    return {name: signers[name].public_key for name in ("one", "two")}
