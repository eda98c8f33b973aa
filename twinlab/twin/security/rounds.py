"""One round of the search for intrusions: new lines of the logs, and what of the history wasn't searched yet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twinlab.control.audit.tail import rows_from
from twinlab.errors import TwinlabError
from twinlab.events.intrusion.fold import findings_of
from twinlab.events.intrusion.joined import SecurityEvent, joined
from twinlab.events.intrusion.records import LogRecord, log_records
from twinlab.events.intrusion.registry import INTRUSION_RULES
from twinlab.events.intrusion.rule import IntrusionRule
from twinlab.history.changes.window_cells import extent_ns
from twinlab.sources.live.guarded.notes import SECURITY_LOG
from twinlab.twin.privacy.recording import AUDIT
from twinlab.twin.security.audit_rows import records_of
from twinlab.twin.security.log_tail import read_tail
from twinlab.twin.security.state import SecurityState

if TYPE_CHECKING:
    from twinlab.history import HistoryReader

__all__ = ["all_events", "known_rules", "run_round"]

_DAY, _QUARTER = 86_400 * 10**9, 900 * 10**9
#: Histories are searched each quarter of an hour, and of an outage the last so many days.
_MOST_DAYS = 7
#: Findings in a history that are at most so far apart are one event: a false value is under its limit at times.
_SENSOR_GAP = 6 * 3_600 * 10**9


def known_rules() -> dict[str, IntrusionRule]:
    """Return all rules by name."""
    own = {name: INTRUSION_RULES.get(name) for name in INTRUSION_RULES.built_in()}
    return own | {rule.name: rule for rule in INTRUSION_RULES.usable()}


def run_round(folder: Path, reader: HistoryReader, *, now: int | None = None) -> SecurityState:
    """Search what is new, write the state, and return it.

    What can't be read, such as a sensor that the model doesn't have, is in the state's ``error``; the rest is searched all the same.

    Parameters
    ----------
    folder : Path
        The twin's.
    reader : HistoryReader
    now : int, optional
        ns UTC; histories are searched until then. This machine's clock by default.

    Raises
    ------
    SourceError
        If the state can't be written.
    """
    at = time.time_ns() if now is None else now
    state, rules = SecurityState.read(folder), known_rules()
    settings = reader.model.security
    before = (state.offset, state.audit_seen, state.searched_until, state.error)
    tail = read_tail(folder / SECURITY_LOG, state.offset, state.head)
    state.offset, state.head, state.error = tail.offset, tail.head, ""
    records = [*log_records(tail.lines), *_audited(state, folder)]
    records.sort(key=lambda one: one.time)
    found = findings_of(records, rules, settings, state.as_memory())
    state.events = joined(found, rules, gap_ns=settings.merge_ns, events=state.events)
    if settings.sensors:
        try:
            until = min(at, _end(reader))
            if until - state.searched_until >= _QUARTER:
                _search_histories(state, reader, rules, until)
        except TwinlabError as error:
            state.error = " ".join(str(error).split())
    if tail.lines or before != (state.offset, state.audit_seen, state.searched_until, state.error) or not state.looked:
        state.looked = at
        state.write(folder)
    return state


def all_events(state: SecurityState, rules: Mapping[str, IntrusionRule] | None = None) -> list[SecurityEvent]:
    """Return the events of logs and of histories, in order of start."""
    known = known_rules() if rules is None else rules
    findings = [one for _, found in sorted(state.false_values.items()) for one in found if one.rule in known]
    findings.sort(key=lambda one: one.start)
    events = [*state.events, *joined(findings, known, gap_ns=_SENSOR_GAP)]
    return sorted(events, key=lambda one: (one.start, one.event_id))


def _search_histories(
    state: SecurityState, reader: HistoryReader, rules: Mapping[str, IntrusionRule], now: int
) -> None:
    """Search each day again of which rows came since the last search."""
    settings = reader.model.security
    searching = [rule for name, rule in rules.items() if rule.search is not None and name not in settings.off]
    for start in _days(state.searched_until, now):
        stop = min(start + _DAY, now)
        found = [
            one for rule in searching if rule.search is not None for one in rule.search(reader, start, stop, settings)
        ]
        day = str(np.datetime64(start, "ns").astype("datetime64[D]"))
        state.false_values.pop(day, None)
        if found:
            state.false_values[day] = found
    state.searched_until = now


def _audited(state: SecurityState, folder: Path) -> list[LogRecord]:
    """Return what is new in the audit; that it can't be read is in the state's ``error``."""
    try:
        rows, state.audit_seen = rows_from(folder / AUDIT, state.audit_seen)
    except TwinlabError as error:
        state.error = " ".join(str(error).split())
        return []
    # A state of an earlier version has only the number of rows.
    new = [row for row in rows if row.n >= state.audited]
    state.audited = max(state.audited, state.audit_seen.count)
    return list(records_of(new))


def _end(reader: HistoryReader) -> int:
    """Return the end of the newest cell of the signals that are searched, ns UTC; 0 without any."""
    found = [0]
    for name in reader.model.security.sensors:
        asset_type, _, signal = name.partition(".")
        spec = reader.model.asset_types.get(asset_type)
        if spec is not None and signal in spec.signals:
            first, end = extent_ns(reader, asset_type, spec.signals[signal].cadence)
            found.append(end if first < end else 0)
    return max(found)


def _days(until: int, now: int) -> Iterator[int]:
    """Yield the starts of the days to search; the day before is searched again, since rows may have come late."""
    first = max(until - _DAY, now - _MOST_DAYS * _DAY) // _DAY * _DAY
    yield from range(first, now, _DAY)
