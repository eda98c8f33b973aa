"""Which alerts would have been raised, when, and which of them later data withdrew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from twinlab.events.alerts.records import AlertRecord, folded
from twinlab.events.alerts.updating import changes, window_start
from twinlab.events.rules.exceptions import episodes

if TYPE_CHECKING:
    from twinlab.model.alerts.alert import Alert
    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["replayed"]


def replayed(
    readers: Iterable[tuple[int, TwinReader]],
    name: str,
    alert: Alert,
    rule: Mapping[str, Rule],
    *,
    progress: Callable[[int], None] | None = None,
) -> dict[str, AlertRecord]:
    """Return the alerts that would have been raised, as they were at last.

    Parameters
    ----------
    readers : iterable of (time, TwinReader)
        Instants in order (nanoseconds since 1970), and the twin as it was known then.
    name : str
        Of the alert.
    alert : Alert
    rule : mapping of name to Rule
        The rule of the alert.
    progress : callable, optional
        Called with the number of instants done.
    """
    records: dict[str, AlertRecord] = {}
    last: int | None = None
    for number, (now, reader) in enumerate(readers, 1):
        low = window_start(records, name, alert, last, now)
        found = episodes(reader, rule, start=np.datetime64(low, "ns"), stop=np.datetime64(now, "ns"))
        records = folded(changes(records, name, alert, found, (low, now)), records)
        last = now
        if progress is not None:
            progress(number)
    return records
