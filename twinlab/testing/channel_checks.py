"""Conformance check of a kind of channel: what twinlab relies on when it sends somebody's messages."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import ValidationError

from twinlab.errors import TwinlabError
from twinlab.model.alerts.channel import ChannelKind, Message

__all__ = ["check_channel"]


def check_channel(kind: ChannelKind, given: object = None, *, folder: Path) -> None:
    """Check that a kind of channel takes options, refuses unknown ones, and sends a message again if it is asked to.

    Parameters
    ----------
    kind : ChannelKind
    given : object, optional
        Options, as ``twin.yaml`` has them, with which a message can be sent.
    folder : Path
        Used as the folder of a twin.

    Raises
    ------
    AssertionError
        That says what doesn't conform.

    Examples
    --------
    >>> from twinlab.control.delivery.local import LOG
    >>> check_channel(LOG, folder=Path("."))
    """
    assert kind.name.isidentifier(), f"expected a name such as 'pager', got {kind.name!r}"
    options = kind.parse(given)
    try:
        kind.parse({**(given if isinstance(given, dict) else {}), "no_such_option": 1})
    except ValidationError:
        pass
    else:
        raise AssertionError(f"{kind.name}: expected an unknown option to be refused")  # noqa: TRY003, EM102
    data = {"alert": "check", "severity": "low", "asset": "a/1", "value": None}
    message = Message("check, µ", "a line\nanother line", dict(data))
    for _ in range(2):
        # A message can be sent again after a crash; a server that can't be reached is an error that names it.
        with contextlib.suppress(TwinlabError):
            answer = kind.send(options, message, folder)  # type: ignore[func-returns-value]
            assert answer is None, f"{kind.name}: expected send to return nothing, got {answer!r}"
    assert message.data == data, f"{kind.name}: expected the message to stay as it is"
