"""Settings of a login with OpenID Connect: ``oidc.yaml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinlab._addresses import is_loopback
from twinlab.apps.login.private_files import check_private
from twinlab.errors import SchemaError, SourceError
from twinlab.languages import mark
from twinlab.model.access.roles import Role
from twinlab.model.basics import Model, yaml_text
from twinlab.model.load import parse_as
from twinlab.model.yamltext import read_text

__all__ = ["OidcSettings", "load_oidc"]

_LONGEST_SECRET = 4096


def _safe_url(text: str) -> str:
    """Refuse an address at which others could read codes and tokens."""
    parts = urlsplit(text)
    local = parts.hostname is not None and is_loopback(parts.hostname)
    if parts.hostname is None or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        msg = f"expected an address that begins with https:// (http:// on this machine only), got {text!r}"
        raise ValueError(msg)
    if parts.query or parts.fragment or parts.username is not None:
        msg = f"expected an address without query, fragment and user, got {text!r}"
        raise ValueError(msg)
    return text.rstrip("/")


def _several(given: object) -> object:
    return [given] if isinstance(given, str) else given


Text = Annotated[str, BeforeValidator(yaml_text), Field(min_length=1, max_length=500)]


class OidcSettings(Model):
    """A whole ``oidc.yaml``."""

    issuer: Annotated[str, AfterValidator(_safe_url)]
    """Address of the provider; ``/.well-known/openid-configuration`` is read there."""
    client_id: Text
    """Name of this server at the provider. Its redirect address is ``https://HOST:PORT/login/oidc/callback``."""
    client_secret_env: Text | None = None
    """Environment variable with the client's secret."""
    client_secret_file: Text | None = None
    """File with the client's secret, which only its owner can read; relative to this file. Without either, the client is public."""
    scopes: Annotated[list[Text], BeforeValidator(_several)] = Field(default_factory=lambda: ["openid", "profile"])
    """What is asked for; "openid" is always asked for."""
    identity: Text = "sub"
    """Claim that names one person for ever: ``sub``, or another one that the provider never gives to two people."""
    name: Text = "preferred_username"
    """Claim with the name that is shown; the identity where it is missing."""
    groups: Text = "groups"
    """Claim with the person's groups or roles, a text or a list of texts; dots lead into nested claims: "realm_access.roles"."""
    roles: dict[Text, Annotated[list[Role], BeforeValidator(_several)]]
    """Group -> roles of its members here. Whoever is in none of the groups can't log in."""
    label: Text = mark("Log in with your organisation")
    """Text of the button on the login page."""
    provider_logout: bool = True
    """Whether logging out here leads to the provider's logout, too, if it has one."""

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.client_secret_env is not None and self.client_secret_file is not None:
            msg = "expected one of `client_secret_env` and `client_secret_file`, got both"
            raise ValueError(msg)
        if not self.roles:
            msg = "expected `roles:` with a group for each role, got none: nobody could log in"
            raise ValueError(msg)
        return self

    def secret(self, folder: Path) -> str | None:
        """Return the client's secret, from the environment or from its file.

        Raises
        ------
        SourceError
            If it isn't there, or others can read the file.
        """
        if self.client_secret_env is not None:
            found = os.environ.get(self.client_secret_env, "")
            if not found:
                msg = f"expected the client's secret in the environment variable {self.client_secret_env}, which isn't set"
                raise SourceError(msg)
            return found
        if self.client_secret_file is None:
            return None
        path = folder / self.client_secret_file
        check_private(path)
        found = path.read_text(encoding="utf-8")[:_LONGEST_SECRET].strip()
        if not found:
            msg = f"expected the client's secret in {path}, which is empty"
            raise SourceError(msg)
        return found

    def roles_of(self, groups: list[str]) -> tuple[Role, ...]:
        """Return the roles of a member of some groups, in the order of the file.

        >>> settings = OidcSettings(issuer="https://id.example", client_id="twin", roles={"ops": "operator", "all": ["viewer"]})
        >>> settings.roles_of(["all", "ops", "others"])
        ('operator', 'viewer')
        """
        return tuple(dict.fromkeys(role for group, roles in self.roles.items() if group in groups for role in roles))


def load_oidc(path: Path) -> OidcSettings:
    """Read an ``oidc.yaml``.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was expected, what was found. A secret in the file is a fault.
    """
    text = read_text(path)
    if "client_secret:" in text:
        msg = (
            f"{path}: expected no secret in this file; put it into an environment variable (client_secret_env: NAME) or a file "
            "that only its owner can read (client_secret_file: PATH)"
        )
        raise SchemaError(msg)
    return parse_as(OidcSettings, text, str(path), first="issuer:")
