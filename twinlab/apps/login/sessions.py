"""Who is logged in, and who has failed to log in too often. Both live in this process only."""

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

#: A working day with its handover.
LOGIN_SECONDS = 12 * 3600.0
_MOST_LOGINS = 10_000
_MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Login:
    """One login of one person, in one browser."""

    # Never the cookie itself: its hash.
    key: str
    name: str
    # As it was: a new password, or other roles, end the logins of before.
    account: Account
    until: float


class Logins:
    """Logins by the secret in their cookie. A restart of the server ends them all.

    Parameters
    ----------
    users : Users
        Asked at each request: who has left, or has other roles now, is logged out at once.
    seconds : float
        How long a login lasts.
    clock : callable
        Seconds, never going back.
    """

    def __init__(
        self, users: Users, *, seconds: float = LOGIN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.users = users
        self.seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, Login] = OrderedDict()

    def begin(self, name: str, account: Account) -> str:
        """Log somebody in, whose password has just been checked; returns the cookie's secret."""
        secret = secrets.token_urlsafe(32)
        login = Login(_key(secret), name, account, self._clock() + self.seconds)
        self._kept[login.key] = login
        # Logins stand in the order in which they end.
        while self._kept and (len(self._kept) > _MOST_LOGINS or next(iter(self._kept.values())).until <= self._clock()):
            self._kept.popitem(last=False)
        return secret

    def find(self, secret: str) -> Login | None:
        """Return the login of a cookie, if it stands."""
        login = self._kept.get(_key(secret))
        return login if login is not None and self.stands(login) else None

    def stands(self, login: Login) -> bool:
        """Tell whether a login lasts still: not logged out, not too old, the account as it was."""
        if login.key not in self._kept:
            return False
        if self._clock() >= login.until or self.users.account(login.name) != login.account:
            self.end(login)
            return False
        return True

    def user(self, login: Login) -> User:
        """Return who logged in."""
        return User(login.name, roles=login.account.roles, home=self.users.home)

    def end(self, login: Login) -> None:
        """Log out."""
        self._kept.pop(login.key, None)


class Failures:
    """How long somebody has to wait for the next try: nothing for a few failures, then twice as long each time.

    Parameters
    ----------
    free : int
        Failures that cost nothing: people mistype.
    longest : float
        Seconds of the longest wait.
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, *, free: int, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._free, self._longest, self._clock = free, longest, clock
        # Key -> failures, time of the last one.
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Return the seconds until the next try is looked at; 0 if it may come now."""
        count, last = self._counted.get(key, (0, 0.0))
        if count < self._free:
            return 0.0
        delay = min(self._longest, 2.0 ** min(count - self._free, 30))
        return max(0.0, last + delay - self._clock())

    def add(self, key: str) -> None:
        """Count a failure."""
        count, last = self._counted.pop(key, (0, 0.0))
        # Who has been quiet for a good while starts again.
        quiet = self._clock() - last > 10 * self._longest
        self._counted[key] = (1 if quiet else count + 1, self._clock())
        while len(self._counted) > _MOST_COUNTED:
            self._counted.popitem(last=False)

    def undo(self, key: str) -> None:
        """Take one back: the try counted, and then was right."""
        count, last = self._counted.get(key, (0, 0.0))
        if count:
            self._counted[key] = (count - 1, last)

    def forget(self, key: str) -> None:
        """Count nothing more: the right password came."""
        self._counted.pop(key, None)


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
