"""Requests that are sent again when they fail: clients repeat reads by themselves, but no conditional write whose answer was lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

from twinlab._backoff import Backoff
from twinlab.errors import SourceError

__all__ = ["TRIES", "sent_again"]

_LOG = logging.getLogger("twinlab.live")
#: So often a process that isn't a standby sends a conditional write.
TRIES = 3
#: Upper limits of the first pause and of all pauses, seconds.
_LEAST, _MOST = 0.1, 0.5

_Result = TypeVar("_Result")


def sent_again(
    request: Callable[[], _Result],
    *,
    tries: float = TRIES,
    what: str = "",
    sleep: Callable[[float], None] = time.sleep,
    random: Random | None = None,
) -> _Result:
    """Return the result of a request, which is sent again after a pause if the store doesn't answer.

    Parameters
    ----------
    request : callable
        May be applied more than once: one that was taken for lost may have arrived.
    tries : float
        So often at most; ``math.inf`` for a standby.
    what : str
        What is asked for, for the log.
    sleep : callable
        A pause, seconds.
    random : random.Random, optional
        Source of the pauses' randomness.

    Raises
    ------
    SourceError
        That of the last try.

    Examples
    --------
    >>> sent_again(lambda: 1)
    1
    """
    backoff = Backoff(_LEAST, _MOST) if random is None else Backoff(_LEAST, _MOST, random=random)
    while True:
        try:
            return request()
        except SourceError as error:
            if backoff.failures + 1 >= tries:
                raise
            if not backoff.failures:
                _LOG.warning("a request is sent again", extra={"what": what, "error": " ".join(str(error).split())})
            sleep(backoff.next())
