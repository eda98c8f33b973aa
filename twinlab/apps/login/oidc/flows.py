"""Logins under way: what this server remembers between sending a browser to the provider and its return."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from twinlab.apps.login.login_store import LoginStore

__all__ = ["FLOW_SECONDS", "Flow", "Flows"]

#: Seconds that a person may take at the provider.
FLOW_SECONDS = 600.0
_MOST = 1_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS flows (state TEXT PRIMARY KEY, browser TEXT NOT NULL, nonce TEXT NOT NULL, "
    "verifier TEXT NOT NULL, next TEXT NOT NULL, until DOUBLE PRECISION NOT NULL)"
)


@dataclass(frozen=True)
class Flow:
    """One login under way."""

    state: str
    nonce: str
    # Secret whose hash the provider gets first, and the text with the code (RFC 7636).
    verifier: str
    # Path to redirect to after the login.
    next: str


class Flows:
    """Logins under way of all processes of a server. Each can be finished once, by the browser that began it.

    Parameters
    ----------
    store : LoginStore
    clock : callable, optional
        Time in seconds, the same in all processes; by default that of the store.
    """

    def __init__(self, store: LoginStore, *, clock: Callable[[], float] | None = None) -> None:
        self._store, self._clock = store, clock or store.clock
        store.need(_TABLE)

    def __len__(self) -> int:
        (count,) = self._store.row("SELECT count(*) FROM flows") or (0,)
        return int(count)

    def begin(self, browser: str, *, next: str) -> Flow:  # noqa: A002  (the form field's name)
        """Begin a login in a browser, which has a secret of its own in a cookie."""
        flow = Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64), next)
        with self._store.transaction():
            self._store.change("DELETE FROM flows WHERE until <= ?", (self._clock(),))
            values = (_hash(flow.state), _hash(browser), flow.nonce, flow.verifier, next, self._clock() + FLOW_SECONDS)
            self._store.change("INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?)", values)
            too_many = len(self) - _MOST
            if too_many > 0:
                self._store.change(
                    "DELETE FROM flows WHERE state IN (SELECT state FROM flows ORDER BY until LIMIT ?)", (too_many,)
                )
        return flow

    def finish(self, state: str, browser: str) -> Flow | None:
        """Return a login that a browser began, and forget it; None for another browser, a second time, or too late."""
        key = _hash(state)
        with self._store.transaction():
            found = self._store.row("SELECT browser, nonce, verifier, next, until FROM flows WHERE state = ?", (key,))
            if found is None or not secrets.compare_digest(found[0], _hash(browser)):
                return None
            self._store.change("DELETE FROM flows WHERE state = ?", (key,))
        _, nonce, verifier, onward, until = found
        return None if self._clock() >= until else Flow(state, nonce, verifier, onward)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
