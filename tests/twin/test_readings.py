"""What a file's name and its content mean for its rows: repeated, renamed, corrected, interrupted."""

import pytest

import twinlab as tl
from twinlab.twin import ingest

MODEL = """
twin: river
origin: 2026-01-01
asset_types:
  gauge:
    signals:
      level: {unit: m, resolution: 0.01, cadence: 1h}
event_types:
  visit: {}
"""
MAPPING = """
source: levels
files: ["*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: gauge, ASSET}
    columns:
      level: {signal: level, unit: m}
"""


def a_twin(folder, asset):
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "levels.yaml").write_text(MAPPING.replace("ASSET", asset))
    return tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "levels.yaml")


def write(path, *values):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(
        "time,level\n" + "".join(f"2026-01-05 {hour:02d}:00,{value}\n" for hour, value in enumerate(values))
    )
    return path


def levels(twin):
    """Return the values of each asset that has any (assets stay, even if a later mapping names others)."""
    found = twin.history("gauge").level.compute()
    values = {asset: found.sel(asset=asset).dropna("time").values.tolist() for asset in found.asset.values.tolist()}
    return {asset: some for asset, some in values.items() if some}


@pytest.fixture
def by_file(tmp_path):
    return a_twin(tmp_path, "name_of: file")


@pytest.fixture
def one_gauge(tmp_path):
    return a_twin(tmp_path, "id: weir")


def remapped(twin, old, new):
    path = twin.folder / "mapping" / "levels.yaml"
    path.write_text(path.read_text().replace(old, new))
    return tl.open(twin.folder)


def test_two_sites_with_equal_files_both_count(by_file, tmp_path):
    by_file.ingest(write(tmp_path / "north.csv", 1, 2))
    report = by_file.ingest(write(tmp_path / "south.csv", 1, 2))
    assert report.parts[0].note == "the same content as north.csv, whose rows stay"
    assert levels(by_file) == {"north": [1, 2], "south": [1, 2]}
    by_file.rebuild()
    assert levels(by_file) == {"north": [1, 2], "south": [1, 2]}
    assert by_file.observations("gauge/north", "level").file.tolist() == ["north.csv"] * 2
    assert by_file.observations("gauge/south", "level").file.tolist() == ["south.csv"] * 2


def test_a_corrected_file_withdraws_its_own_rows_only(by_file, tmp_path):
    by_file.ingest(write(tmp_path / "north.csv", 1, 2), write(tmp_path / "south.csv", 1, 2))
    report = by_file.ingest(write(tmp_path / "north.csv", 3))
    assert report.parts[0].retracted == 2
    assert levels(by_file) == {"north": [3], "south": [1, 2]}
    by_file.ingest(write(tmp_path / "north.csv", 1, 2))
    assert levels(by_file) == {"north": [1, 2], "south": [1, 2]}
    report = by_file.ingest(tmp_path / "north.csv", tmp_path / "south.csv")
    assert [part.note for part in report.parts] == ["the same file as before: nothing changed"] * 2
    assert [part.duplicates for part in report.parts] == [2, 2]


def test_a_renamed_file_counts_once(one_gauge, tmp_path):
    one_gauge.ingest(write(tmp_path / "monday.csv", 1, 2))
    report = one_gauge.ingest(write(tmp_path / "monday (1).csv", 1, 2))
    assert report.parts[0].duplicates == 2
    assert levels(one_gauge) == {"weir": [1, 2]}
    assert len(one_gauge.observations("gauge/weir", "level")) == 2
    # The values stay when one of the two names gets other rows.
    one_gauge.ingest(write(tmp_path / "monday (1).csv", 1, 2, 3))
    one_gauge.ingest(write(tmp_path / "monday.csv", 7))
    assert levels(one_gauge) == {"weir": [7, 2, 3]}


def test_rows_of_equal_files_are_there_when_a_later_mapping_uses_the_name(one_gauge, tmp_path):
    one_gauge.ingest(write(tmp_path / "north.csv", 1, 2), write(tmp_path / "south.csv", 1, 2))
    twin = remapped(one_gauge, "id: weir", "name_of: file")
    twin.rebuild()
    assert levels(twin) == {"north": [1, 2], "south": [1, 2]}


@pytest.mark.parametrize(("before", "after"), [("id: weir", "name_of: folder"), ("name_of: folder", "id: weir")])
def test_a_file_is_known_again_when_a_later_mapping_names_files_with_or_without_folder(tmp_path, before, after):
    twin = a_twin(tmp_path, before)
    path = write(tmp_path / "north" / "log.csv", 1, 2)
    twin.ingest(path)
    twin = remapped(twin, before, after)
    assert twin.ingest(path).parts[0].note == "the same file as before: nothing changed"
    assert twin.ingest(write(path, 5)).parts[0].retracted == 2
    assert list(levels(twin).values()) == [[5]]


@pytest.mark.parametrize(
    ("step", "when", "name"),
    [
        ("_append", "after", "west.csv"),
        ("_append", "after", "south.csv"),
        ("_withdraw", "before", "south.csv"),
        ("_withdraw", "after", "south.csv"),
        ("read_as", "before", "west.csv"),
        ("read_as", "before", "south.csv"),
    ],
)
def test_an_ingest_that_died_is_repeated_without_loss_or_doubling(by_file, tmp_path, monkeypatch, step, when, name):
    by_file.ingest(write(tmp_path / "north.csv", 1, 2), write(tmp_path / "south.csv", 3, 4))
    path = write(tmp_path / name, 1, 2)
    owner = ingest if step != "read_as" else type(by_file.ledger.blobs)
    real = getattr(owner, step)

    def die(*given, **named):
        if when == "after":
            real(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owner, step, die)
        by_file.ingest(path)
    twin = tl.open(by_file.folder)
    twin.ingest(path)
    assert twin.verify().ok
    assert levels(twin) == {"north": [1, 2], "south": [3, 4], path.stem: [1, 2]}
    assert len(twin.observations(f"gauge/{path.stem}", "level")) == 2
    assert twin.ingest(path).parts[0].note == "the same file as before: nothing changed"


def test_older_content_again_after_a_correction_that_was_interrupted(by_file, tmp_path, monkeypatch):
    path = write(tmp_path / "north.csv", 1, 2)
    by_file.ingest(path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(by_file.ledger.blobs), "read_as", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        by_file.ingest(write(path, 5, 6))
    twin = tl.open(by_file.folder)
    twin.ingest(write(path, 1, 2))
    assert levels(twin) == {"north": [1, 2]}


def of_an_earlier_version(monkeypatch):
    """Store readings as before names were part of their ids."""
    monkeypatch.setattr(ingest, "reading_id", lambda content, name: content)


def test_ledgers_of_earlier_versions_read_unchanged(one_gauge, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        of_an_earlier_version(patch)
        one_gauge.ingest(write(tmp_path / "monday.csv", 1, 2), write(tmp_path / "tuesday.csv", 3, 4, 5))
    twin = tl.open(one_gauge.folder)
    assert levels(twin) == {"weir": [3, 4, 5]}
    assert twin.ingest(tmp_path / "monday.csv").parts[0].note == "the same file as before: nothing changed"
    report = twin.ingest(write(tmp_path / "tuesday.csv", 6))
    assert report.parts[0].retracted == 3
    assert levels(twin) == {"weir": [6, 2]}
    assert twin.observations("gauge/weir", "level").file.tolist() == ["monday.csv", "tuesday.csv", "monday.csv"]


def test_a_file_that_lost_its_rows_to_an_equal_one_in_an_earlier_version_is_read_again(by_file, tmp_path, monkeypatch):
    paths = [write(tmp_path / name, 1, 2) for name in ("north.csv", "south.csv")]
    with monkeypatch.context() as patch:
        of_an_earlier_version(patch)
        patch.setattr(
            ingest,
            "unfinished_readings",
            lambda ledger, source, content, **_: [content] if source in ledger.sources() else [],
        )
        by_file.ingest(*paths)
    twin = tl.open(by_file.folder)
    assert levels(twin) == {"south": [1, 2]}
    twin.ingest(*paths)
    assert levels(twin) == {"south": [1, 2], "north": [1, 2]}
    twin.ingest(write(tmp_path / "south.csv", 8))
    assert levels(twin) == {"south": [8], "north": [1, 2]}
