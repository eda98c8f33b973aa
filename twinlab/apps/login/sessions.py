"""Current logins, and counts of failed ones; both are in the memory of this process only."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from twinlab.apps.login.access import User
from twinlab.apps.login.users import Account, Users

__all__ = ["Failures", "Login", "Logins"]

#: Seconds that a login lasts: a working day with its handover.
LOGIN_SECONDS = 12 * 3600.0
_MOST_LOGINS = 10_000
_MOST_COUNTED = 10_000


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
    """Logins by the secret in their cookie. A restart of the server ends them all.

    Parameters
    ----------
    users : Users
        Read at each request: a user who was removed or has other roles is logged out at once.
    seconds : float
        Duration of a login.
    clock : callable
        Monotonic time in seconds.
    """

    def __init__(
        self, users: Users, *, seconds: float = LOGIN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.users = users
        self.seconds = seconds
        self._clock = clock
        self._logins: OrderedDict[str, Login] = OrderedDict()

    def begin(self, name: str, account: Account) -> str:
        """Log a user in, whose password has just been checked; return the cookie's secret."""
        secret = secrets.token_urlsafe(32)
        login = Login(_key(secret), name, account, self._clock() + self.seconds)
        self._logins[login.key] = login
        # Logins are in the order in which they end.
        while self._logins and (
            len(self._logins) > _MOST_LOGINS or next(iter(self._logins.values())).until <= self._clock()
        ):
            self._logins.popitem(last=False)
        return secret

    def find(self, secret: str) -> Login | None:
        """Return the login of a cookie, if it is valid."""
        login = self._logins.get(_key(secret))
        return login if login is not None and self.is_valid(login) else None

    def is_valid(self, login: Login) -> bool:
        """Return whether a login is valid: not logged out, not expired, the account unchanged."""
        if login.key not in self._logins:
            return False
        if self._clock() >= login.until or self.users.account(login.name) != login.account:
            self.end(login)
            return False
        return True

    def user(self, login: Login) -> User:
        """Return the user who logged in."""
        return User(login.name, roles=login.account.roles, home=self.users.home)

    def end(self, login: Login) -> None:
        """End a login."""
        self._logins.pop(login.key, None)


class Failures:
    """Waiting time before the next try: none after a few failures, then doubled with each one.

    Parameters
    ----------
    free : int
        Failures without a waiting time, for typing errors.
    longest : float
        Longest waiting time, seconds.
    clock : callable
        Monotonic time in seconds.
    """

    def __init__(self, *, free: int, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._longest, self._clock = free, longest, clock
        # Key -> failures, time of the last one.
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Return the seconds until the next try is accepted; 0 if it is accepted now."""
        count, last = self._counted.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        delay = min(self._longest, 2.0 ** min(count - self._free, 30))
        return max(0.0, last + delay - self._clock())

    def add(self, key: str) -> None:
        """Count a failure."""
        count, last = self._counted.pop(key, (0, 0.0))
        # After a long time without failures the count starts again.
        quiet = self._clock() - last > 10 * self._longest
        self._counted[key] = (1 if quiet else count + 1, self._clock())
        while len(self._counted) > _MOST_COUNTED:
            self._counted.popitem(last=False)

    def undo(self, key: str) -> None:
        """Subtract a try that was counted and then succeeded."""
        count, last = self._counted.get(key, (0, 0.0))
        if count:
            self._counted[key] = (count - 1, last)

    def forget(self, key: str) -> None:
        """Reset the count, after the right password."""
        self._counted.pop(key, None)


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
