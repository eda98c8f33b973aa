"""Which alerts would have been raised, when, and which of them later data withdrew."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from twinlab.events.alerts.causes import caused
from twinlab.events.alerts.records import AlertRecord, folded
from twinlab.events.alerts.updating import changes, window_start

if TYPE_CHECKING:
    from twinlab.model.alerts.alert import Alert
    from twinlab.model.reader import TwinReader

__all__ = ["replayed"]


def replayed(
    readers: Iterable[tuple[int, TwinReader]],
    name: str,
    alert: Alert,
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
    progress : callable, optional
        Called with the number of instants done.
    """
    records: dict[str, AlertRecord] = {}
    last: int | None = None
    for number, (now, reader) in enumerate(readers, 1):
        low = window_start(records, name, alert, last, now)
        found = caused(reader, alert, start_ns=low, stop_ns=now)
        records = folded(changes(records, name, alert, found, (low, now)), records)
        last = now
        if progress is not None:
            progress(number)
    return records
