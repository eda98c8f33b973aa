"""Who asks, and what of the twin they may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.apps.rights.audiences import Audiences
from twinlab.apps.rights.pages import opens_page, stated_roles
from twinlab.apps.rights.rights import Rights
from twinlab.apps.rights.session_rights import rights_in_session
from twinlab.apps.server.access_policy import access_policy, reader_for_purpose
from twinlab.errors import SchemaError
from twinlab.model.access.policy import DEFAULT_POLICY
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Caller", "Callers"]

#: Roles of whoever can read the twin's files: all of it, but nothing personal, which has a purpose.
_LOCAL = ("admin", "operator")


@dataclass(frozen=True)
class Caller:
    """Somebody who asks, with the part of the twin that they see.

    Parameters
    ----------
    name : str
        Name of the login; "local" without one.
    twin : TwinReader
        The twin as they see it, with the functions that they have.
    rights : Rights
    """

    name: str
    twin: TwinReader
    rights: Rights

    def opens(self, page: str | None) -> bool:
        """Return whether they may open a page; None: any page."""
        pages = stated_roles() if page is None else (page,)
        return any(opens_page(self.rights, one) for one in pages)

    def has(self, function: str) -> bool:
        """Return whether they have a function of the twin."""
        return hasattr(self.twin, function)

    def call(self, function: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  (any function of a twin)
        """Call a function of the twin that they have."""
        return getattr(self.twin, function)(*arguments, **options)


class Callers:
    """Callers of one twin: the policy is read again for each call, so that a change of it counts at once.

    Parameters
    ----------
    twin : TwinReader
        The whole twin.
    as_roles : sequence of str, optional
        Roles of whoever asks without a login. By default the local user's: everything that isn't personal.

    Raises
    ------
    SchemaError
        If the twin's ``access.yaml`` has faults, or doesn't name a role.
    """

    def __init__(self, twin: TwinReader, *, as_roles: Sequence[str] | None = None) -> None:
        self.twin = twin
        self._file = access_policy(twin)
        self._roles = None if as_roles is None else tuple(as_roles)
        known = self._file.read().roles
        for role in self._roles or ():
            if role not in known:
                msg = f"expected a role of the access policy, got {role!r}{nearest(role, known)}; it has: {', '.join(known)}"
                raise SchemaError(msg)
        self._audiences = Audiences(twin, for_purpose=reader_for_purpose(twin))

    def local(self) -> Caller:
        """Return the caller of a connection without a login."""
        if self._roles is None:
            return self._caller("local", Rights(DEFAULT_POLICY, _LOCAL))
        return self._with_roles("local", self._roles)

    def user(self, name: str, roles: Sequence[str]) -> Caller:
        """Return the caller of somebody who has logged in."""
        return self._with_roles(name, tuple(roles))

    def _with_roles(self, name: str, roles: tuple[str, ...]) -> Caller:
        return self._caller(name, rights_in_session(self._file.read(), roles, self.twin.model, settings={}))

    def _caller(self, name: str, rights: Rights) -> Caller:
        return Caller(name, self._audiences.shared(rights, user=name).twin, rights)
