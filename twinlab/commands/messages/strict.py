"""Messages as bytes: JSON with sorted keys out, strict JSON of a model in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from twinlab.errors import CommandRejectedError
from twinlab.model.basics import Model
from twinlab.signing.envelopes.strict_json import read_json

__all__ = ["checked_message", "payload_of", "read_message"]

AnyMessage = TypeVar("AnyMessage", bound=Model)


def payload_of(message: Model) -> bytes:
    """Return the bytes of a message that are signed or sent: JSON in UTF-8 with sorted keys."""
    return json.dumps(message.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_message(kind: type[AnyMessage], payload: bytes, *, what: str) -> AnyMessage:
    """Return the message of a payload.

    Parameters
    ----------
    kind : type of Model
    payload : bytes
    what : str
        For messages: "command".

    Raises
    ------
    CommandRejectedError
        If it isn't strict JSON, a field is missing or unknown, or a value has another type or isn't allowed.
    """
    return checked_message(kind, read_json(payload, what=what), what=what)


def checked_message(kind: type[AnyMessage], fields: Mapping[str, object], *, what: str) -> AnyMessage:
    """Return the message with some fields; raises as `read_message`."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join([what, *map(str, first["loc"])])
        # The input may be long, and a text may have surrogates that can't be written to a log.
        msg = f"{where}: {first['msg']}, got {ascii(first['input'])[:80]}"
        raise CommandRejectedError(msg) from error
