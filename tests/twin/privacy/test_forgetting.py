"""Somebody is forgotten: nothing of the person is left, all others are as before, and the proof would notice if not."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, UnknownTermError
from twinlab.twin.privacy.byte_search import search
from twinlab.twin.privacy.recording import PrivacyAudit

ANN, BOB = "Ann Archer", "Bob Baker"
PHONE = "+49 170 5550100"


def state_of_others(twin):
    """Return everything that the twin has, without Ann."""
    trips = twin.events("trip")
    mine = trips["driver"].eq(ANN) | trips["event_id"].isin(trips.attrs.get("gone", ()))
    pulse = twin.history("driver").compute()
    trucks = twin.history("truck").compute()
    others = [name for name in pulse["asset"].values.tolist() if name != ANN]
    return trips[~mine].reset_index(drop=True), pulse.sel(asset=others), trucks


def test_nothing_of_a_forgotten_person_is_left_and_others_are_as_before(fleet):
    twin = fleet.twin
    trips = twin.events("trip")
    gone = trips.loc[trips["driver"] == ANN, "event_id"].tolist()
    before = state_of_others(twin)
    report = twin.forget(ANN, who="dora")
    assert (report.ok, report.hits_after, report.verified, report.copies) == (True, 0, True, 2)
    assert report.hits_before >= 3
    assert report.rows == 12 + 36
    assert "0 after" in str(report)
    for reader in (twin, tl.open(fleet.folder)):
        after = reader.events("trip")
        left = after[after["event_id"].isin(gone)]
        assert len(left) == 12
        assert left[["driver", "phone"]].isna().all(axis=None)
        pd.testing.assert_frame_equal(after[~after["event_id"].isin(gone)].reset_index(drop=True), before[0])
        assert ANN not in reader.assets("driver").index
        np.testing.assert_array_equal(reader.history("driver")["pulse"].values, before[1]["pulse"].values)
        np.testing.assert_array_equal(reader.history("driver")["pulse_qc"].values, before[1]["pulse_qc"].values)
        for name in ("latitude", "fuel"):
            np.testing.assert_array_equal(reader.history("truck")[name].values, before[2][name].values)
    assert ANN not in twin.people()
    assert BOB in twin.people()
    assert twin.verify().ok


def test_the_ledger_and_the_copies_of_files_never_have_a_name_in_the_clear(fleet):
    assert search([fleet.folder / "ledger"], [ANN, BOB, PHONE, "5550101"]) == []
    # The search is able to find them: the history has them.
    assert {hit.text for hit in search([fleet.folder / "history"], [ANN, BOB, PHONE])} == {0, 1, 2}


def test_rows_of_a_writer_are_encrypted_too(fleet):
    with fleet.twin.writer("trips") as writer:
        writer.append(
            pd.DataFrame({
                "Tour": ["N9"], "Day": ["30"], "Truck": ["T1"], "Driver": ["Gil Grant"], "Phone": ["+49 151 7654321"],
                "Begin": ["2026-02-28T06:00:00Z"], "End": ["2026-02-28T07:00:00Z"],
            })
        )  # fmt: skip
    assert "Gil Grant" in set(fleet.twin.events("trip")["driver"])
    assert search([fleet.folder / "ledger"], ["Gil Grant", "7654321"]) == []
    assert fleet.twin.forget("Gil Grant").ok


def test_sealed_segments_and_a_compacted_history_forget_too(fleet):
    twin = fleet.twin
    for source in ("trips", "bands"):
        with twin.ledger.writer(source) as writer:
            writer.rotate()
        assert twin.ledger.seal(source)
    twin.compact()
    report = twin.forget(ANN)
    assert (report.ok, report.rows) == (True, 48)


def test_two_people_are_forgotten_one_after_the_other(fleet):
    assert fleet.twin.forget(ANN).ok
    assert fleet.twin.forget(BOB).ok
    assert search([fleet.folder], [ANN, BOB]) == []
    assert fleet.twin.events("trip")["driver"].nunique() == 4


def test_the_same_file_again_brings_nobody_back(fleet):
    fleet.twin.forget(ANN)
    report = fleet.twin.ingest(*fleet.files)
    assert report.rows_kept == 0
    assert search([fleet.folder], [ANN, PHONE]) == []


def test_the_proof_names_the_file_that_still_has_the_person(fleet, tmp_path):
    note = fleet.folder / "notes.txt"
    note.write_text(f"call {ANN} at {PHONE}")
    export = tmp_path / "export.csv.gz"
    export.write_bytes(gzip.compress(f"driver\n{ANN}\n".encode()))
    table = tmp_path / "export.parquet"
    pd.DataFrame({"driver": [ANN, BOB]}).to_parquet(table)
    workbook = tmp_path / "export.xlsx"
    pd.DataFrame({"driver": [ANN, BOB]}).to_excel(workbook)
    report = fleet.twin.forget(ANN, exports=[export, table, workbook])
    assert not report.ok
    assert set(report.places) == {"notes.txt", str(export), str(table), str(workbook)}
    assert "still in notes.txt" in str(report)


def test_the_audit_has_the_erasure_but_not_the_name(fleet):
    report = fleet.twin.forget(ANN, who="dora")
    rows = list(PrivacyAudit(fleet.folder).rows("erasure"))
    assert [(row.who, row.what["outcome"], row.what["id"]) for row in rows] == [
        (("dora",), "begun", report.id),
        (("dora",), "erased", report.id),
    ]
    assert ANN not in str(rows)


def test_an_unknown_name_erases_nothing(fleet):
    with pytest.raises(UnknownTermError, match="no key of 'Ann A'"):
        fleet.twin.forget("Ann A")


def test_while_a_historian_runs_nothing_is_erased(fleet):
    with (
        Lock(fleet.folder / "history.lock", what="the history"),
        pytest.raises(HistoryConflictError, match="nothing was erased"),
    ):
        fleet.twin.forget(ANN)
    assert ANN in fleet.twin.people()
    assert ANN in set(fleet.twin.events("trip")["driver"])


def test_a_crash_before_keys_are_destroyed_loses_nothing(fleet, monkeypatch):
    from twinlab.signing.subjects.key_folder import KeyFolder

    def crash(self, subject, *, before=None):
        raise KeyboardInterrupt

    trips = fleet.twin.events("trip")
    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "destroy", crash)
        with pytest.raises(KeyboardInterrupt):
            fleet.twin.forget(ANN)
    twin = tl.open(fleet.folder)
    twin.rebuild()
    pd.testing.assert_frame_equal(twin.events("trip"), trips)
    assert twin.forget(ANN).ok


def test_a_backup_of_the_twin_without_its_keys_has_no_names_in_its_ledger(fleet, tmp_path):
    shutil.copytree(fleet.folder / "ledger", tmp_path / "backup" / "ledger")
    for name in ("twin.yaml", "mapping"):
        source = fleet.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / "backup" / name)
    restored = tl.open(tmp_path / "backup")
    restored.rebuild()
    trips = restored.events("trip")
    assert len(trips) == 72
    assert trips["driver"].isna().all()
    assert search([tmp_path / "backup"], [ANN, BOB, PHONE]) == []
