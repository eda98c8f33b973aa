"""Personal columns that nobody declared: refused with the line that declares them, or named in the report."""

import pandas as pd
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.edge import Reading, Readings
from twinlab.edge.pseudonyms import IdReplacer, PseudonymRule, create_secrets
from twinlab.errors import PurposeError, SchemaError, SourceError
from twinlab.ledger.encryption.files import open_encrypted
from twinlab.model.privacy.classes import is_pseudonym
from twinlab.model.privacy.detector import suspects
from twinlab.signing.subjects.key_folder import file_subject
from twinlab.sources.live import LiveBatch
from twinlab.twin.live.appender import LiveAppender
from twinlab.twin.privacy.byte_search import search

from .conftest import MODEL


def test_an_undeclared_column_is_refused_with_the_line_that_declares_it(make_fleet):
    model = MODEL.replace(
        "      driver: {sensitivity: personal, purposes: [route_planning, payroll, safety, statistics]}\n",
        "      driver: {}\n",
    )
    model = model.replace("phone: {sensitivity: personal, subject: driver, purposes: [payroll]}", "phone: {}")
    fleet = make_fleet(model=model, ingest=False)
    with pytest.raises(SchemaError) as caught:
        fleet.twin.ingest(fleet.files[0])
    text = str(caught.value)
    assert text.startswith("trips.csv:")
    assert (
        "column 'Driver' seems to have a person (by its name); write in twin.yaml under event_types.trip.properties.driver: `sensitivity: personal`"
        in text
    )
    assert "column 'Phone' seems to have telephone numbers" in text
    assert fleet.twin.ledger.reader("trips").position() == 0
    assert list(fleet.twin.ledger.blobs.ids()) == []


def test_a_column_that_no_field_takes_is_declared_for_the_source(make_fleet, tmp_path):
    fleet = make_fleet(ingest=False)
    path = fleet.files[0]
    table = pd.read_csv(path, dtype=str)
    table["E-Mail"] = table["Driver"].str.replace(" ", ".") + "@example.org"
    table.to_csv(path, index=False)
    with pytest.raises(SchemaError, match='under privacy.columns: `"trips.E-Mail": personal`'):
        fleet.twin.ingest(path)
    text = (fleet.folder / "twin.yaml").read_text()
    line = '  columns: {"trips.E-Mail": {sensitivity: personal, subject: Driver}}\n'
    (fleet.folder / "twin.yaml").write_text(
        text.replace("  controller: Example Parcels\n", f"  controller: Example Parcels\n{line}")
    )
    twin = tl.open(fleet.folder)
    assert twin.ingest(path).rows_kept == 72
    (frame,) = twin.ledger.reader("trips").frames()
    assert "E-Mail" in frame.batch().schema.names
    (stored,) = twin.ledger.stored_reader("trips").frames()
    assert "E-Mail" not in stored.batch().schema.names
    twin.forget("Ann Archer")
    (frame,) = twin.ledger.reader("trips").frames()
    assert frame.batch().column("E-Mail").null_count == 12


def test_internal_says_that_a_column_is_not_personal(make_fleet):
    model = MODEL.replace(
        "  controller: Example Parcels", "  controller: Example Parcels\n  columns: {Driver: internal, Phone: internal}"
    )
    fleet = make_fleet(model=model)
    assert fleet.twin.people() == [f"T{n}" for n in range(6)] or "Ann Archer" in fleet.twin.people()
    (stored,) = fleet.twin.ledger.stored_reader("trips").frames()
    assert "Driver" in stored.batch().schema.names


def test_rows_of_a_writer_are_refused_too(fleet):
    with fleet.twin.writer("trips") as writer, pytest.raises(SchemaError, match="column 'email'"):
        writer.append(
            pd.DataFrame(
                {
                    "Tour": ["N9"],
                    "Day": ["30"],
                    "Truck": ["T1"],
                    "email": ["a@b.org"],
                    "Begin": ["2026-02-28T06:00Z"],
                    "End": [""],
                }
            )
        )


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [
        ("DriverName", [], "a person"),
        ("fahrer_nr", [], "a person"),
        ("Vorname", [], "names of people"),
        ("e-mail", [], "e-mail addresses"),
        ("Mobile phone [text]", [], "telephone numbers"),
        ("Kennzeichen", [], "number plates"),
        ("license plate", [], "number plates"),
        ("date of birth", [], "dates of birth"),
        ("home_lat", [], "homes"),
        ("contact", ["a@b.org", "c.d@e.com", "x", "f@g.net"], "e-mail addresses"),
        ("x", ["+49 170 1234567", "+43 1 5880122", "+1 (212) 5550100"], "telephone numbers"),
        ("account", ["DE89 3704 0044 0532 0130 00"] * 3, "IBANs"),
    ],
)
def test_what_looks_personal(column, values, what):
    (found,) = suspects({column: values})
    assert found.what == what


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("temperature", [3.4, 5.0, 2.2]),
        ("hub name", ["Frankfurt", "Hamburg", "Berlin"]),
        ("Tour", ["N1/2026-01-04", "N2/2026-01-04", "N3/2026-01-05"]),
        ("tailnum", ["N14228", "N24211", "N619AA"]),
        ("template", ["a", "b", "c"]),
        ("operating mode", ["idle", "driving", "charging"]),
        ("mobility", ["1", "2", "3"]),
        ("telemetry", ["1", "2", "3"]),
        ("cell", [1, 2, 3]),
        ("latitude", [50.1, 50.2, 50.3]),
    ],
)
def test_what_does_not_look_personal(column, values):
    assert suspects({column: values}) == []


def test_observations_of_personal_signals_are_refused(make_fleet):
    fleet = make_fleet(ingest=False)
    stream = "source: live_bands\nstream:\n  tags: {'/^(?P<who>.*) pulse$/': {signal: pulse, asset: 'driver/{who}'}, fuel: {signal: fuel, asset: truck/T1}}\n"
    (fleet.folder / "mapping" / "live_bands.yaml").write_text(stream)
    twin = tl.open(fleet.folder)
    now = pd.Timestamp("2026-02-01").value
    with twin.writer("live_bands") as writer:
        writer.append(pd.DataFrame({"tag": ["fuel"], "source_time": [now], "value": [80.0]}))
        with pytest.raises(
            SchemaError, match=r"tag 'Ann Archer pulse'.*asset_types.driver.signals.pulse, which is personal"
        ):
            writer.append(
                pd.DataFrame({"tag": ["fuel", "Ann Archer pulse"], "source_time": [now, now], "value": [80.0, 60.0]})
            )
    assert twin.ledger.reader("live_bands").position() == 1
    assert b"Ann Archer" not in (fleet.folder / "ledger" / "live_bands" / "00000000.seg").read_bytes()


def test_a_live_batch_that_is_refused_is_kept_without_a_name_in_the_clear(make_fleet):
    fleet = make_fleet(ingest=False)
    stream = "source: live_bands\nstream: {tags: {'/^(?P<who>.*) pulse$/': {signal: pulse, asset: 'driver/{who}'}}}\n"
    (fleet.folder / "mapping" / "live_bands.yaml").write_text(stream)
    twin = tl.open(fleet.folder)
    rows = pa.RecordBatch.from_pydict({"tag": ["Ann Archer pulse"], "source_time": [0], "value": [60.0]})
    appender = LiveAppender(twin.ledger, twin.mappings["live_bands"], fleet.folder / "live")
    (why,) = appender.append([LiveBatch(parts=(rows,))]).refused
    appender.close()
    assert "which is personal" in why
    assert search([fleet.folder], ["Ann Archer"]) == []
    (kept,) = (fleet.folder / "live" / "refused" / "live_bands").iterdir()
    keys = twin.ledger.encryption.keys
    with open_encrypted(kept, keys.key) as content:
        assert pa.ipc.open_file(content.read()).read_all().to_batches()[0].equals(rows)
    # It ends with the shortest age, as copies of files do.
    for file in keys.files():
        keys.destroy(file_subject(file), before="9999-01")
    with pytest.raises(SourceError, match="was destroyed"):
        open_encrypted(kept, keys.key)


def test_observations_under_a_pseudonym_of_a_gateway_are_taken(make_fleet, tmp_path):
    """The gateway replaces the name; the twin has the pulse of somebody whom nobody here knows, for the declared purpose only."""
    fleet = make_fleet(ingest=False)
    stream = "source: live_bands\nstream: {tags: {'/^wrist.(?P<who>[^.]+).pulse$/': {signal: pulse, asset: 'driver/{who}'}}}\n"
    (fleet.folder / "mapping" / "live_bands.yaml").write_text(stream)
    twin = tl.open(fleet.folder)
    create_secrets(tmp_path / "names.json")
    rule = PseudonymRule(key=str(tmp_path / "names.json"), purpose="safety", tags=(r"^wrist\.(?P<id>[^.]+)\.",))
    now = pd.Timestamp("2026-02-01").value
    sent = IdReplacer(rule).replace(Readings.of([Reading("wrist.Ann Archer.pulse", now, 72.0)]))
    with twin.writer("live_bands") as writer:
        writer.append(pd.DataFrame({"tag": list(sent.tags), "source_time": sent.times, "value": sent.values}))
    (name,) = twin.assets("driver").index
    assert is_pseudonym(name)
    assert twin.history("driver")["pulse"].dropna("time").values.ravel().tolist() == [72.0]
    assert search([fleet.folder], ["Ann Archer"]) == []
    with pytest.raises(PurposeError):
        tl.open(fleet.folder, purpose="payroll").history("driver", signals=["pulse"])
    (shown,) = tl.open(fleet.folder, purpose="safety").assets("driver").index
    assert shown != name


def test_a_twin_that_states_no_purposes_reports_what_looks_personal(make_fleet):
    model = MODEL[: MODEL.index("purposes:")] + MODEL[MODEL.index("asset_types:") :]
    for text in (
        ", purposes: [route_planning, safety]",
        ", purposes: [safety]",
        ", purposes: [route_planning, payroll, safety, statistics]",
    ):
        model = model.replace(text, "")
    model = model.replace(", purposes: [payroll]", "").replace("    purposes: [safety]\n", "")
    fleet = make_fleet(model=model, ingest=False)
    report = fleet.twin.ingest(*fleet.files)
    (note,) = [note for note in report.notes if "about people" in note]
    assert note.startswith(
        "trips.csv: about people, by name or values: 'Driver' (a person), 'Phone' (telephone numbers)"
    )
    assert fleet.twin.people() == []
    assert set(fleet.twin.events("trip")["driver"]) >= {"Ann Archer"}


def test_rows_from_before_the_twin_stated_purposes_make_an_erasure_fail_visibly(make_fleet):
    model = MODEL[: MODEL.index("purposes:")] + MODEL[MODEL.index("asset_types:") :]
    for text in (
        ", purposes: [route_planning, safety]",
        ", purposes: [safety]",
        ", purposes: [route_planning, payroll, safety, statistics]",
    ):
        model = model.replace(text, "")
    model = model.replace(", purposes: [payroll]", "").replace("    purposes: [safety]\n", "")
    fleet = make_fleet(model=model)
    (fleet.folder / "twin.yaml").write_text(MODEL)
    twin = tl.open(fleet.folder)
    later = fleet.files[0].with_name("trips_later.csv")
    later.write_text(fleet.files[0].read_text().replace(",1,T", ",99,T"))
    twin.ingest(later)
    report = twin.forget("Ann Archer")
    assert not report.ok
    assert any(place.startswith("ledger/trips/") for place in report.places)
