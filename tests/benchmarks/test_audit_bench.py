"""How quickly rows of an audit become durable, beside SQLite; how long it takes to prove a million of them.

Run with ``pytest -m benchmark -n0 -s tests/benchmarks/test_audit_bench.py``; the folder of the temporary files must be on a disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from twinlab.control.audit import AuditLog, make_receipt, search, verify_audit
from twinlab.control.audit.chain import Chain
from twinlab.control.audit.rows import checked_entry, write_row
from twinlab.control.audit.segments import SEGMENT_BYTES, first_entry, segment_path

pytestmark = pytest.mark.benchmark

TARGETS = 40
WIRE = "e" * 1200


def entry(number: int) -> dict:
    """A row as a guard writes it, with the envelope of an accepted command."""
    return {
        "kind": "command accepted", "who": ["ann", "bob"], "time": "2026-03-01T12:00:00.000Z", "device": f"forklift/F{number % TARGETS:02d}",
        "wire_sha256": hashlib.sha256(b"%d" % number).hexdigest(),
        "what": {"id": f"{number:032x}", "operation": "operate", "target": f"forklift/F{number % TARGETS:02d}", "parameter": "max_speed",
                 "value": 6.0, "unit": "km/h", "outcome": "done", "reason": "people near the dock", "wire": WIRE},
    }  # fmt: skip


def say(*parts: object) -> None:
    """Show figures."""
    print(*parts)  # noqa: T201


def in_threads(append: Callable[[int], object], count: int, threads: int) -> float:
    """Return rows a second of so many threads."""
    each = count // threads

    def some(first: int) -> None:
        for number in range(first, first + each):
            append(number)

    started = [threading.Thread(target=some, args=(place * each,)) for place in range(threads)]
    began = time.perf_counter()
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return each * threads / (time.perf_counter() - began)


class Sqlite:
    """Rows in SQLite, each synced; a connection is used by one thread at a time."""

    def __init__(self, path: Path, journal: str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute(f"PRAGMA journal_mode={journal}")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, entry TEXT NOT NULL)")
        self._lock = threading.Lock()

    def append(self, number: int) -> None:
        text = json.dumps(entry(number))
        with self._lock:
            self._connection.execute("INSERT INTO rows (entry) VALUES (?)", (text,))

    def checksum(self) -> str:
        found = hashlib.sha256()
        for (text,) in self._connection.execute("SELECT entry FROM rows ORDER BY entry"):
            found.update(json.dumps(json.loads(text)["what"], sort_keys=True).encode())
        return found.hexdigest()


def checksum(folder: Path) -> str:
    """Return the same checksum of a log."""
    texts = sorted(
        (row for row in search.find_rows(folder, search.RowFilter(kinds=("command accepted",)))),
        key=lambda row: json.dumps(entry(int(row.what["id"], 16))),
    )
    found = hashlib.sha256()
    for row in texts:
        beside = {name: value for name, value in row.what.items() if name not in {"time", "device", "wire_sha256"}}
        found.update(json.dumps(beside, sort_keys=True).encode())
    return found.hexdigest()


@pytest.mark.parametrize("threads", [1, 8])
def test_appending(tmp_path: Path, threads: int) -> None:
    """Each row synced before it counts; the same rows, one store after the other, three times in turn."""
    count = 1600
    signer = CryptoSigner.generate_ed25519()
    rates: dict[str, list[float]] = {"audit": [], "audit, heads signed": [], "sqlite rollback": [], "sqlite wal": []}
    sums = set()
    for turn in range(3):
        for name, key in (("audit", None), ("audit, heads signed", signer)):
            folder = tmp_path / f"{name} {turn}"
            with AuditLog(folder, signer=key) as log:
                rates[name].append(in_threads(lambda number, log=log: log.append(entry(number)), count, threads))
            sums.add(checksum(folder))
        for journal in ("DELETE", "WAL"):
            store = Sqlite(tmp_path / f"{journal} {turn}.db", journal)
            rates["sqlite wal" if journal == "WAL" else "sqlite rollback"].append(
                in_threads(store.append, count, threads)
            )
            sums.add(store.checksum())
    assert len(sums) == 1
    say(f"\n{threads} threads, {count} rows of {len(json.dumps(entry(0)))} bytes, rows/s, best of 3:", {name: round(max(found)) for name, found in rates.items()}, sums.pop()[:12])  # fmt: skip


def test_proving_a_million_rows(tmp_path: Path) -> None:
    """A log of a million short rows with signed heads; it is written without a sync for each row, in the same bytes."""
    count = int(os.environ.get("TWINLAB_AUDIT_ROWS", "1000000"))
    folder = tmp_path / "audit"
    signer = CryptoSigner.generate_ed25519()
    keys = {signer.public_key.keyid: signer.public_key}
    size = _write_rows(folder, count)
    seconds, cpu = {}, {}

    def timed(what: str, act: Callable[[], Any]) -> Any:
        began, used = time.perf_counter(), time.process_time()
        found = act()
        seconds[what], cpu[what] = round(time.perf_counter() - began, 1), round(time.process_time() - used, 1)
        return found

    timed("all heads signed", lambda: AuditLog(folder, signer=signer).close())
    report = timed("verified", lambda: verify_audit(folder, keys=keys))
    assert (report.intact, report.proved) == (True, count)
    receipt = timed("receipt", lambda: make_receipt(folder, count // 2, keys=keys))
    timed("opened", lambda: AuditLog(folder).close())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(  # noqa: T201
        f"\n{count:,} rows, {size / 1e6:.0f} MB, {report.heads:,} heads; s: {seconds}; s of CPU: {cpu}; receipt {len(receipt)} bytes; {peak:.0f} MB"
    )


def _write_rows(folder: Path, count: int) -> int:
    """Write a log of so many rows, a file after the other, and return its bytes."""
    what = {"target": "forklift/F07", "parameter": "max_speed", "value": 6.0, "unit": "km/h", "id": "a" * 36}
    entry = checked_entry({"kind": "command accepted", "who": ["ann"], "what": what})
    chain, total = Chain(), 0
    (folder / "rows").mkdir(parents=True)
    while chain.count < count:
        path, lines, size = segment_path(folder, chain.count), [], 0
        while size < SEGMENT_BYTES and chain.count < count:
            line = write_row(
                chain.count, chain.last, "2026-03-01T12:00:00.000000Z", entry if lines else first_entry(chain, "f" * 32)
            )
            chain.take(line)
            lines.append(line)
            size += len(line) + 1
        path.write_bytes(b"\n".join(lines) + b"\n")
        total += size
    return total
