"""A person whom a provider of OpenID Connect has named, with the roles that their groups have here."""

from __future__ import annotations

from typing import Any

from twinlab.apps.login.accounts import PREFIX
from twinlab.apps.login.oidc.provider import Claims
from twinlab.apps.login.oidc.settings import OidcSettings

__all__ = ["Person"]

_LONGEST = 200


class Person:
    """A person as a provider has named them."""

    def __init__(self, claims: Claims, settings: OidcSettings) -> None:
        self.sub = str(claims.get("sub", ""))
        identity = claims.get(settings.identity)
        self.identity = identity if isinstance(identity, str) and _is_name(identity) else None
        shown = claims.get(settings.name)
        self.label = shown if isinstance(shown, str) and _is_name(shown) else self.identity or ""
        self.roles = settings.roles_of(_groups(claims, settings.groups))

    @property
    def name(self) -> str:
        """Name of the person here, which nobody else has."""
        return f"{PREFIX}{self.identity}"


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable() and text.strip() == text


def _groups(claims: Claims, path: str) -> list[str]:
    """Return the texts at a claim; dots lead into nested claims, unless a claim has the whole name."""
    found: Any = claims
    for part in [path] if path in claims else path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return [found]
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
