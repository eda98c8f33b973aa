"""Logical decoding of 100,000 changes beside polling of the same rows, and beside pg_recvlogical, which parses nothing.

``python -m pytest tests/benchmarks/test_decoding_bench.py -m benchmark -s -n0``
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.peers import postgres_program
from tests.sources.live.postgres.test_source import Erp, read
from twinlab.sources.live import LIVE_KINDS, LiveBatch, LiveContext

pytestmark = pytest.mark.benchmark
ROWS = 100_000


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@pytest.fixture
def erp(postgres: str) -> Iterator[Erp]:
    made = Erp(postgres.replace("+psycopg", ""))
    yield made
    made.close()


def measured(what: str, work: Callable[[], list[LiveBatch]]) -> tuple[int, float, float]:
    """Return the number of rows and the sum of their ids, and the CPU seconds of this process."""
    began, cpu = time.monotonic(), time.process_time()
    found = work()
    used, took = time.process_time() - cpu, time.monotonic() - began
    ids = [value for batch in found for part in batch.parts for value in part.rows.column("id").to_pylist()]  # type: ignore[union-attr]
    say(
        f"{what}: {len(ids):,} rows, {used:.2f} s CPU of this process, {took:.2f} s, {len(ids) / used:,.0f} rows/s of CPU"
    )
    return len(ids), float(sum(ids)), used


def test_decoding_gives_the_rows_that_polling_gives(erp: Erp, postgres: str, tmp_path: Path) -> None:
    for low in range(0, ROWS, 1_000):
        erp.insert(low + 1, 1_000)
    polled = LIVE_KINDS.get("sql")
    given = {
        "url": erp.reader.replace("postgresql:", "postgresql+psycopg:"),
        "tables": {erp.table: {"updated": "at", "key": ["id"]}},
    }
    kind = polled.open(polled.parse(given), LiveContext("erp", once=True))
    rows, total, polling = measured("sql", lambda: read(kind))
    assert (rows, total) == (ROWS, ROWS * (ROWS + 1) / 2)
    found = measured("postgres", lambda: read(erp.open(once=True, copy_tables=False)))
    assert found[:2] == (rows, total)
    say(f"postgres / sql: {found[2] / polling:.2f} of the CPU")
    # The peer reads a slot of its own, for which the rows are written again.
    erp.run("SELECT pg_create_logical_replication_slot('bench', 'pgoutput')")
    erp.run(f"TRUNCATE {erp.table}")
    for low in range(0, ROWS, 1_000):
        erp.insert(low + 1, 1_000)
    end = erp.run("SELECT pg_current_wal_lsn()::text")[0][0]
    url = urlsplit(erp.url)
    program = postgres_program("pg_recvlogical")
    assert program is not None
    command = [
        str(program), "-h", str(url.hostname), "-p", str(url.port), "-U", "postgres", "-d", "postgres", "-S", "bench", "--start", "-f", str(tmp_path / "out"),
        "-o", "proto_version=1", "-o", f"publication_names={erp.publication}", f"--endpos={end}",
    ]  # fmt: skip
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        subprocess.run(command, check=True, timeout=120)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        say(
            f"pg_recvlogical, unparsed: {(tmp_path / 'out').stat().st_size / 1e6:.1f} MB, {used:.2f} s CPU, {time.monotonic() - began:.2f} s"
        )
    finally:
        erp.run("SELECT pg_drop_replication_slot('bench')")
    assert (tmp_path / "out").read_bytes().count(b"N\0\4t") == ROWS
