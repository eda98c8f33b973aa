"""The options of the kind `opcua`, checked without the client library."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import PlainUrl, Secret

__all__ = ["OpcuaOptions"]

NodeText = Annotated[str, Field(pattern=r"^(ns=\d+;|nsu=[^;]+;)?[isgb]=.+$")]
_FILES = ("certificate", "private_key", "server_certificate")


class OpcuaOptions(Options):
    """Options of an OPC UA source."""

    url: Annotated[PlainUrl, Field(pattern=r"^opc\.tcp://")]
    """Endpoint, ``opc.tcp://10.0.0.5:4840/warehouse``."""
    nodes: Annotated[dict[str, NodeText], Field(min_length=1)]
    """Tag -> node id: ``ns=2;s=ColdRoom1.Temperature``, or with the namespace's address, which a server may number anew:
    ``nsu=urn:warehouse;s=ColdRoom1.Temperature``."""
    security: Literal["Basic256Sha256", "none"] = "Basic256Sha256"
    """Messages are signed and encrypted with this policy. With "none" anybody on the network can read and forge them."""
    certificate: str | None = None
    """The client's certificate, which the server trusts: a file (.der or .pem); a relative path begins in the twin's folder."""
    private_key: str | None = None
    """File with the key of the certificate."""
    key_password: Secret | None = None
    """Password of the key, if it has one."""
    server_certificate: str | None = None
    """File with the server's certificate: a server with another one is refused."""
    user: str | None = None
    """User name; without one the certificate alone says who connects."""
    password: Secret | None = None
    """The user's password: ``${OPCUA_PASSWORD}`` or ``file:/run/secrets/opcua``."""
    publish_every: Duration = "500ms"
    """How often the server sends what has changed."""
    sample_every: Duration = "100ms"
    """How often the server looks for changes."""
    queue: Annotated[int, Field(ge=2, le=100_000)] = 1000
    """Values a node that the server keeps between two messages; the server may allow fewer."""
    trigger: Literal["value", "timestamp"] = "value"
    """What is a change: another value or status, or another timestamp as well."""
    timeout: Duration = "5s"
    """How long an answer may take."""

    @model_validator(mode="after")
    def _secured(self) -> Self:
        given = [key for key in _FILES if getattr(self, key) is not None]
        if self.security == "none":
            if given or self.user is not None:
                msg = f"the key {(given or ['user'])[0]!r} needs `security: Basic256Sha256`: without it nothing is encrypted"
                raise ValueError(msg)
        elif len(given) < len(_FILES):
            missing = ", ".join(key for key in _FILES if key not in given)
            msg = (
                f"expected the files of the keys {', '.join(_FILES)}, got none for {missing}; or state `security: none`"
            )
            raise ValueError(msg)
        if (self.user is None) != (self.password is None):
            msg = "expected user and password, or neither"
            raise ValueError(msg)
        return self
