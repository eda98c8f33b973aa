"""Data are released for a purpose in groups, with owner and terms, after an attack; everything else is refused."""

import hashlib
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

import twinlab as tl
from twinlab.errors import PurposeError, SchemaError
from twinlab.twin.privacy.recording import PrivacyAudit
from twinlab.twin.privacy.releasing.budget import spent_by_purpose
from twinlab.twin.privacy.releasing.files import METADATA


def relax(fleet, **limits):
    """Return the fleet's twin with other limits of releases."""
    path = fleet.folder / "twin.yaml"
    said = ", ".join(f"{name}: {value}" for name, value in limits.items())
    path.write_text(
        path.read_text().replace(
            "  controller: Example Parcels\n", f"  controller: Example Parcels\n  release: {{{said}}}\n"
        )
    )
    return tl.open(fleet.folder)


def release(twin, to, **options):
    given = {"purpose": "route_planning", "recipient": "City of Example", "fields": ["start", "tour"], **options}
    return twin.release("trip", to=to, **given)


def test_a_release_says_whose_it_is_and_what_may_be_done_with_it(fleet, tmp_path):
    twin = relax(fleet, group_size=2, risk=0.5)
    path = tmp_path / "trips.parquet"
    receipt = release(twin, path, fields=["start"])
    said = json.loads(pq.read_schema(path).metadata[METADATA])
    assert (said["owner"], said["purpose"], said["recipient"]) == (
        "Example Parcels",
        "route_planning",
        "City of Example",
    )
    assert "re-identification" in said["terms"].casefold()
    assert said["precision"] == {"time": "1h", "location": "5 km"}
    assert receipt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    (row,) = PrivacyAudit(fleet.folder).rows("release")
    assert (row.what["sha256"], row.what["outcome"], row.what["file"]) == (
        receipt.sha256,
        "released",
        str(path.resolve()),
    )
    table = pd.read_parquet(path)
    assert set(table.columns) == {"start"}
    assert table["start"].dt.minute.eq(0).all()
    assert table.groupby("start").size().min() >= 2
    assert receipt.risk <= 0.5
    assert "finds" in str(receipt)


def test_a_csv_has_its_metadata_beside_it(fleet, tmp_path):
    twin = relax(fleet, group_size=2, risk=0.5)
    receipt = release(twin, tmp_path / "trips.csv", fields=["start"])
    said = json.loads((tmp_path / "trips.csv.release.json").read_text())
    assert said["sha256"] == receipt.sha256 == hashlib.sha256((tmp_path / "trips.csv").read_bytes()).hexdigest()


def test_linked_rows_are_refused_because_the_attack_finds_people(fleet, tmp_path):
    twin = relax(fleet, group_size=2, risk=0.5)
    with pytest.raises(PurposeError, match="nothing was released"):
        release(twin, tmp_path / "trips.parquet", linked=True)
    assert list(tmp_path.glob("*trips.parquet*")) == []
    (row,) = PrivacyAudit(fleet.folder).rows("release")
    assert row.what["outcome"] == "refused"
    assert row.what["risk"] > 0.5


@pytest.mark.parametrize("field", ["driver", "phone", "load"])
def test_names_and_fields_of_other_purposes_are_refused(fleet, tmp_path, field):
    with pytest.raises(PurposeError, match="may release"):
        release(fleet.twin, tmp_path / "trips.parquet", fields=["start", field])
    assert not (tmp_path / "trips.parquet").exists()


def test_positions_of_a_history_are_released_in_cells(fleet, tmp_path):
    twin = relax(fleet, group_size=2, risk=0.5)
    text = (fleet.folder / "twin.yaml").read_text()
    (fleet.folder / "twin.yaml").write_text(text.replace("location: 5 km", "location: 100 km"))
    twin.reload()
    receipt = twin.release("truck", purpose="route_planning", to=tmp_path / "cells.parquet", recipient="City")
    table = pd.read_parquet(tmp_path / "cells.parquet")
    assert list(table.columns) == ["time", "latitude", "longitude"]
    assert table.groupby(list(table.columns)).size().min() >= 2
    assert len(table) == receipt.rows
    assert receipt.withheld > 0


def test_counts_with_noise_are_charged_to_the_budget_of_the_purpose(fleet, tmp_path, need):
    need("opendp")
    twin = relax(fleet, group_size=2, risk=0.5, epsilon=0.5, budget=1.0)
    for number in range(2):
        receipt = release(twin, tmp_path / f"{number}.parquet", fields=["start"], by=["start"], noise=True, most=12)
        assert receipt.epsilon == 0.5
    # The budget is in the audit: another process knows it.
    twin = tl.open(fleet.folder)
    assert spent_by_purpose(fleet.folder).get("route_planning", 0.0) == 1.0
    with pytest.raises(PurposeError, match="1 of 1 is spent"):
        release(twin, tmp_path / "3.parquet", fields=["start"], by=["start"], noise=True)
    assert not (tmp_path / "3.parquet").exists()
    assert spent_by_purpose(fleet.folder).get("safety", 0.0) == 0.0


def test_what_cant_be_released_is_refused(fleet, tmp_path):
    with pytest.raises(SchemaError, match=r"\.parquet or \.csv"):
        release(relax(fleet, group_size=2, risk=0.5), tmp_path / "trips.xlsx", fields=["start"])
    (tmp_path / "trips.csv").write_text("")
    with pytest.raises(SchemaError, match="exists"):
        release(fleet.twin, tmp_path / "trips.csv")
    with pytest.raises(SchemaError, match="did you mean 'trip'"):
        fleet.twin.release("trips", purpose="payroll", to=tmp_path / "a.csv", recipient="x")
    with pytest.raises(tl.UnknownTermError, match="no purpose"):
        release(fleet.twin, tmp_path / "a.csv", purpose="fun")
    path = fleet.folder / "twin.yaml"
    path.write_text(path.read_text().replace("  controller: Example Parcels", "  contact: dpo@example.org"))
    with pytest.raises(SchemaError, match="controller"):
        release(tl.open(fleet.folder), tmp_path / "a.csv")


def test_a_released_file_is_searched_when_somebody_is_forgotten(fleet, tmp_path):
    twin = relax(fleet, group_size=2, risk=0.5)
    release(twin, tmp_path / "trips.csv", fields=["start"])
    with (tmp_path / "trips.csv").open("a") as file:
        file.write("Ann Archer\n")
    report = twin.forget("Ann Archer")
    assert report.places == (str(tmp_path / "trips.csv"),)


def test_counts_of_fewer_people_than_the_group_size_are_withheld(fleet, tmp_path):
    twin = relax(fleet, group_size=3, risk=0.5)
    receipt = release(twin, tmp_path / "hours.csv", fields=["start", "tour"], by=["start"])
    table = pd.read_csv(tmp_path / "hours.csv")
    # Two drivers begin in each hour, of six: no hour has three.
    assert (len(table), receipt.rows) == (0, 0)
    assert receipt.withheld > 0
    days = relax_time(fleet, "1d")
    receipt = release(days, tmp_path / "days.csv", fields=["start"], by=["start"])
    assert pd.read_csv(tmp_path / "days.csv")["people"].tolist() == [6] * 12


def relax_time(fleet, step):
    path = fleet.folder / "twin.yaml"
    path.write_text(path.read_text().replace("time: 1h", f"time: {step}"))
    return tl.open(fleet.folder)
