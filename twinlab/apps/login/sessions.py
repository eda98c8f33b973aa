"""Current logins, and counts of failed ones; processes of one server share them."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from twinlab.apps.login.access import User
from twinlab.apps.login.accounts import Accounts
from twinlab.apps.login.login_store import LoginStore
from twinlab.apps.login.users import Account, Users
from twinlab.errors import DatabaseUnreachableError

__all__ = ["Failures", "Login", "Logins", "seconds_to_wait"]

#: Seconds that a login lasts: a working day with its handover.
LOGIN_SECONDS = 12 * 3600.0
_MOST_LOGINS = 10_000
_MOST_COUNTED = 10_000
#: Seconds for which a login counts on that can't be looked up.
_TRUSTED_SECONDS = 900.0


@dataclass(frozen=True)
class Login:
    """One login of one user, in one browser."""

    # Hash of the cookie's secret.
    key: str
    name: str
    # The account at the time of the login: a new password or other roles end older logins.
    account: Account
    until: float


class Logins:
    """Logins by the secret in their cookie. A restart of the server ends them all; that of one of its processes, none.

    Those in a database that several servers share count in all of these, and outlast a restart. While it doesn't answer, nobody logs in or
    out; a login that this process has found valid within the last 15 minutes counts on.

    Parameters
    ----------
    users : Users or Accounts
        Read at each request: a user who was removed or has other roles is logged out at once.
    store : LoginStore, optional
        Where logins are stored; by default in the memory of this process. Secrets and passwords aren't: only hashes.
    seconds : float
        Duration of a login.
    clock : callable, optional
        Time in seconds, the same in all processes; by default that of the store.
    """

    def __init__(
        self,
        users: Users | Accounts,
        *,
        store: LoginStore | None = None,
        seconds: float = LOGIN_SECONDS,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.seconds = seconds
        self.store = store or LoginStore()
        self.users = users if isinstance(users, Accounts) else Accounts(users, self.store, home=users.home)
        self._clock = clock or self.store.clock
        # Logins that were found valid here, and when: they count on for a while if the database of the logins doesn't answer.
        self._seen: dict[str, tuple[Login, float]] = {}

    def __len__(self) -> int:
        (count,) = self.store.row("SELECT count(*) FROM logins") or (0,)
        return int(count)

    def begin(self, name: str, account: Account) -> str:
        """Log a user in, whose password has just been checked; return the cookie's secret."""
        secret = secrets.token_urlsafe(32)
        login = Login(_key(secret), name, account, self._clock() + self.seconds)
        with self.store.transaction():
            self.store.change("DELETE FROM logins WHERE until <= ?", (self._clock(),))
            values = (login.key, name, _fingerprint(account), login.until)
            self.store.change("INSERT INTO logins (key, name, account, until) VALUES (?, ?, ?, ?)", values)
            too_many = len(self) - _MOST_LOGINS
            if too_many > 0:
                self.store.change(
                    "DELETE FROM logins WHERE key IN (SELECT key FROM logins ORDER BY until LIMIT ?)", (too_many,)
                )
        return secret

    def find(self, secret: str) -> Login | None:
        """Return the login of a cookie, if it is valid.

        Raises
        ------
        DatabaseUnreachableError
            If the database of the logins doesn't answer, and the login wasn't seen here lately.
        """
        key = _key(secret)
        try:
            found = self.store.row("SELECT name, account, until FROM logins WHERE key = ?", (key,))
        except DatabaseUnreachableError:
            return self._seen_lately(key)
        if found is None:
            self._seen.pop(key, None)
            return None
        name, fingerprint, until = found
        account = self.users.account(name)
        if account is None or _fingerprint(account) != fingerprint or self._clock() >= until:
            self._end(key)
            return None
        return self._see(Login(key, name, account, until))

    def is_valid(self, login: Login) -> bool:
        """Return whether a login is valid: not logged out, not expired, the account unchanged."""
        try:
            if self.store.row("SELECT 1 FROM logins WHERE key = ?", (login.key,)) is None:
                self._seen.pop(login.key, None)
                return False
        except DatabaseUnreachableError:
            try:
                return self._seen_lately(login.key) is not None
            except DatabaseUnreachableError:
                return False
        if self._clock() >= login.until or self.users.account(login.name) != login.account:
            self.end(login)
            return False
        self._see(login)
        return True

    def _see(self, login: Login) -> Login:
        if len(self._seen) > _MOST_LOGINS:
            self._seen.clear()
        self._seen[login.key] = login, time.monotonic()
        return login

    def _seen_lately(self, key: str) -> Login | None:
        """Return a login that was valid a short time ago, while its database doesn't answer."""
        found = self._seen.get(key)
        if found is None or time.monotonic() - found[1] > _TRUSTED_SECONDS:
            msg = "the database of the logins doesn't answer: wait a little, then load the page again"
            raise DatabaseUnreachableError(msg)
        login = found[0]
        return login if self._clock() < login.until and self.users.account(login.name) == login.account else None

    def user(self, login: Login) -> User:
        """Return the user who logged in."""
        return User(login.name, roles=login.account.roles, home=self.users.home, label=self.users.label(login.name))

    def end(self, login: Login) -> None:
        """End a login.

        Raises
        ------
        DatabaseUnreachableError
            If the database of the logins doesn't answer: then it hasn't ended in other servers.
        """
        self._end(login.key)

    def end_all(self, name: str) -> None:
        """End all logins of a user, in all browsers."""
        self._seen = {key: one for key, one in self._seen.items() if one[0].name != name}
        self.store.change("DELETE FROM logins WHERE name = ?", (name,))

    def _end(self, key: str) -> None:
        # Whatever becomes of the database, it doesn't count here any more.
        self._seen.pop(key, None)
        self.store.change("DELETE FROM logins WHERE key = ?", (key,))


class Failures:
    """Waiting time before the next try: none after a few failures, then doubled with each one.

    Parameters
    ----------
    kind : str
        What is counted, such as ``"name"``: counts of different kinds may have the same keys.
    free : int
        Failures without a waiting time, for typing errors.
    longest : float
        Longest waiting time, seconds.
    store : LoginStore, optional
        Where counts are stored; by default in the memory of this process.
    clock : callable, optional
        Time in seconds, the same in all processes; by default that of the store.
    """

    def __init__(
        self,
        kind: str,
        *,
        free: int,
        longest: float,
        store: LoginStore | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._kind, self._free, self._longest = kind, free, longest
        self.store = store or LoginStore()
        self._clock = clock or self.store.clock

    def __len__(self) -> int:
        (count,) = self.store.row("SELECT count(*) FROM tries") or (0,)
        return int(count)

    def wait(self, key: str) -> float:
        """Return the seconds until the next try is accepted; 0 if it is accepted now."""
        count, last = self._counted(key)
        if count < self._free:
            return 0.0
        delay = min(self._longest, 2.0 ** min(count - self._free, 30))
        return max(0.0, last + delay - self._clock())

    def add(self, key: str) -> None:
        """Count a failure."""
        count, last = self._counted(key)
        # After a long time without failures the count starts again.
        quiet = self._clock() - last > 10 * self._longest
        values = (f"{self._kind} {key}", 1 if quiet else count + 1, self._clock())
        self.store.change(
            "INSERT INTO tries (key, count, last) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET count = excluded.count, last = excluded.last",
            values,
        )
        too_many = len(self) - _MOST_COUNTED
        if too_many > 0:
            self.store.change(
                "DELETE FROM tries WHERE key IN (SELECT key FROM tries ORDER BY last LIMIT ?)", (too_many,)
            )

    def undo(self, key: str) -> None:
        """Subtract a try that was counted and then succeeded."""
        self.store.change("UPDATE tries SET count = count - 1 WHERE key = ? AND count > 0", (f"{self._kind} {key}",))

    def forget(self, key: str) -> None:
        """Reset the count, after the right password."""
        self.store.change("DELETE FROM tries WHERE key = ?", (f"{self._kind} {key}",))

    def _counted(self, key: str) -> tuple[int, float]:
        """Return the number of failures and the time of the last one."""
        found = self.store.row("SELECT count, last FROM tries WHERE key = ?", (f"{self._kind} {key}",))
        return (0, 0.0) if found is None else (int(found[0]), float(found[1]))


def seconds_to_wait(store: LoginStore, keys: Sequence[tuple[Failures, str]]) -> float:
    """Return the seconds until a try is accepted. A try that is accepted now is counted as a failure of each key.

    Counted before the password is checked, and in one transaction: many tries at once, in whatever processes, get no
    further than tries one after another.
    """
    with store.transaction():
        wait = max(failures.wait(key) for failures, key in keys)
        if wait <= 0:
            for failures, key in keys:
                failures.add(key)
    return wait


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _fingerprint(account: Account) -> str:
    return hashlib.sha256(json.dumps(asdict(account), sort_keys=True).encode()).hexdigest()
