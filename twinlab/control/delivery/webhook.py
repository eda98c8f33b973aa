"""Webhooks: a message as JSON to an HTTPS address, signed with a shared secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from twinlab.errors import SourceError
from twinlab.model.alerts.channel import ChannelKind, Message
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import Secret, secret_of

__all__ = ["WEBHOOK", "WebhookOptions", "post"]

_HERE = ("localhost", "127.0.0.1", "::1")


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"expected an address such as https://example.org/hook, got {text!r}"
        raise ValueError(msg)
    if parts.scheme == "http" and parts.hostname not in _HERE:
        msg = f"expected an https address, got {text!r}; http is for this machine only"
        raise ValueError(msg)
    return text


class WebhookOptions(Options):
    """Options of a channel that posts to an address."""

    url: Annotated[str, AfterValidator(_address)]
    """Where the message is posted."""
    secret: Secret | None = None
    """Environment variable with the key of the signature in the header ``X-Twinlab-Signature``."""
    timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection could send the message to an address that nobody has stated."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        """Follow none."""
        del args, kwargs


def post(options: WebhookOptions, message: Message, folder: Path) -> None:
    """Post a message; returns when the server has answered with a 2xx status.

    The header ``X-Twinlab-Signature`` is ``sha256=`` and the HMAC [1]_ of the body in hexadecimal.

    Raises
    ------
    SourceError
        If the server can't be reached, or answers otherwise.

    References
    ----------
    .. [1] RFC 2104, HMAC: Keyed-Hashing for Message Authentication.
    """
    del folder
    where = f"webhook {urlsplit(options.url).hostname}"
    data = {"subject": message.subject, "text": message.text, **message.data}
    body = json.dumps(data, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if options.secret is not None:
        key = secret_of(options.secret, where).encode()
        headers["X-Twinlab-Signature"] = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
    request = urllib.request.Request(options.url, data=body, headers=headers, method="POST")  # noqa: S310  (http or https)
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=options.timeout) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        msg = f"{where} answered {error.code} {error.reason}; it is sent again later"
        raise SourceError(msg) from error
    except (OSError, HTTPException) as error:
        msg = f"{where} can't be reached: {getattr(error, 'reason', error)}; it is sent again later"
        raise SourceError(msg) from error


WEBHOOK = ChannelKind("webhook", post, WebhookOptions)
