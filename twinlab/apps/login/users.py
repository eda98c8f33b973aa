"""The users file: names, roles and hashed passwords."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from twinlab._locks import Lock
from twinlab.apps.login.access import known_roles
from twinlab.apps.login.passwords import (
    Cost,
    check_new_password,
    check_password,
    cost_of,
    hash_password,
    is_hash,
    unmatched_hash,
)
from twinlab.apps.login.private_files import check_private, write_private
from twinlab.errors import SchemaError, SourceError, UnknownTermError

__all__ = ["Account", "Users", "normalized_name"]

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"\w[\w.@-]{0,63}")
_VERSION = 1
_MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class Account:
    """A user's entry in the users file."""

    roles: tuple[str, ...]
    # Text from `hash_password`.
    password: str
    # Time at which the password was set, UTC.
    changed: str


class Users:
    """The users file, read again whenever it changes.

    Parameters
    ----------
    path : Path
        A JSON file that only its owner can read; `add` makes it.
    cost : Cost, optional
        Parameters of the hashes of new passwords.
    """

    def __init__(self, path: Path, *, cost: Cost | None = None) -> None:
        self.path = path
        self._cost = cost or Cost()
        self._stamp: tuple[int, ...] | None = None
        self._accounts: dict[str, Account] = {}
        # A name that isn't in the file is checked against one of these, so that the response time doesn't depend on it.
        self._unmatched = [unmatched_hash(self._cost)]
        self._secret = secrets.token_bytes(16)

    def accounts(self) -> dict[str, Account]:
        """Return name -> account, in order of the names.

        Raises
        ------
        SourceError
            If the file is missing or others can read it.
        SchemaError
            If it isn't a users file.
        """
        check_private(self.path)
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._accounts, self._stamp = _read(self.path), stamp
            if self._accounts:
                self._unmatched = [unmatched_hash(cost_of(account.password)) for account in self._accounts.values()]
        return dict(self._accounts)

    def account(self, name: str) -> Account | None:
        """Return a user's current account; None if there is none, or if the file can't be read (which is logged)."""
        try:
            return self.accounts().get(name)
        except (SourceError, SchemaError):
            _LOG.exception("nobody can log in")
            return None

    @property
    def home(self) -> Path:
        """Folder of the users' own settings."""
        return self.path.with_name(f"{self.path.name}.d")

    def check(self, name: str, password: str) -> Account | None:
        """Return the account if name and password are right, else None. Both take the same time.

        A hash of another kind or cost than that of new passwords is replaced by a new one.
        """
        plain = normalized_name(name)
        account = self.account(plain)
        fits = check_password(password, self._unmatched_hash_for(plain) if account is None else account.password)
        if account is None or not fits:
            return None
        return account if cost_of(account.password) == self._cost else self._rehash(plain, password, account)

    def _unmatched_hash_for(self, name: str) -> str:
        # Accounts may have hashes of several costs. An unknown name always has the same one of them, as a known one has.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=8).digest()
        return self._unmatched[int.from_bytes(digest, "big") % len(self._unmatched)]

    def _rehash(self, name: str, password: str, checked: Account) -> Account | None:
        hashed = hash_password(password, cost=self._cost)

        def change(accounts: dict[str, Account]) -> None:
            if accounts.get(name) == checked:
                accounts[name] = replace(checked, password=hashed)

        try:
            self._change(change)
        except OSError:
            _LOG.warning("%s can't be written: the password hash of %r isn't renewed", self.path, name)
            return checked
        account = self.account(name)
        # Another process may have renewed the hash, changed the password or removed the user meanwhile.
        return account if account is not None and check_password(password, account.password) else None

    def add(self, name: str, password: str, *, roles: Iterable[str] = ("viewer",)) -> None:
        """Add a user; the file is made if there is none.

        Raises
        ------
        SchemaError
            If the name or password doesn't fit, or the name is taken.
        """
        name = self.require_new(name)
        check_new_password(password, name=name)
        account = Account(_fit_roles(roles), hash_password(password, cost=self._cost), _now())

        def change(accounts: dict[str, Account]) -> None:
            _refuse_taken(name, accounts, self.path)
            accounts[name] = account

        self._change(change, new=True)

    def require(self, name: str) -> str:
        """Return a name in its normal form, if the file has it.

        Raises
        ------
        UnknownTermError
            If the file has no such name.
        """
        return self._known(name, self.accounts())

    def require_new(self, name: str) -> str:
        """Return a name in its normal form, if it can be added.

        Raises
        ------
        SchemaError
            If it is taken, or isn't a valid name.
        """
        plain = _fit_name(name)
        if self.path.exists():
            _refuse_taken(plain, self.accounts(), self.path)
        return plain

    def remove(self, name: str) -> None:
        """Remove a user; the user's logins end.

        Raises
        ------
        UnknownTermError
            If the file has no such name.
        """
        self._change(lambda accounts: accounts.pop(self._known(name, accounts)))

    def set_password(self, name: str, password: str) -> None:
        """Set a user's password; the user's logins end.

        Raises
        ------
        UnknownTermError
            If the file has no such name.
        SchemaError
            If the password doesn't fit.
        """
        check_new_password(password, name=normalized_name(name))
        hashed = hash_password(password, cost=self._cost)

        def change(accounts: dict[str, Account]) -> None:
            known = self._known(name, accounts)
            accounts[known] = Account(accounts[known].roles, hashed, _now())

        self._change(change)

    def _known(self, name: str, accounts: dict[str, Account]) -> str:
        plain = normalized_name(name)
        if plain not in accounts:
            msg = f"{self.path} has no user {plain!r}; it has: {', '.join(accounts) or 'nobody'}"
            raise UnknownTermError(msg)
        return plain

    def _change(self, change: Callable[[dict[str, Account]], object], *, new: bool = False) -> None:
        if not self.path.parent.is_dir():
            msg = f"expected a folder {self.path.parent} for {self.path.name}; make it first"
            raise SourceError(msg)
        waiting = self.path.with_name(f".{self.path.name}.lock")
        with Lock(waiting, what="the users file", wait=None, mode=0o600):
            accounts = {} if new and not self.path.exists() else self.accounts()
            change(accounts)
            users = {name: asdict(accounts[name]) for name in sorted(accounts)}
            write_private(self.path, json.dumps({"version": _VERSION, "users": users}, ensure_ascii=False, indent=1))


def normalized_name(name: str) -> str:
    """Return a name in its normal form (NFKC, case-folded), so that each spelling means the same user.

    >>> normalized_name(" Dora ")
    'dora'
    """
    return unicodedata.normalize("NFKC", name[:256]).strip().casefold()


def _refuse_taken(name: str, accounts: dict[str, Account], path: Path) -> None:
    if name in accounts:
        msg = f"{name!r} is in {path} already; set a new password with `twinlab user passwd`"
        raise SchemaError(msg)


def _fit_name(name: str) -> str:
    plain = normalized_name(name)
    if not _NAME.fullmatch(plain):
        msg = f"expected a name of 1 to 64 letters, digits, '_', '.', '@' or '-', got {name!r}"
        raise SchemaError(msg)
    return plain


def _fit_roles(roles: Iterable[str]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(role.strip().casefold() for role in roles))
    if not kept or not all(re.fullmatch(r"[\w-]{1,64}", role) for role in kept):
        msg = f"expected roles such as {', '.join(known_roles())}, got {kept}"
        raise SchemaError(msg)
    return kept


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path) -> dict[str, Account]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
        if found["version"] != _VERSION:
            msg = f"expected users of version {_VERSION}, but {path} has {found['version']!r}; this twinlab is too old"
            raise SchemaError(msg)
        accounts = {
            str(name): Account(tuple(map(str, one["roles"])), str(one["password"]), str(one["changed"]))
            for name, one in found["users"].items()
        }
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}"
        raise SourceError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, SchemaError):
            raise
        msg = f"{path} is no users file ({type(error).__name__}: {error}); make one with `twinlab user add {path} NAME`"
        raise SchemaError(msg) from error
    for name, account in accounts.items():
        if not is_hash(account.password) or normalized_name(name) != name:
            msg = f"{path}, user {name!r}: name or password hash isn't as `twinlab user` writes it; remove and add this user"
            raise SchemaError(msg)
    return accounts
