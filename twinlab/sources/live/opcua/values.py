"""Data values of OPC UA as observations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua

from twinlab.sources.live.observed import Observed

__all__ = ["datetime_of", "observed", "overflowed"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Bits of a status code (OPC 10000-4, 7.38): the info bits are those of a data value; a queue has dropped values.
_INFO_TYPE, _DATA_VALUE, _OVERFLOW = 0x0C00, 0x0400, 0x0080


def observed(tag: str, given: ua.DataValue, *, received_ns: int) -> Observed:
    """Return a data value as an observation.

    Its time is the source's timestamp, without one the server's, without both that of the receipt. Timestamps have whole
    microseconds, since asyncua reads them as such. Arrays and structures become text.
    """
    stamp = given.SourceTimestamp or given.ServerTimestamp
    time_ns = received_ns if stamp is None else _ns(stamp)
    value = None if given.Value is None else given.Value.Value
    return Observed(tag, time_ns, _plain(value), _code(given))


def overflowed(values: Iterable[ua.DataValue]) -> bool:
    """Return whether the server says that its queue has dropped values."""
    return any(_code(one) & _INFO_TYPE == _DATA_VALUE and _code(one) & _OVERFLOW for one in values)


def datetime_of(time_ns: int) -> datetime:
    """Return a time as OPC UA's requests have it, whole microseconds."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def _code(given: ua.DataValue) -> int:
    return 0 if given.StatusCode is None else int(given.StatusCode.value)


def _ns(stamp: datetime) -> int:
    aware = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000


def _plain(value: Any) -> float | str | None:  # noqa: ANN401  (whatever a server has)
    if value is None or isinstance(value, (float, int, str)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, ua.LocalizedText):
        text: str | None = value.Text
        return text
    return json.dumps(value, default=str)
