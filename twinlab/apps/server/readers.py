"""What a user sees of a twin: the pages, the cache of readers with the same rights, their own settings, the purposes they can choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.apps.frame.frame import page
from twinlab.apps.frame.settings import settings_for
from twinlab.apps.rights.audiences import Audiences
from twinlab.apps.rights.session_rights import Purposes, purposes_in_session, rights_in_session
from twinlab.apps.server.access_policy import reader_for_purpose
from twinlab.apps.sheets.handlers import Reader, sheet_routes
from twinlab.apps.sheets.token_login import TokenLogin
from twinlab.explore.kit.session import Session, Shared

if TYPE_CHECKING:
    import panel_material_ui as pmui

    from twinlab.apps.login.access import User
    from twinlab.apps.login.request_guard import RequestGuard
    from twinlab.apps.rights.rights import Rights
    from twinlab.apps.server.serve_options import ServeOptions
    from twinlab.ask import Planner
    from twinlab.model.access.policy_file import AccessPolicyFile
    from twinlab.model.reader import TwinReader
    from twinlab.twin.usage.counter import UsageCounter

__all__ = ["Readers", "SeenByUser"]


@dataclass(frozen=True)
class SeenByUser:
    """What a user sees, under the policy that counts now."""

    shared: Shared
    session: Session
    rights: Rights
    purposes: Purposes


class Readers:
    """The users of a twin's pages and sheets.

    Parameters
    ----------
    twin : TwinReader
        The whole twin.
    shared : Shared
        Its cache.
    policy : AccessPolicyFile
    planner : Planner, optional
        What proposes plans for questions.
    """

    def __init__(
        self, twin: TwinReader, shared: Shared, policy: AccessPolicyFile, *, planner: Planner | None = None
    ) -> None:
        self._twin, self._shared, self._policy = twin, shared, policy
        self._audiences = Audiences(twin, shared=shared, for_purpose=reader_for_purpose(twin))
        self._planner = planner
        self._usage: UsageCounter | None = getattr(twin, "usage_counter", None)

    def page(self, user: User | None) -> pmui.Page:
        """Return the page of a user; None is the reader at this machine, served without a login."""
        if user is None:
            return page(self._twin, shared=self._shared, planner=self._planner, usage=self._usage)
        seen = self.seen_by(user)
        return page(
            seen.shared.twin,
            shared=seen.shared,
            session=seen.session,
            rights=seen.rights,
            purposes=seen.purposes,
            planner=self._planner,
            usage=self._usage,
        )

    def close(self) -> None:
        """Write what was counted of use."""
        if self._usage is not None:
            self._usage.close()

    def seen_by(self, user: User) -> SeenByUser:
        """Return what a user sees."""
        session = Session(user=user.name, settings=settings_for(user, self._twin.model.twin))
        rights = rights_in_session(self._policy.current(), user.roles, self._twin.model, settings=session.settings)
        seen = self._audiences.shared(rights, user=user.name)
        return SeenByUser(seen, session, rights, purposes_in_session(rights, self._twin.model))

    def sheets(self, options: ServeOptions, guard: RequestGuard, *, title: str) -> list[tuple[Any, ...]]:
        """Return the routes of the sheets, whose readers may log in with tokens of the users file, if there is one."""
        if options.users is not None:
            guard.token_user = TokenLogin(options.users).user
        return sheet_routes(self.of_sheet, scheme=options.scheme, title=title)

    def of_sheet(self, user: User | None) -> Reader:
        """Return what a sheet shows somebody; None is the reader at this machine, served without a login."""
        if user is None:
            return Reader(self._shared, {}, None)
        seen = self.seen_by(user)
        return Reader(seen.shared, seen.session.settings, seen.rights, user.name)
