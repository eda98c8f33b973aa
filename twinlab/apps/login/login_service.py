"""What the handlers of the login share: guard, logins, counts of failures, threads, and the record of who came and went."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twinlab.apps.login.request_guard import RequestGuard
from twinlab.apps.login.sessions import Failures
from twinlab.errors import TwinlabError

if TYPE_CHECKING:
    from twinlab.apps.login.sessions import Login, Logins

__all__ = ["LoginService", "Record"]

_LOG = logging.getLogger(__name__)
# Checking a password takes 64 MiB and a core for a moment. Requests beyond these limits, of all processes of a server
# together, are asked to try again.
_AT_ONCE, _MOST_WAITING = 2, 32
#: Gets ``{"kind": …, "who": […], "what": {…}}`` for each login, refusal, logout and change of roles.
Record = Callable[[dict[str, object]], object]


def _nothing(_: dict[str, object]) -> None:
    """Record nothing beyond the log."""


def _no_page(_: Login, *, back: str) -> str | None:  # noqa: ARG001  (the parameters of `LoginService.provider_logout`)
    """Return no logout page of a provider: the users file has none."""
    return None


@dataclass
class LoginService:
    """What the handlers share.

    Parameters
    ----------
    guard : RequestGuard
    logins : Logins
    title : str
        Title of the twin, for the pages.
    tls : bool
        Whether readers use TLS.
    record : callable, optional
        Gets an entry for each login, refusal, logout and change of roles. If it raises an error, nobody is logged in.
    with_form : bool
        Whether the login page asks for name and password.
    provider_label : str
        Text of the button that leads to another login; "" for none.
    provider_logout : callable, optional
        (login, back=address of the login page) -> the provider's logout page for a person who has logged out here, or None.
    on_logout : callable, optional
        Called after a login has ended.
    on_close : callable, optional
        Called when the server stops.
    processes : int
        Number of processes that share the limits.
    """

    guard: RequestGuard
    logins: Logins
    title: str
    tls: bool
    record: Record = _nothing
    with_form: bool = True
    provider_label: str = ""
    provider_logout: Callable[..., str | None] = _no_page
    on_logout: Callable[[], object] = lambda: None
    on_close: Callable[[], object] = lambda: None
    processes: int = 1
    failures_by_name: Failures = field(init=False)
    failures_by_address: Failures = field(init=False)
    workers: ThreadPoolExecutor = field(init=False)
    waiting: int = 0

    def __post_init__(self) -> None:
        store = self.logins.store
        self.failures_by_name = Failures("name", free=5, longest=60, store=store)
        self.failures_by_address = Failures("address", free=20, longest=600, store=store)
        self.workers = ThreadPoolExecutor(max(1, _AT_ONCE // self.processes), "twinlab-login")

    @property
    def busy(self) -> bool:
        """Whether too many passwords are waiting to be checked."""
        return self.waiting >= max(1, _MOST_WAITING // self.processes)

    def note(self, kind: str, name: str, **what: object) -> bool:
        """Record what somebody did, ``name`` being "" for somebody unknown; return whether it is recorded."""
        _LOG.info("%s: %s %s", kind, repr(name) if name else "somebody unknown", what)
        try:
            self.record({"kind": kind, "who": [name] if name else [], "what": what})
        except (TwinlabError, OSError):
            _LOG.exception("it can't be recorded")
            return False
        return True

    def end(self, login: Login, *, how: str) -> None:
        """End one login, and close its pages."""
        self.logins.end(login)
        self.note("logout", login.name, how=how)
        self.on_logout()

    def end_all(self, name: str, *, how: str) -> None:
        """End all logins of a person, in all browsers, and close their pages."""
        self.logins.end_all(name)
        self.note("logout", name, how=f"{how}, everywhere")
        self.on_logout()

    def close(self) -> None:
        """Stop the threads and the periodic checks."""
        self.on_close()
        self.workers.shutdown(wait=False, cancel_futures=True)
