"""Which metrics there are: of the historian, of a process, of a twin's folder; none names a person."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from twinlab.twin.health.checks import backup_times
from twinlab.twin.health.exposition import Family

__all__ = ["folder_families", "live_families", "outbox_families", "process_families"]

_PREFIX = "twinlab_live_"
#: Metric of each source: name, kind, key of the status, help.
_OF_SOURCE: tuple[tuple[str, Literal["counter", "gauge"], str, str], ...] = (
    ("rows_received", "counter", "rows", "Rows received since the start."),
    ("rows_stored", "counter", "stored", "Rows that are durable, since the start."),
    ("rows_per_second", "gauge", "rate", "Rows received a second, over ten seconds."),
    ("rows_queued", "gauge", "queued", "Rows that wait for the ledger."),
    ("rows_unpublished", "gauge", "waiting", "Durable rows that are in the tail only."),
    ("last_row_age_seconds", "gauge", "age", "Seconds since the last row was received."),
    ("received_to_durable_p50_seconds", "gauge", "received_p50", "Median from receipt to durable, last minute."),
    ("received_to_durable_p99_seconds", "gauge", "received_p99", "99 % of rows are durable within this time, last minute."),
    ("event_to_durable_p99_seconds", "gauge", "event_p99", "As above, from the event on the source's clock."),
    ("errors", "counter", "errors", "Failed connections and messages that can't be read."),
    ("connections", "counter", "connections", "Times that the source has connected."),
    ("restarts", "counter", "restarts", "Times that the source was started again after an error."),
    ("gaps_lost", "counter", "gaps_lost", "Gaps that can't be filled."),
    ("batches_refused", "counter", "refused", "Batches that don't fit the ledger, kept as files."),
    ("messages_unreadable", "counter", "unreadable", "Messages that can't be read."),
    ("clock_offset_seconds", "gauge", "clock_offset", "The source's clock minus this machine's."),
    ("stale", "gauge", "stale", "1 if nothing came for longer than stale_after."),
)  # fmt: skip


def live_families(status: Mapping[str, Any]) -> Iterator[Family]:
    """Yield the metrics of a historian, from its status (see `twinlab.twin.live.status.collect_status`)."""
    yield from _of_sources(status["sources"])
    yield from _of_publications(status["publications"])
    started, holder = status["started_ns"] / 1e9, {"host": str(status["host"]), "pid": str(status["pid"])}
    yield Family.one(_PREFIX + "start_time_seconds", "gauge", "Start of the historian, seconds since 1970.", started)
    yield Family(
        _PREFIX + "lease_holder", "gauge", "1: the process that has the lease of the historian.", [(holder, 1.0)]
    )


def _of_sources(sources: Mapping[str, Mapping[str, Any]]) -> Iterator[Family]:
    for name, kind, key, text in _OF_SOURCE:
        values = [({"source": source}, float(one[key])) for source, one in sources.items() if one.get(key) is not None]
        yield Family(_PREFIX + name, kind, text, values)
    counted: dict[str, tuple[str, Callable[[Mapping[str, Any]], float]]] = {
        "connected": ("1 if the source is connected.", lambda one: one["state"] == "connected"),
        "gaps_open": ("Gaps that aren't filled.", lambda one: len(one["gaps"])),
        "streams_offline": (
            "Streams, such as gateways, that aren't connected.", lambda one: len(one.get("streams_offline") or ()),
        ),
    }  # fmt: skip
    for name, (text, count) in counted.items():
        values = [({"source": source}, float(count(one))) for source, one in sources.items()]
        yield Family(_PREFIX + name, "gauge", text, values)
    loads = [
        ({"source": source, "of": str(name)}, float(value))
        for source, one in sources.items()
        for name, value in (one.get("load") or {}).items()
    ]
    yield Family(
        _PREFIX + "peer_load",
        "gauge",
        "What the source's peer has to do, such as the bytes that it still keeps.",
        loads,
    )


def _of_publications(done: Mapping[str, Any]) -> Iterator[Family]:
    last = done["last_ns"] / 1e9 or None
    yield Family.one(_PREFIX + "publications", "counter", "Publications of the history.", done["count"])
    yield Family.one(_PREFIX + "publication_seconds", "gauge", "Duration of the last publication.", done["seconds"])
    yield Family.one(_PREFIX + "last_publication_time_seconds", "gauge", "Last publication, seconds since 1970.", last)
    yield Family.one(_PREFIX + "publication_failed", "gauge", "1 if the last publication failed.", bool(done["error"]))
    yield Family.one(_PREFIX + "rows_waiting", "gauge", "Durable rows that aren't published.", done["waiting"])


def outbox_families(*, stored: int, acknowledged: int) -> Iterator[Family]:
    """Yield the metrics of a gateway's outbox, from the sequences up to which it has stored rows and the historian has them."""
    yield Family.one("twinlab_edge_rows_stored", "counter", "Sequence of the newest row on the gateway's disk.", stored)
    yield Family.one(
        "twinlab_edge_rows_acknowledged", "counter", "Sequence up to which the historian has all rows.", acknowledged
    )
    yield Family.one("twinlab_edge_outbox_rows", "gauge", "Rows that wait for the historian.", stored - acknowledged)


def process_families(others: Mapping[str, int] | None = None) -> Iterator[Family]:
    """Yield memory, CPU time and open files of this process; of others, by a label, memory only.

    Parameters
    ----------
    others : mapping of str to int, optional
        Label -> process number.
    """
    pid = os.getpid()
    times = os.times()
    yield Family.one("process_cpu_seconds", "counter", "CPU time, user and system.", times.user + times.system)
    yield Family.one("process_resident_memory_bytes", "gauge", "Memory in use.", _resident(pid))
    try:
        files: int | None = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (only counted)
    except OSError:
        files = None
    yield Family.one("process_open_fds", "gauge", "Open files.", files)
    if others is not None:
        found = [({"worker": name}, memory) for name, one in others.items() if (memory := _resident(one)) is not None]
        yield Family(
            "twinlab_serve_worker_memory_bytes", "gauge", "Memory in use by a process that serves pages.", found
        )


def folder_families(folder: Path) -> Iterable[Family]:
    """Return free space of the disk, and the age of the newest backup at each place."""
    free = shutil.disk_usage(folder).free
    ages = [({"place": place}, time.time() - at) for place, (_, at) in backup_times(folder).items()]
    return [
        Family.one("twinlab_disk_free_bytes", "gauge", "Free space of the twin's disk.", free),
        Family("twinlab_backup_age_seconds", "gauge", "Age of the newest backup at a place.", ages),
    ]


def _resident(pid: int) -> float | None:
    """Return the bytes of memory that a process has in use; None where the system doesn't say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
