"""History after kill -9, after damage, after deletion and after interrupted rebuilds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

from twinlab.errors import CorruptionError
from twinlab.harmonise.frames import harmonise
from twinlab.history import HistoryReader
from twinlab.history.build import build
from twinlab.history.build.rows import claim_file, frame_cache, source_view
from twinlab.history.build.rows.claim_file import ClaimFile
from twinlab.history.write import rebuild
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.transaction import Transaction

SCRIPT = Path(__file__).with_name("kill_loop.py")


def killed(folder: Path, kills: int, seed: int, timeout: float) -> str:
    command = [sys.executable, str(SCRIPT), str(folder), str(kills), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_kill_at_random_moments_loses_nothing_acknowledged_and_changes_no_array():
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        assert killed(Path(folder), 10, 1, 900).startswith("rows")


@pytest.mark.soak
def test_two_hundred_kills_lose_nothing_acknowledged_and_change_no_array(tmp_path):
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert killed(folder, 10, seed, 1800).startswith("rows")


def temperature(site) -> np.ndarray:
    return site.reader().history("room", signals=["temperature"]).temperature.values


@pytest.fixture
def built(site):
    site.append([("a.t", m, 20.0 + m % 4, m) for m in range(300)])
    site.historian().catch_up()
    return site


def test_a_deleted_history_is_made_again_from_the_ledger(built):
    before = temperature(built)
    shutil.rmtree(built.root / "history")
    report = built.historian().catch_up()
    assert report.rows == 0 or report.commits > 0
    np.testing.assert_array_equal(temperature(built), before)


def test_a_damaged_history_is_built_anew_and_the_report_says_so(built):
    before = temperature(built)
    for path in (built.root / "history" / "icechunk" / "refs").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not json")
    report = built.historian().catch_up()
    assert report.rebuilt
    assert "did not open" in report.notes[0]
    np.testing.assert_array_equal(temperature(built), before)


def test_a_reader_repairs_a_history_that_does_not_open(built):
    before = temperature(built)
    shutil.rmtree(built.root / "history" / "icechunk" / "snapshots", ignore_errors=True)
    np.testing.assert_array_equal(temperature(built), before)


def test_a_reader_that_is_not_told_how_to_rebuild_says_what_to_run(built):
    shutil.rmtree(built.root / "history")
    reader = HistoryReader(built.root, built.ledger, built.model, built.mappings)
    with pytest.raises(CorruptionError, match="run `twinlab rebuild`"):
        reader.history("room")
    assert not (built.root / "history").exists()


def test_an_interrupted_rebuild_goes_on_where_it_stopped(built, monkeypatch):
    before = temperature(built)
    monkeypatch.setattr(rebuild, "_COMMIT_CELLS", 1)
    done = []

    def stop(at: int, of: int, what: str) -> None:
        done.append(at)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built.historian().rebuild(progress=stop)
    # The old history is readable until the new one is complete.
    np.testing.assert_array_equal(temperature(built), before)
    went_on = []
    report = built.historian().catch_up(progress=lambda at, of, what: went_on.append(at))
    assert report.rebuilt
    assert min(went_on, default=done[0] + 1) > done[0]
    np.testing.assert_array_equal(temperature(built), before)
    assert not (built.root / "history.building").exists()


LOG = {
    "source": "log",
    "tables": [
        {
            "table": "log",
            "tag": "tag",
            "value": "value",
            "time": {"column": "time", "zone": "UTC"},
            "tags": {
                "/^(?P<room>[a-z]+)[.]t$/": {"signal": "temperature", "asset": "room/{room}", "unit": "degC"},
                "/^(?P<room>[a-z]+)[.]h$/": {"signal": "humidity", "asset": "room/{room}", "unit": "%"},
            },
        }
    ],
}


@pytest.fixture
def sorted_by_tag(site, make_site, monkeypatch):
    """A file sorted by tag, some of whose rows repeat and contradict others, in frames that all reach over its whole time."""
    rng, tags = np.random.default_rng(0), ("a.t", "a.h", "b.t", "b.h")
    minutes = np.sort(rng.integers(0, 900, (len(tags), 500)), axis=1).ravel()
    seconds = minutes * 60 + rng.choice([0, 0, 20], len(minutes))
    rows = pa.record_batch(
        {
            "tag": np.repeat(tags, 500),
            "time": np.datetime_as_string(np.datetime64("2024-01-01") + seconds.astype("m8[s]")),
            "value": rng.integers(150, 250, len(minutes)) / 10,
        }
    )
    made = make_site(site.root, {"log": LOG})
    with made.ledger.writer("log") as writer:
        for start in range(0, len(minutes), 400):
            part = rows.slice(start, 400)
            numbers = np.arange(start + 2, start + 2 + len(part))
            writer.append_records("log", part, row_numbers=numbers, file_id="a" * 64, path="x/log.csv")
    # Pieces, frames and blocks that are small enough for a small file.
    monkeypatch.setattr(build, "PIECE_CELLS", 1)
    monkeypatch.setattr(frame_cache, "_FEWEST", 1)
    monkeypatch.setattr(claim_file, "_BLOCK", 16)
    return made


def arrays(site) -> xr.Dataset:
    return site.reader().history("room", signals=["temperature", "humidity"]).load().drop_attrs()


def test_a_rebuild_translates_each_frame_of_a_table_once(sorted_by_tag, monkeypatch):
    frames = []

    def counted(frame, *rest):
        frames.append(frame.first)
        return harmonise(frame, *rest)

    monkeypatch.setattr(source_view, "harmonise", counted)
    report = sorted_by_tag.historian().rebuild()
    assert sorted(frames) == list(range(0, 2000, 400))
    found = arrays(sorted_by_tag)
    # Without the file, each piece translates each frame.
    monkeypatch.setattr(frame_cache, "_FEWEST", 10**9)
    frames.clear()
    shutil.rmtree(sorted_by_tag.root / "cache")
    monkeypatch.setattr(rebuild, "_FRAME_BYTES", 0)
    plain = sorted_by_tag.historian().rebuild()
    assert len(frames) > 30
    xr.testing.assert_identical(arrays(sorted_by_tag), found)
    assert (report.duplicates, report.disagreements) == (plain.duplicates, plain.disagreements)
    assert report.duplicates > 0
    assert report.sources["log"] == plain.sources["log"]
    # A history without a rebuild, built as rows come.
    shutil.rmtree(sorted_by_tag.root / "history")
    sorted_by_tag.historian().catch_up()
    xr.testing.assert_identical(arrays(sorted_by_tag), found)


def test_a_rebuild_that_fails_leaves_no_claims_behind(sorted_by_tag, monkeypatch):
    opened = []
    monkeypatch.setattr(frame_cache, "ClaimFile", lambda folder: opened.append(ClaimFile(folder)) or opened[-1])

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sorted_by_tag.historian().rebuild(progress=stop)
    assert [one.closed for one in opened] == [True]
    assert not list(sorted_by_tag.root.rglob("tmp*"))
    sorted_by_tag.historian().rebuild()
    assert sorted_by_tag.reader().history("room", signals=["temperature"]).temperature.notnull().sum() > 0


def groups(site) -> object:
    """What is stored where."""
    catalog = HistoryStore.open(site.root / "history").view().catalog
    return json.loads(str(catalog.to_attributes()["twinlab_history"]))["groups"]


def test_a_span_is_written_in_parts_as_if_at_once(site, monkeypatch):
    rooms = [f"{letter}.t" for letter in "abcdefgh"]
    site.append([(room, m, 20.0 + m % 5) for room in rooms for m in range(0, 10_000, 9)])
    written: list[tuple[int, int]] = []

    def noted(txn, group, k0, values, *rest, **more):
        written.append((k0, len(values["temperature"])))
        return write_cells(txn, group, k0, values, *rest, **more)

    write_cells = Transaction.write_cells
    monkeypatch.setattr(Transaction, "write_cells", noted)
    site.historian().rebuild()
    assert written == [(0, 10_000)]
    entries = groups(site)
    found = [site.reader().history("room", signals=["temperature"], step=step).load() for step in (None, "1h")]
    monkeypatch.setattr(rebuild, "_PART_CELLS", 1)
    written.clear()
    site.historian().rebuild()
    # The last part is shorter than a tile, and cold as the others.
    assert written == [(0, 4096), (4096, 4096), (8192, 1808)]
    assert groups(site) == entries
    for step, one in zip((None, "1h"), found, strict=True):
        again = site.reader().history("room", signals=["temperature"], step=step).load()
        xr.testing.assert_identical(again.drop_attrs(), one.drop_attrs())


def test_a_changed_mapping_builds_anew_what_its_source_speaks_of_and_as_of_shows_the_old(built, make_site):
    changed = built.mappings["rooms"].model_dump(mode="json", by_alias=True)
    rule = changed["stream"]["tags"]["/^(?P<room>[a-z]+)[.]t$/"][0]
    rule["unit"] = "degF"
    before = temperature(built)
    latest = np.datetime64(max(entry.ingest_time for entry in built.ledger.journal.entries()), "ns")
    other = make_site(built.root, {"rooms": changed})
    report = other.historian().catch_up()
    assert any("mapping of rooms changed" in note for note in report.notes)
    np.testing.assert_allclose(temperature(other), (before - 32) / 1.8, atol=0.051)
    reader = other.reader()
    shown = reader.as_of(latest).history("room", signals=["temperature"]).temperature.values
    np.testing.assert_array_equal(shown, before)
    current = reader.as_of(latest, mapping="current").history("room", signals=["temperature"]).temperature.values
    np.testing.assert_array_equal(current, temperature(other))


def test_a_cluster_builds_what_threads_build(built):
    distributed = pytest.importorskip("distributed")
    before = temperature(built)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            assert built.historian().rebuild(client=client).rebuilt
    np.testing.assert_array_equal(temperature(built), before)
