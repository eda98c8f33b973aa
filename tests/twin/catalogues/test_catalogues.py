"""Notes, alerts and plans of a twin that several servers share, in files, SQLite and PostgreSQL; moves; a lost database."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import twinlab as tl
from tests.twin.catalogues.conftest import state
from twinlab.cli import main
from twinlab.control.proposals.plan_store import DatabasePlans, FilePlans, PlanStore
from twinlab.database.documents import Documents
from twinlab.errors import DatabaseUnreachableError, HistoryConflictError, SchemaError, SourceError
from twinlab.twin import Twin

SPAN = {"asset": "room/1", "signal": "temp", "start": "2026-01-01T00:00", "stop": "2026-01-01T01:00"}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Address of a database."""
    return "sqlite:///catalogues.db" if request.param == "sqlite" else request.getfixturevalue("postgres")


def asset_of(twin: Twin) -> dict[str, str]:
    """Return a span of a signal of the twin."""
    [kind] = twin.model.asset_types
    [signal] = twin.model.asset_types[kind].signals
    asset = str(twin.assets(kind).index[0])
    return {**SPAN, "asset": f"{kind}/{asset}", "signal": signal}


def test_a_note_written_in_one_server_is_seen_in_the_others_and_none_is_lost(shared: Path) -> None:
    one, two = tl.open(shared), tl.open(shared)
    span = asset_of(one)
    one.annotate(**span, verdict="reject", note="sun", author="ann")
    assert two.annotations()["note"].tolist() == ["sun"]
    errors: list[BaseException] = []

    def write(twin: Twin, who: str) -> None:
        try:
            for n in range(5):
                twin.annotate(**{**span, "start": f"2026-01-01T00:{n + 1:02d}"}, note=f"{who} {n}", author=who)
        except BaseException as error:  # noqa: BLE001  (asserted below)
            errors.append(error)

    threads = [threading.Thread(target=write, args=args) for args in ((one, "ann"), (two, "bob"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    versions = [twin.annotations(history=True)["note"].tolist() for twin in (one, two, tl.open(shared))]
    assert versions[0] == versions[1] == versions[2]
    assert sorted(versions[0]) == sorted(["sun", *(f"{who} {n}" for who in ("ann", "bob") for n in range(5))])
    assert one.verify().ok


def test_plans_are_shared_and_one_server_at_a_time_changes_them(shared: Path) -> None:
    def opened() -> PlanStore:
        twin = tl.open(shared)
        return twin._plan_store() or FilePlans(shared / "control")

    one, two = opened(), opened()
    assert two.read("a") is None
    one.save("a", {"n": 1, "text": "früh"})
    one.save("b", {"n": 2})
    assert two.read("a") == {"n": 1, "text": "früh"}
    two.save("a", {"n": 3})
    assert list(one.all().items()) == [("a", {"n": 3}), ("b", {"n": 2})]
    refused = pytest.raises(HistoryConflictError)
    with one.alone("sending", wait=1), one.alone("storing", wait=1), refused, two.alone("sending", wait=0.05):
        pass
    with two.alone("sending", wait=1):
        pass


def test_catalogues_move_to_a_database_and_back_by_the_command(
    folder: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = tl.open(folder)
    span = asset_of(twin)
    twin.annotate(**span, note="before", author="ann")
    FilePlans(folder / "control").save("p1", {"n": 1})
    entries = list(twin.ledger.journal.entries())
    before = twin.history(next(iter(twin.model.asset_types))).compute()
    state(folder, url)
    assert main(["catalogues", str(folder)]) == 1
    assert "not moved yet" in capsys.readouterr().out
    with pytest.raises(SchemaError, match="--move database"):
        tl.open(folder)
    assert main(["catalogues", str(folder), "--move", "database"]) == 0
    assert f"journal: {len(entries)} entries are in the database, each compared" in capsys.readouterr().out
    # A server that was started before must not write beside the database.
    with pytest.raises(HistoryConflictError, match="Nothing was written"):
        twin.annotate(**span, note="lost", author="ann")
    moved = tl.open(folder)
    assert list(moved.ledger.journal.entries()) == entries
    assert moved.history(next(iter(moved.model.asset_types))).compute().identical(before)
    moved.annotate(**span, note="after", author="ann")
    plans = moved._plan_store()
    assert isinstance(plans, DatabasePlans)
    assert plans.all() == {"p1": {"n": 1}}
    plans.save("p2", {"n": 2})
    assert main(["catalogues", str(folder)]) == 0
    # The other way without the move is refused, so that nothing seems to be gone.
    state(folder, None)
    with pytest.raises(SchemaError, match="--move files"):
        tl.open(folder)
    with pytest.raises(SchemaError, match="--move files"):
        FilePlans(folder / "control")
    state(folder, url)
    assert main(["catalogues", str(folder), "--move", "files"]) == 0
    with pytest.raises(HistoryConflictError, match="moved to files"):
        moved.annotate(**span, note="lost", author="ann")
    state(folder, None)
    back = tl.open(folder)
    assert back.annotations(history=True)["note"].tolist() == ["before", "after"]
    assert list(FilePlans(folder / "control").all()) == ["p2", "p1"]
    back.annotate(**span, note="in files", author="ann")
    assert back.verify().ok


def test_a_server_with_a_copy_of_the_folder_shares_the_notes(
    folder: Path, tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The address may come from the environment, with a password that no file has.
    monkeypatch.setenv("TWINLAB_CATALOGUES", postgres)
    state(folder, "${TWINLAB_CATALOGUES}")
    assert main(["catalogues", str(folder), "--move", "database"]) == 0
    shutil.copytree(folder, tmp_path / "copy")
    one, two = tl.open(folder), tl.open(tmp_path / "copy")
    one.annotate(**asset_of(one), note="one", author="ann")
    two.annotate(**asset_of(two), note="two", author="bob")
    assert [twin.annotations(history=True)["note"].tolist() for twin in (one, two)] == [["one", "two"]] * 2


def test_without_its_database_a_twin_is_read_and_what_would_be_written_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.peers import postgres_program, postgres_server

    if postgres_program("postgres") is None:
        pytest.skip("postgres isn't installed")
    with postgres_server() as url:
        monkeypatch.setenv("TWINLAB_CATALOGUES", url)
        state(folder, "${TWINLAB_CATALOGUES}")
        assert main(["catalogues", str(folder), "--move", "database"]) == 0
        twin = tl.open(folder)
        span = asset_of(twin)
        twin.annotate(**span, note="before", author="ann")
        assert twin.catalogue_fault == ""
    # The server is gone, and its address answers nobody.
    for one in (twin, tl.open(folder)):
        assert one.annotations()["note"].tolist() == ["before"]
        assert one.history(next(iter(one.model.asset_types))).sizes["time"] == 120
        assert "doesn't answer" in one.catalogue_fault
        with pytest.raises(DatabaseUnreachableError, match="nothing was written"):
            one.annotate(**span, note="lost", author="ann")
        assert one.verify().problems[0].what.endswith("retry once it does")


def test_an_address_without_its_driver_names_the_extra(folder: Path) -> None:
    state(folder, "sqlite:///catalogues.db")
    code = f"import sys; sys.modules['sqlalchemy'] = None\nimport twinlab as tl\ntl.open({str(folder)!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "twinlab-kit[postgres]"' in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://ann:secret@db/x", "without a password"),
        ("mysql://db/x", "expected an address such as postgresql"),
        ("db.example.org", "expected an address such as postgresql"),
    ],
)
def test_addresses_that_cannot_be_used_are_refused_with_their_line(folder: Path, text: str, said: str) -> None:
    state(folder, text)
    with pytest.raises(SchemaError, match=said):
        tl.open(folder)


def test_a_secret_that_is_missing_is_named(folder: Path) -> None:
    state(folder, "${TWINLAB_NO_SUCH_DATABASE}")
    with pytest.raises(SourceError, match="TWINLAB_NO_SUCH_DATABASE isn't set"):
        tl.open(folder)


def test_of_two_servers_that_change_a_document_at_once_one_is_refused(database: object) -> None:
    one, two = Documents(database, "plan"), Documents(database, "plan")  # type: ignore[arg-type]
    assert one.put("a", "1", after=0).version == 1
    assert two.put("a", "2", author="bob", after=1).version == 2
    with pytest.raises(HistoryConflictError, match="version 2"):
        one.put("a", "3", after=1)
    assert [version.text for version in one.versions("a")] == ["1", "2"]
    made: list[int] = []
    refused: list[str] = []

    def change(documents: Documents) -> None:
        for n in range(4):
            try:
                made.append(documents.put("b", str(n), after=n).version)
            except HistoryConflictError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=change, args=(documents,)) for documents in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [1, 2, 3, 4]
    assert len(refused) == 4


def test_a_twin_in_files_loads_no_database(folder: Path) -> None:
    code = (
        "import sys, json\nimport twinlab as tl\n"
        f"twin = tl.open({str(folder)!r})\ntwin.annotations()\n"
        "print(json.dumps([name for name in sys.modules if name.startswith(('sqlalchemy', 'twinlab.database'))]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == []
