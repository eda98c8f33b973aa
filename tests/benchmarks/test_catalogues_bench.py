"""What a note, a look for new entries and a check of a login cost in files, in SQLite and in PostgreSQL.

``python -m pytest tests/benchmarks/test_catalogues_bench.py -m benchmark -n0 -s``
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinlab.apps.login.login_store import LoginStore, SharedLoginStore
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.sessions import Logins
from twinlab.apps.login.users import Users
from twinlab.database.opening import open_database
from twinlab.ledger import Ledger
from twinlab.model.storage.catalogues import CatalogueStore

pytestmark = pytest.mark.benchmark
_TIMES = 100


def _median(work: Callable[[], object]) -> float:
    """Return the median time of a call, ms."""
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1e3 * statistics.median(taken)


def test_notes_and_logins_in_files_and_databases(catalogue_url: str | None, tmp_path: Path) -> None:
    ledger, store = Ledger(tmp_path / "ledger"), LoginStore(tmp_path / "logins.sqlite")
    if catalogue_url is not None:
        settings = CatalogueStore(url=catalogue_url)
        database = open_database(settings, folder=tmp_path, twin=f"t{uuid.uuid4().hex[:12]}")
        ledger.use_database(database)
        store = SharedLoginStore(database)
    payload: dict[str, Any] = {"key": "warm/3/2026-01-01T00:00:00", "note": "the door was open", "author": "ann"}
    append = _median(lambda: ledger.journal.append("annotation", payload))
    position = _median(ledger.journal.position)
    began = time.perf_counter()
    found = [entry.payload for entry in ledger.journal.entries()]
    read = 1e3 * (time.perf_counter() - began)
    users = Users(tmp_path / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", "quiet harbour seven")
    logins = Logins(users, store=store)
    secret = logins.begin("dora", users.accounts()["dora"])
    find = _median(lambda: logins.find(secret))
    checksum = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:12]
    kind = "files" if catalogue_url is None else catalogue_url.partition(":")[0]
    print(  # noqa: T201  (the result)
        f"\n{kind}: a note {append:.2f} ms, whether there are new ones {position:.3f} ms, {len(found)} read in {read:.1f} ms, "
        f"a login looked up {find:.3f} ms (checksum {checksum})"
    )
