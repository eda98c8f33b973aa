"""Accounts of the users file, and of people whom a provider of OpenID Connect has named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from twinlab.apps.login.login_store import LoginStore
from twinlab.apps.login.users import Account, Users
from twinlab.errors import DatabaseUnreachableError

__all__ = ["PREFIX", "Accounts"]

#: What a name begins with that a provider has given; no name in a users file has a colon.
PREFIX = "oidc:"
_MOST_READ = 10_000
_TABLE = "CREATE TABLE IF NOT EXISTS people (name TEXT PRIMARY KEY, label TEXT NOT NULL, roles TEXT NOT NULL, sub TEXT NOT NULL)"


class Accounts:
    """Accounts of the users file and of a provider together.

    Parameters
    ----------
    users : Users, optional
        The users file.
    store : LoginStore
        Where people of the provider are stored as long as the server runs.
    home : Path
        Folder of the users' own settings.
    """

    def __init__(self, users: Users | None, store: LoginStore, *, home: Path) -> None:
        self.users, self._store, self.home = users, store, home
        store.need(_TABLE)
        # What was last read of a person, for as long as a database that servers share doesn't answer.
        self._read: dict[str, tuple[str, str] | None] = {}

    def account(self, name: str) -> Account | None:
        """Return the current account of a name."""
        if not name.startswith(PREFIX):
            return None if self.users is None else self.users.account(name)
        found = self._person(name)
        return None if found is None else Account(tuple(json.loads(found[0])), password="", changed="")

    def _person(self, name: str) -> tuple[str, str] | None:
        """Return roles and label of a person of the provider."""
        try:
            found = self._store.row("SELECT roles, label FROM people WHERE name = ?", (name,))
        except DatabaseUnreachableError:
            if name not in self._read:
                raise
            return self._read[name]
        if len(self._read) > _MOST_READ:
            self._read.clear()
        self._read[name] = None if found is None else (str(found[0]), str(found[1]))
        return self._read[name]

    def label(self, name: str) -> str:
        """Return the name that a provider gave a person to show; "" for a user of the users file."""
        found = self._person(name) if name.startswith(PREFIX) else None
        return "" if found is None else found[1]

    def put(
        self, name: str, *, label: str, roles: Sequence[str], subject: str
    ) -> tuple[Account, tuple[str, ...] | None]:
        """Store a person who has just logged in; return the account, and the roles before if they were others.

        With other roles, older logins of the person end.
        """
        before = self.account(name)
        self._store.change(
            "INSERT INTO people (name, label, roles, sub) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "label = excluded.label, roles = excluded.roles, sub = excluded.sub",
            (name, label, json.dumps(list(roles)), subject),
        )
        account = Account(tuple(roles), password="", changed="")
        return account, None if before is None or before == account else before.roles

    def name_of_subject(self, sub: str) -> str | None:
        """Return the name of the person whom the provider calls ``sub``."""
        found = self._store.row("SELECT name FROM people WHERE sub = ?", (sub,))
        return None if found is None else str(found[0])
