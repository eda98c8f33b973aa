"""Connections that are lost, servers that exclude each other, and a database that doesn't answer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.field_peers import free_port
from twinlab.database.connection import SharedDatabase
from twinlab.database.documents import Documents
from twinlab.database.journal_rows import JournalRows
from twinlab.database.opening import open_database
from twinlab.errors import DatabaseUnreachableError, HistoryConflictError, SchemaError
from twinlab.model.storage.catalogues import CatalogueStore


def end_connections(database: SharedDatabase) -> None:
    """Let PostgreSQL end all connections of a twin's server but the one that asks."""
    text = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'twinlab catalogues' AND pid <> pg_backend_pid()"
    )
    database.run(lambda connection: connection.execute(text).scalar_one())


def test_connections_that_were_lost_meanwhile_are_replaced(postgres: str, tmp_path: Path) -> None:
    one, two = (open_database(CatalogueStore(url=postgres), folder=tmp_path, twin="lost") for _ in range(2))
    rows, plans = JournalRows(one), Documents(one, "plan")
    start = rows.append([("note", "{}")])[0].ordinal
    for use in (
        lambda: rows.count(),
        lambda: rows.append([("note", "{}")]),
        lambda: plans.put("a", "1"),
        lambda: one.exclusive("sending", wait=1).__enter__(),
    ):
        end_connections(two)
        use()
    assert rows.count() == start + 2
    assert one.fault == ""
    one.close()
    two.close()


def test_only_one_server_at_a_time_does_what_is_exclusive_until_its_connection_ends(
    postgres: str, tmp_path: Path
) -> None:
    one, two = (open_database(CatalogueStore(url=postgres), folder=tmp_path, twin="exclusive") for _ in range(2))
    with one.exclusive("sending", wait=1), two.exclusive("storing", wait=1):
        began = time.monotonic()
        with (
            pytest.raises(HistoryConflictError, match="another server of this twin is sending"),
            two.exclusive("sending", wait=0.1),
        ):
            pass
        assert time.monotonic() - began < 5
        # The server with the lock is killed: its connection ends.
        end_connections(two)
        with two.exclusive("sending", wait=5):
            pass
    one.close()
    two.close()


def test_a_database_that_does_not_answer_is_named_without_its_password_and_not_asked_at_once_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB", f"postgresql://ann:secret@127.0.0.1:{free_port()}/x")
    database = open_database(CatalogueStore(url="${DB}"), folder=tmp_path, twin="away")
    with pytest.raises(DatabaseUnreachableError, match=r"ann:\*\*\*@.* doesn't answer .*nothing was written") as first:
        JournalRows(database).append([("note", "{}")])
    assert "secret" not in str(first.value)
    assert "secret" not in database.fault
    began = time.perf_counter()
    for _ in range(100):
        with pytest.raises(DatabaseUnreachableError):
            JournalRows(database).count()
    assert time.perf_counter() - began < 1


def test_tables_of_another_version_are_refused(database: SharedDatabase, tmp_path: Path) -> None:
    from twinlab.database.tables import ABOUT

    database.run(lambda connection: connection.execute(sa.update(ABOUT).values(value="99")))
    database._made = False
    with pytest.raises(SchemaError, match="expected tables of version 1, got '99'"):
        JournalRows(database).count()
