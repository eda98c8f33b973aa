"""Fetch what devices have recorded, and append what is new to the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twinlab._locks import Lock
from twinlab.commands.messages.records import RecordedEntry, RecordsPage
from twinlab.control.audit.kinds import KINDS
from twinlab.control.audit.rows import AuditEntry, AuditRow, checked_entry
from twinlab.control.audit.search import rows_since
from twinlab.control.carriers.settings import ControlSettings
from twinlab.control.devices.cursors import KIND, REPLACED, Cursor, Cursors
from twinlab.errors import ControlError, HistoryConflictError, SchemaError, SourceError, UnknownTermError

__all__ = ["FetchReport", "RecordingEndpoints", "fetch_records"]

#: Devices that are asked at once: one that can't be reached doesn't delay the others.
_AT_ONCE = 32
#: Pages of a device in one call; the rest comes with the next.
_PAGES = 20
_LONGEST_NAME = 100


class RecordingEndpoints(Protocol):
    """Devices with records; `twinlab.control.carriers.open_endpoints` returns them."""

    settings: ControlSettings

    def records(self, target: str, *, first: int, timeout: float) -> RecordsPage:
        """Return entries of the record of a target's device, verified."""


@dataclass(frozen=True)
class FetchReport:
    """What a call has fetched."""

    added: int
    """Rows that were appended to the audit."""
    unreachable: Mapping[str, str]
    """Device -> why it wasn't read; it is asked again by the next call."""


def fetch_records(
    endpoints: RecordingEndpoints,
    targets: Iterable[str],
    *,
    state: Path,
    audit: Path,
    append: Callable[[AuditEntry], AuditRow],
    timeout: float = 2.0,
) -> FetchReport:
    """Append what devices have recorded since the last call to the audit, each entry once.

    Parameters
    ----------
    endpoints : RecordingEndpoints
    targets : iterable of str
        Assets whose devices are asked; those that no endpoint has are left out.
    state : Path
        File that remembers how far the audit was looked through.
    audit : Path
        Folder of the audit.
    append : callable
        Appends to it, durably.
    timeout : float
        Seconds for an answer of a device.

    Raises
    ------
    ControlError
        If the audit can't be written.
    CorruptionError
        If it can't be read.
    SourceError
        If the state can't be written.
    """
    devices = _devices(endpoints.settings, targets)
    state.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(state.with_suffix(".lock"), what="the records of devices", named=False):
            cursors = Cursors.read(state)
            cursors.take(rows_since(audit, cursors.audited))

            def ask(device: str) -> list[RecordsPage] | str:
                return _pages(endpoints, devices[device], cursors.devices.get(device, Cursor()), timeout)

            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="records of devices") as pool:
                found = dict(zip(devices, pool.map(ask, devices), strict=True))
            added = 0
            for device, pages in found.items():
                for page in pages if not isinstance(pages, str) else ():
                    for entry in _entries(page, cursors.devices.get(device, Cursor())):
                        cursors.take([append(entry)])
                        added += 1
            cursors.write(state)
    except HistoryConflictError:
        # Another process fetches them at this moment.
        return FetchReport(0, {})
    return FetchReport(added, {device: why for device, why in found.items() if isinstance(why, str)})


def _devices(settings: ControlSettings, targets: Iterable[str]) -> dict[str, str]:
    """Return device -> one of its targets."""
    found: dict[str, str] = {}
    for target in targets:
        try:
            endpoint = settings.endpoints[settings.endpoint_of(target)]
        except UnknownTermError:
            continue
        found.setdefault(endpoint.device_of(target), target)
    return found


def _pages(endpoints: RecordingEndpoints, target: str, cursor: Cursor, timeout: float) -> list[RecordsPage] | str:
    """Return the pages after a cursor, or why there are none; after a page that doesn't follow it, those from the begin."""
    pages: list[RecordsPage] = []
    for _ in range(_PAGES):
        try:
            page = endpoints.records(target, first=cursor.next, timeout=timeout)
        except (ControlError, SourceError, OSError) as error:
            return pages or str(error)
        pages.append(page)
        if not _follows(page, cursor):
            cursor = Cursor()
        elif not page.entries:
            break
        else:
            cursor = Cursor(page.first + len(page.entries), page.entries[-1].sha256)
            if cursor.next >= page.total:
                break
    return pages


def _follows(page: RecordsPage, cursor: Cursor) -> bool:
    return page.first == cursor.next <= page.total and page.before == cursor.last


def _entries(page: RecordsPage, cursor: Cursor) -> list[AuditEntry]:
    """Return the rows of a page; one that says that the record is another one if the page doesn't follow the cursor."""
    if not _follows(page, cursor):
        reason = (
            f"expected the record of {page.device} to go on after its entry {cursor.next - 1}, which the audit has; got another record, of "
            f"{page.total} entries: its memory was replaced or changed"
        )
        return [
            AuditEntry(KIND, (), {"device": page.device, "recorded": REPLACED, "outcome": "refused", "reason": reason})
        ]
    return [_row(page.device, page.first + place, one) for place, one in enumerate(page.entries)]


def _row(device: str, number: int, recorded: RecordedEntry) -> AuditEntry:
    entry = recorded.entry
    about = {"device": device, "number": number, "sha256": recorded.sha256}
    known = {name: entry[name] for name in ("time", "wire_sha256") if isinstance(entry.get(name), str)}
    given: Any = entry.get("what")
    what = {name: value for name, value in given.items() if name in KINDS[KIND]} if isinstance(given, dict) else {}
    who = entry.get("who")
    people = [name[:_LONGEST_NAME] for name in who if isinstance(name, str) and name] if isinstance(who, list) else []
    made = AuditEntry(KIND, tuple(people), {**what, **known, **about, "recorded": str(entry.get("kind", ""))[:100]})
    try:
        return checked_entry(made)
    except SchemaError as error:
        # A device may be anybody's: what it says must not stop the others.
        reason = f"the entry has other values than an audit takes: {error}"[:500]
        return AuditEntry(KIND, (), {**about, "recorded": "damaged entry", "outcome": "unknown", "reason": reason})
