"""Tokens of users: shown once, stored as hashes, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinlab.apps.login.tokens.token_command import manage_tokens
from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.login.users import Users
from twinlab.errors import SchemaError, UnknownTermError

WORD = "a long enough password"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    made = Users(tmp_path / "users.json")
    made.add("dora", WORD, roles=["dispatcher"])
    made.add("ada", WORD, roles=["admin"])
    return made


def test_a_token_is_its_users_and_only_its_hash_is_stored(users: Users) -> None:
    tokens = Tokens(users)
    text, token = tokens.make("Dora")
    found = tokens.user(text)
    assert found is not None and (found.name, found.roles) == ("dora", ("dispatcher",))
    stored = tokens.path.read_text()
    assert text not in stored and token.hash in stored
    assert tokens.path.stat().st_mode & 0o077 == 0
    for wrong in ("", text[:-1], f"{text}x", token.hash, "twinlab_", f"twinlab_{'x' * 500}", "twinlab_\ud800"):
        assert tokens.user(wrong) is None


def test_a_token_ends_with_its_days_a_new_password_its_user_and_when_it_is_revoked(users: Users) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tokens = Tokens(users, clock=lambda: now)
    text, _ = tokens.make("dora", days=2)
    now += timedelta(days=1)
    assert tokens.user(text) is not None
    now += timedelta(days=1)
    assert tokens.user(text) is None
    other, third, of_ada = (tokens.make(name)[0] for name in ("dora", "dora", "ada"))
    assert tokens.revoke("dora") == 2
    assert tokens.user(other) is tokens.user(third) is None
    assert tokens.user(of_ada) is not None
    users.remove("ada")
    assert tokens.user(of_ada) is None


def test_a_new_password_ends_tokens(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens(users)
    text, _ = tokens.make("dora")
    monkeypatch.setattr("twinlab.apps.login.users._now", lambda: "2030-01-01T00:00:00Z")
    users.set_password("dora", "a new and long password")
    assert tokens.user(text) is None


def test_roles_are_those_that_the_user_has_now(users: Users) -> None:
    tokens = Tokens(users)
    text, _ = tokens.make("dora")
    path = users.path
    path.write_text(path.read_text().replace('"dispatcher"', '"viewer"'))
    found = tokens.user(text)
    assert found is not None and found.roles == ("viewer",)


def test_faults_are_explained(users: Users) -> None:
    tokens = Tokens(users)
    with pytest.raises(UnknownTermError, match="has no user 'nobody'"):
        tokens.make("nobody")
    for days in (0, 367):
        with pytest.raises(SchemaError, match="expected 1 to 366 days"):
            tokens.make("dora", days=days)
    with pytest.raises(SchemaError, match="expected a name"):
        manage_tokens("token", users.path, name=None, days=1)
    for _ in range(20):
        tokens.make("ada")
    with pytest.raises(SchemaError, match="has 20 tokens"):
        tokens.make("ada")
    tokens.path.write_text("{")
    assert tokens.user("twinlab_x") is None
    with pytest.raises(SchemaError, match="is no file of tokens"):
        tokens.make("dora")


def test_the_command_shows_the_token_in_its_last_line(users: Users) -> None:
    said = manage_tokens("token", users.path, name="dora", days=7).splitlines()
    found = Tokens(users).user(said[-1])
    assert found is not None and found.name == "dora"
    assert manage_tokens("revoke", users.path, name="dora", days=7) == "1 token of dora ended"
