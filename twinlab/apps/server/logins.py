"""The logins of a server: the users file, OpenID Connect or both, and the routes of their pages."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinlab.apps.login.accounts import PREFIX, Accounts
from twinlab.apps.login.handlers import LoginHandler, LogoutHandler
from twinlab.apps.login.login_service import LoginService
from twinlab.apps.login.login_store import LoginStore, SharedLoginStore
from twinlab.apps.login.oidc.flows import Flows
from twinlab.apps.login.oidc.handlers import OidcLogin, routes
from twinlab.apps.login.oidc.provider import oidc_provider
from twinlab.apps.login.request_guard import LOGIN, LOGOUT, OIDC_BACK, OIDC_LOGOUT, OIDC_START, RequestGuard
from twinlab.apps.login.sessions import Failures, Login, Logins
from twinlab.errors import SourceError

if TYPE_CHECKING:
    from twinlab.apps.login.login_service import Record
    from twinlab.apps.server.serve_options import ServeOptions
    from twinlab.model.reader import TwinReader

__all__ = ["login_service", "logins_of"]

_LOG = logging.getLogger(__name__)


def logins_of(twin: TwinReader, options: ServeOptions, store: LoginStore | None) -> tuple[ServeOptions, Logins | None]:
    """Return the options of a server and its logins; None for these if none is required.

    Logins are in the twin's database, if its ``twin.yaml`` says so. The cookie then has a name and a key that all servers of the twin have.

    Raises
    ------
    DatabaseUnreachableError
        If the database doesn't answer.
    """
    if not options.with_login:
        return options, None
    kept, shared = store or LoginStore(), getattr(twin, "shared_catalogues", None)
    if shared is not None and "logins" in shared.of:
        kept = SharedLoginStore(shared.database)
        name = hashlib.sha256(twin.model.twin.encode()).hexdigest()[:12]
        options = replace(options, shared=name, secrets=replace(options.secrets, cookie=kept.secret("cookie")))
    if options.users is not None:
        return options, Logins(Accounts(options.users, kept, home=options.users.home), store=kept)
    assert options.oidc is not None
    home = options.oidc.with_name(f"{options.oidc.name}.d")
    return options, Logins(Accounts(None, kept, home=home), store=kept)


def login_service(
    options: ServeOptions,
    guard: RequestGuard,
    logins: Logins,
    *,
    title: str,
    on_logout: Callable[[], object],
    on_close: Callable[[], object],
    record: Record | None = None,
) -> tuple[LoginService, list[tuple[Any, ...]]]:
    """Return what the login's handlers share, and the routes.

    Parameters
    ----------
    options : ServeOptions
    guard : RequestGuard
        The paths of the login are opened in it.
    logins : Logins
    title : str
        Title of the twin.
    on_logout, on_close, record : callable
        As for `LoginService`.
    """
    service = LoginService(
        guard, logins, title=title, tls=options.secure, processes=options.workers, with_form=options.users is not None,
        on_logout=on_logout, on_close=on_close,
    )  # fmt: skip
    if record is not None:
        service.record = record
    shared = {"service": service}
    pages: list[tuple[Any, ...]] = [(LOGIN, LoginHandler, shared), (LOGOUT, LogoutHandler, shared)]
    if options.oidc is None:
        return service, pages
    provider = oidc_provider(options.oidc)
    begun = Failures("oidc", free=20, longest=60, store=logins.store)
    oidc = OidcLogin(provider, Flows(logins.store), logins.users, begun)
    guard.open_paths |= {OIDC_START, OIDC_BACK, OIDC_LOGOUT}
    service.provider_label = provider.settings.label

    def provider_logout(login: Login, *, back: str) -> str | None:
        try:
            return provider.logout_url(back=back) if login.name.startswith(PREFIX) else None
        except SourceError:
            _LOG.exception("the provider's logout page isn't known")
            return None

    service.provider_logout = provider_logout
    return service, [*pages, *routes(service, oidc)]
