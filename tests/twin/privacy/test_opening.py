"""A twin that was opened for a purpose shows what the purpose allows, and nothing else."""

import numpy as np
import pytest

import twinlab as tl
from twinlab.errors import PurposeError
from twinlab.model.privacy.fields import fields_of
from twinlab.model.privacy.policy import Policy
from twinlab.model.privacy.purpose_reader import PurposeReader
from twinlab.model.reader import TwinReader
from twinlab.twin.privacy.recording import PrivacyAudit

from .conftest import MODEL

PURPOSES = ("route_planning", "payroll", "safety", "statistics")
#: What the model of the fleet declares: purpose -> fields that are there.
MATRIX = {
    "route_planning": {"truck": {"latitude", "longitude", "fuel"}, "trip": {"driver", "tour"}},
    "payroll": {"truck": {"fuel"}, "trip": {"driver", "phone", "tour"}},
    "safety": {"truck": {"latitude", "longitude", "fuel"}, "driver": {"pulse"}, "trip": {"driver", "tour"}},
    "statistics": {"truck": {"fuel"}, "trip": {"tour"}},
}

RELATED = """
  driver: {properties: {licence: {sensitivity: personal, purposes: [payroll]}}}
  shift: {asset: driver, links: {second: driver, vehicle: truck}}
relationships:
  drives: {source: driver, target: truck}
  parks: {source: truck, target: truck}
events:
  tired: {on: driver, when: pulse > 150 1/min}
rules:
"""


def opened(fleet, purpose, **options):
    return tl.open(fleet.folder, purpose=purpose, **options)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_purpose_sees_the_declared_fields_and_no_others(fleet, purpose):
    reader = opened(fleet, purpose)
    assert isinstance(reader, TwinReader)
    seen = {
        kind: set(reader.history(kind, start="2026-02-01", stop="2026-02-02", step="1h").data_vars)
        for kind in reader.model.asset_types
    }
    for kind, names in seen.items():
        stems = {name.rsplit("_", 1)[0] for name in names if name.endswith("_count")}
        assert stems == MATRIX[purpose][kind]
        assert {name for name in names if not any(name.startswith(stem) for stem in stems)} == set()
    assert set(reader.events("trip").columns) & {"driver", "phone", "tour"} == MATRIX[purpose]["trip"]
    assert set(seen) | {"trip"} == set(MATRIX[purpose])


def test_what_is_withheld_says_for_which_purpose_it_is_shown(fleet):
    reader = opened(fleet, "route_planning")
    assert reader.events("trip").attrs["withheld"] == "phone: shown for payroll"
    with pytest.raises(PurposeError, match="got 'driver', which is personal: it is shown for safety"):
        reader.history("driver", signals=["pulse"])
    with pytest.raises(
        PurposeError, match="'latitude' of 'truck', which is personal: it is shown for route_planning and safety"
    ):
        opened(fleet, "payroll").history("truck", signals=["latitude"])


def test_rules_about_hidden_fields_are_hidden(fleet):
    assert set(opened(fleet, "payroll").model.rules) == {"empty"}
    assert set(opened(fleet, "safety").model.rules) == {"fast_pulse", "empty"}


def test_nothing_beyond_reading_can_be_reached(fleet):
    reader = opened(fleet, "payroll")
    for name in ("ledger", "reader", "folder", "ingest", "rebuild", "observations", "as_of", "export"):
        assert not hasattr(reader, name)


def test_people_have_a_pseudonym_of_the_purpose_and_epoch(fleet):
    plain = opened(fleet, "payroll").events("trip").set_index(["start", "tour"])["driver"]
    assert set(plain) == set(fleet.twin.events("trip")["driver"])
    safe = opened(fleet, "safety").events("trip").set_index(["start", "tour"])["driver"]
    assert not set(plain) & set(safe)
    assert safe.str.fullmatch(r"p-[a-z2-7]{16}").all()
    # Twelve days are parts of three weeks since 1970, and each person has a pseudonym in each.
    weeks = len(set((safe.index.get_level_values(0).astype("int64") // (7 * 86400 * 10**9)).tolist()))
    assert safe.nunique() == 6 * weeks
    planned = opened(fleet, "route_planning").events("trip")["driver"]
    assert planned.nunique() == 6
    assert not set(planned) & set(safe)
    assert set(opened(fleet, "route_planning").events("trip")["driver"]) == set(planned)


def test_people_as_assets_are_found_by_their_pseudonym(fleet):
    reader = opened(fleet, "safety")
    span = {"start": "2026-02-01", "stop": "2026-02-02"}
    whole = reader.history("driver", **span)
    assert all(name.startswith("p-") for name in whole["asset"].values.tolist())
    one = str(whole["asset"].values[2])
    again = reader.history("driver", assets=[one], **span)
    np.testing.assert_array_equal(again["pulse"].values[:, 0], whole["pulse"].sel(asset=one).values)
    with pytest.raises(PurposeError, match="there is no driver 'Ann Archer'"):
        reader.history("driver", assets=["Ann Archer"], **span)
    assert set(reader.assets("driver").index) == set(whole["asset"].values.tolist())


def test_ids_of_people_change_with_the_epoch_of_the_reading(fleet):
    twin = fleet.twin
    policy = Policy(twin.model, "safety")
    names = lambda purpose, epoch, name: f"{purpose} {epoch} {name}"  # noqa: E731
    week = 7 * 86400 * 10**9
    readers = [
        PurposeReader(twin, policy, names, lambda entry: None, now=lambda at=at: at)
        for at in (week, 2 * week - 1, 2 * week)
    ]
    first, same, later = (set(reader.history("driver")["asset"].values.tolist()) for reader in readers)
    assert first == same == {f"safety 1 {name}" for name in twin.people() if " " in name}
    assert not first & later


def test_all_ids_of_a_table_are_of_one_epoch(fleet):
    """An epoch that ends while a table is made must not show two pseudonyms of one person."""
    week = 7 * 86400 * 10**9
    times = iter(range(week - 3, week + 1000))
    reader = PurposeReader(
        fleet.twin, Policy(fleet.twin.model, "safety"), lambda purpose, epoch, name: f"{epoch} {name}", lambda entry: None,
        now=lambda: next(times),
    )  # fmt: skip
    assert len({name.partition(" ")[0] for name in reader.assets("driver").index}) == 1


def test_times_and_positions_are_as_coarse_as_stated(fleet):
    reader = opened(fleet, "route_planning")
    trips = reader.events("trip")
    assert {time.minute for name in ("start", "end") for time in trips[name]} == {0}
    assert not set(trips["event_id"]) & set(fleet.twin.events("trip")["event_id"])
    exact = fleet.twin.history(
        "truck", signals=["latitude", "longitude"], start="2026-02-01", stop="2026-02-02", step="1h"
    )
    span = {"signals": ["latitude", "longitude"], "start": "2026-02-01", "stop": "2026-02-02"}
    hours = reader.history("truck", step="1h", **span)
    assert {"latitude_mean", "longitude_mean"} <= set(hours.data_vars)
    assert not {f"latitude{end}" for end in ("_min", "_max", "_sum")} & set(hours.data_vars)
    north = np.abs(hours["latitude_mean"] - exact["latitude_mean"]).compute()
    assert 0 < float(north.max()) <= 5000 / 111_133 / 2 + 1e-9
    # At the cadence, and at shorter steps, a value is that of its hour.
    cells = reader.history("truck", **span).compute()
    tens = reader.history("truck", step="10min", **span)["latitude_mean"].compute()
    raw = fleet.twin.history("truck", **span)
    assert cells.sizes == raw.sizes
    for found in (cells["latitude"], tens):
        for _, hour in found.groupby("time.hour"):
            assert (hour == hour.isel(time=0)).all() | hour.isnull().all()
    np.testing.assert_array_equal(cells["latitude"].values[::6], hours["latitude_mean"].values)
    assert set(np.unique(cells["latitude_qc"].values)) <= {1, 9}
    assert cells["latitude"].attrs == raw["latitude"].attrs
    # What isn't personal is as exact as before.
    both = reader.history("truck", signals=["latitude", "fuel"], start="2026-02-01", stop="2026-02-02")
    np.testing.assert_array_equal(
        both["fuel"].values,
        fleet.twin.history("truck", signals=["fuel"], start="2026-02-01", stop="2026-02-02")["fuel"].values,
    )


def test_short_spans_dont_show_exact_times(fleet):
    reader = opened(fleet, "route_planning")
    narrow = [
        len(reader.events("trip", start=f"2026-02-01T06:{minute:02}", stop=f"2026-02-01T06:{minute + 1:02}"))
        for minute in range(0, 59, 7)
    ]
    assert len(set(narrow)) == 1


def test_every_read_of_personal_data_is_recorded_before_it_is_returned(fleet):
    reader = opened(fleet, "safety", who="dora")
    reader.events("trip", start="2026-02-03")
    reader.history("truck", signals=["fuel"])
    rows = list(PrivacyAudit(fleet.folder).rows("read"))
    assert [row.who for row in rows] == [("dora",)]
    what = rows[0].what
    assert (what["event_type"], list(what["fields"]), what["purpose"], what["rows"]) == (
        "trip",
        ["driver"],
        "safety",
        60,
    )
    assert "Archer" not in str(rows)


def test_without_a_record_nothing_is_read(fleet):
    from twinlab.twin.privacy.opening import for_purpose

    def full(entry):
        raise OSError("disk full")

    reader = for_purpose(fleet.twin, "safety", record=full)
    with pytest.raises(OSError, match="disk full"):
        reader.events("trip")
    reader.history("truck", signals=["fuel"])


def test_an_unknown_purpose_is_refused_with_the_nearest_one(fleet):
    with pytest.raises(tl.UnknownTermError, match="did you mean 'payroll'"):
        opened(fleet, "payrol")


def test_a_twin_without_declarations_is_as_before(fleet):
    assert {field.name for field in fields_of(fleet.twin.model) if not field.declared} >= {"fuel", "tour"}
    assert set(fleet.twin.events("trip")["driver"].dropna())


def test_reads_of_the_whole_twin_are_recorded_without_a_purpose(fleet):
    twin = fleet.twin
    twin.history("truck", signals=["fuel"])
    assert list(PrivacyAudit(fleet.folder).rows("read")) == []
    twin.events("trip")
    twin.history("driver")
    twin.assets("driver")
    twin.observations("driver/Ann Archer", "pulse")
    twin.as_of("2030-01-01")
    rows = list(PrivacyAudit(fleet.folder).rows("read"))
    first = [
        (row.what.get("event_type") or row.what.get("asset_type"), list(row.what["fields"]), row.what["purpose"])
        for row in rows
    ]
    assert first[:4] == [
        ("trip", ["driver", "phone"], None),
        ("driver", ["id", "pulse"], None),
        ("driver", ["id"], None),
        ("driver", ["id", "pulse"], None),
    ]
    assert {name for name, _, _ in first[4:]} == {"truck", "driver", "trip"}


def test_reads_of_links_and_of_events_of_people_are_recorded_too(make_fleet):
    """Who drives which truck, whose shift it was, and who had a fast pulse: none of these has a property that is personal."""
    model = MODEL.replace("rules:\n", RELATED)
    twin = make_fleet(model=model, ingest=False).twin
    twin.relationships("drives")
    twin.relationships("parks")
    twin.events("shift")
    twin.events("tired")
    twin.events("driver")
    twin.assets("driver")
    rows = list(PrivacyAudit(twin.folder).rows("read"))
    assert [{name: value for name, value in row.what.items() if name != "purpose"} for row in rows] == [
        {"asset_type": "driver", "fields": ["drives.source"]},
        {"event_type": "shift", "fields": ["second", "asset"]},
        {"event_type": "tired", "fields": ["asset"]},
        # An event type and an asset type of the same name.
        {"event_type": "driver", "fields": ["licence"]},
        {"asset_type": "driver", "fields": ["id"]},
    ]
    with pytest.raises(tl.UnknownTermError, match="shfit"):
        twin.events("shfit")
    assert twin.events("security_event").empty


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_page_of_the_explorer_opens_for_a_purpose_and_reads_no_other_fields(fleet, purpose):
    reader = opened(fleet, purpose)
    workspace = reader.explore()
    pages = workspace.param.page.objects
    assert "history" in pages
    for page in pages:
        workspace.page = page
        assert workspace.current is not None, page
    read = {name for row in PrivacyAudit(fleet.folder).rows("read") for name in row.what["fields"]}
    allowed = {name for fields in MATRIX[purpose].values() for name in fields} | {"id"}
    assert read <= allowed
    assert {row.what["purpose"] for row in PrivacyAudit(fleet.folder).rows("read")} <= {purpose}
