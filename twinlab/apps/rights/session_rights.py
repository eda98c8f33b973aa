"""The rights of a user in one session: the policy that counts now, and the purpose that the user has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.apps.rights.rights import Rights

if TYPE_CHECKING:
    from twinlab.model.access.policy import AccessPolicy
    from twinlab.model.twinmodel import TwinModel

__all__ = ["PURPOSE", "Purposes", "possible_purposes", "purposes_in_session", "rights_in_session"]

#: Key of the user's setting.
PURPOSE = "purpose"


@dataclass(frozen=True)
class Purposes:
    """The purposes between which somebody can choose."""

    # Name -> title for people.
    titles: dict[str, str]
    chosen: str | None


def possible_purposes(policy: AccessPolicy, roles: tuple[str, ...], model: TwinModel) -> tuple[str, ...]:
    """Return the purposes between which somebody can choose, the usual one first."""
    return policy.purposes(roles, known=model.purposes)


def rights_in_session(
    policy: AccessPolicy, roles: tuple[str, ...], model: TwinModel, *, settings: Mapping[str, object]
) -> Rights:
    """Return the rights of somebody with some roles.

    Parameters
    ----------
    policy : AccessPolicy
    roles : tuple of str
    model : TwinModel
        States the purposes that there are.
    settings : mapping
        The user's settings; a purpose in them that the policy doesn't give the user counts for nothing.

    Returns
    -------
    Rights
        For the chosen purpose, else for the usual one of the roles, else for none.
    """
    purposes = possible_purposes(policy, roles, model)
    chosen = settings.get(PURPOSE)
    usual = purposes[0] if purposes else None
    return Rights(policy, roles, str(chosen) if chosen in purposes else usual)


def purposes_in_session(rights: Rights, model: TwinModel) -> Purposes:
    """Return the purposes between which somebody can choose, with the one that counts."""
    names = possible_purposes(rights.policy, rights.roles, model)
    return Purposes({name: model.purposes[name].title or name.replace("-", " ") for name in names}, rights.purpose)
