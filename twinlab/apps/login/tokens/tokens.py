"""Tokens of users: made once, stored as hashes beside the users file, valid for some days."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twinlab._locks import Lock
from twinlab.apps.login.access import User
from twinlab.apps.login.private_files import check_private, write_private
from twinlab.apps.login.users import Users
from twinlab.errors import SchemaError, SourceError

__all__ = ["Token", "Tokens"]

_VERSION = 1
_PREFIX = "twinlab_"
_LONGEST = 100
_MOST_BYTES = 10_000_000
#: Most days that a token is valid, and most tokens of a user.
_MOST_DAYS, _MOST_OF_USER = 366, 20


@dataclass(frozen=True)
class Token:
    """One token, as it is stored."""

    hash: str
    """SHA-256 of its text, which has 256 random bits: no slow hash is needed."""
    user: str
    """Name in the users file."""
    made: str
    """When, UTC."""
    until: str
    """First instant at which it doesn't count, UTC."""
    password_of: str
    """When the user's password was set: a new one ends the token."""


class Tokens:
    """The tokens of a users file, in ``<users file>.tokens`` beside it, read again whenever it changes.

    A token has the roles that its user has now. It ends with its days, with a new password, with the user, and when it is revoked.

    Parameters
    ----------
    users : Users
    clock : callable, optional
        Returns the present instant, UTC.
    """

    def __init__(self, users: Users, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.users, self._clock = users, clock
        self.path = users.path.with_name(f"{users.path.name}.tokens")
        self._stamp: tuple[int, ...] | None = None
        self._found: dict[str, Token] = {}

    def make(self, name: str, *, days: int = 90) -> tuple[str, Token]:
        """Return the text of a new token, which is shown once, and what is stored of it.

        Raises
        ------
        UnknownTermError
            If the users file has no such user.
        SchemaError
            If the days are out of range, or the user has too many tokens.
        """
        if not 1 <= days <= _MOST_DAYS:
            msg = f"expected 1 to {_MOST_DAYS} days, got {days}"
            raise SchemaError(msg)
        user = self.users.require(name)
        account = self.users.accounts()[user]
        text = f"{_PREFIX}{secrets.token_urlsafe(32)}"
        now = self._clock()
        token = Token(_hash(text), user, _text(now), _text(now + timedelta(days=days)), account.changed)

        def change(tokens: dict[str, Token]) -> None:
            for one in [one for one in tokens.values() if one.until <= _text(now)]:
                tokens.pop(one.hash)
            if sum(one.user == user for one in tokens.values()) >= _MOST_OF_USER:
                msg = f"{user} has {_MOST_OF_USER} tokens; revoke them first: twinlab user revoke {self.users.path} {user}"
                raise SchemaError(msg)
            tokens[token.hash] = token

        self._change(change)
        return text, token

    def revoke(self, name: str) -> int:
        """End all tokens of a user; return how many there were.

        Raises
        ------
        UnknownTermError
            If the users file has no such user.
        """
        user = self.users.require(name)
        gone: list[str] = []

        def change(tokens: dict[str, Token]) -> None:
            gone.extend(key for key, one in tokens.items() if one.user == user)
            for key in gone:
                tokens.pop(key)

        self._change(change)
        return len(gone)

    def user(self, text: str) -> User | None:
        """Return the user of a token; None if it doesn't count."""
        if not text.startswith(_PREFIX) or len(text) > _LONGEST:
            return None
        try:
            token = self._read().get(_hash(text))
        except (SourceError, SchemaError):
            return None
        account = None if token is None else self.users.account(token.user)
        if (
            token is None
            or account is None
            or account.changed != token.password_of
            or token.until <= _text(self._clock())
        ):
            return None
        return User(token.user, roles=account.roles, home=self.users.home)

    def _read(self) -> dict[str, Token]:
        if not self.path.exists():
            return {}
        check_private(self.path)
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._found, self._stamp = _parsed(self.path), stamp
        return dict(self._found)

    def _change(self, change: Callable[[dict[str, Token]], object]) -> None:
        waiting = self.path.with_name(f".{self.path.name}.lock")
        with Lock(waiting, what="the tokens", wait=None, mode=0o600):
            tokens = self._read()
            change(tokens)
            listed = [asdict(one) for one in sorted(tokens.values(), key=lambda one: (one.user, one.made))]
            write_private(self.path, json.dumps({"version": _VERSION, "tokens": listed}, ensure_ascii=False, indent=1))


def _parsed(path: Path) -> dict[str, Token]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
        tokens = [Token(**{name: str(value) for name, value in one.items()}) for one in found["tokens"]]
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise SourceError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{path} is no file of tokens ({type(error).__name__}: {error}); remove it, and make tokens with `twinlab user token`"
        raise SchemaError(msg) from error
    return {one.hash: one for one in tokens}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
