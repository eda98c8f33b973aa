"""Hash of the state that a command is about: who proposes and who acts compute the same one."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping

from twinlab.errors import CommandRejectedError

__all__ = ["state_hash"]


def state_hash(
    target: str, parameter: str, value: float, unit: str, *, watched: Mapping[str, float] | None = None
) -> str:
    """Return the SHA-256 of a state, hexadecimal.

    The bytes are UTF-8 of JSON without spaces and with sorted keys: ``parameter``, ``target``, ``unit``, ``value`` and
    ``watched``. Numbers are float64 in their shortest form (``8.0``), and −0 is 0.

    Parameters
    ----------
    target, parameter : str
        ``"forklift/F07"``, ``"max_speed"``.
    value : float
        The reported value, finite, in ``unit``.
    unit : str
        The unit of the command.
    watched : mapping of str to float, optional
        Signal -> value, of those that the model watches, in the signals' own units.

    Raises
    ------
    CommandRejectedError
        If a number isn't finite: nobody has looked at a state that isn't known.

    >>> state_hash("forklift/F07", "max_speed", 8, "km/h")[:12]
    '869bdaae8fe6'
    """
    numbers = {"value": value, **(watched or {})}
    for name, number in numbers.items():
        if not math.isfinite(number):
            msg = f"state of {target}: expected a finite number for {name}, got {number!r}; wait until it is reported"
            raise CommandRejectedError(msg)
    state = {
        "parameter": parameter,
        "target": target,
        "unit": unit,
        "value": float(value) + 0.0,
        "watched": {name: float(number) + 0.0 for name, number in (watched or {}).items()},
    }
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
