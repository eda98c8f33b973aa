"""A twin of tables whose old rows are archived, with its archive and without."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from tests.twin.retention.conftest import MAPPING, MODEL, rows
from twinlab.errors import CorruptionError

ROOMS = MAPPING.replace("table: rooms", 'table: "rooms*"')
VISITS = """
source: visits
files: ["visits*.csv"]
tables:
  - table: "visits*"
    events:
      - type: visit
        key: [no]
        asset: {type: room, column: room}
        start: {column: since, zone: UTC}
        end: {column: until, zone: UTC}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a twin of ten rooms, six weeks in two files, and 20,000 visits in two others."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "twin.yaml").write_text(MODEL + "retention: {full_rate: 14d, ledger: archive}\n", encoding="utf-8")
    (folder / "mapping").mkdir()
    for name, text in (("rooms", ROOMS), ("visits", VISITS)):
        (folder / "mapping" / f"{name}.yaml").write_text(text, encoding="utf-8")
    twin = tl.create(
        folder / "pilot",
        model=folder / "twin.yaml",
        mappings=[folder / "mapping" / f"{n}.yaml" for n in ("rooms", "visits")],
    )
    for n, (first, days) in enumerate((("2026-01-01", 24), ("2026-01-25", 18))):
        rows(days=days, first=first, seed=n).to_csv(folder / f"rooms{n}.csv", index=False)
        since = pd.Series(pd.date_range(first, periods=10_000, freq=f"{days * 86400 // 10_000}s"))
        visits = pd.DataFrame(
            {"no": range(n * 10_000, (n + 1) * 10_000), "room": [f"R{k % 10}" for k in range(10_000)]}
        )
        visits["since"] = since.dt.strftime("%Y-%m-%dT%H:%M:%S")
        visits["until"] = (since + pd.Timedelta("90s")).dt.strftime("%Y-%m-%dT%H:%M:%S")
        visits.to_csv(folder / f"visits{n}.csv", index=False)
        for name in ("rooms", "visits"):
            twin.ingest(folder / f"{name}{n}.csv")
    twin.compact()
    return folder / "pilot"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "pilot"))


def everything(twin: tl.Twin) -> tuple[xr.Dataset, xr.Dataset, pd.DataFrame]:
    data = [twin.history("room", step=step).load().drop_attrs(deep=False) for step in (None, "1d")]
    return data[0], data[1], twin.events("visit")


def same(one: tuple[xr.Dataset, xr.Dataset, pd.DataFrame], other: tuple[xr.Dataset, xr.Dataset, pd.DataFrame]) -> None:
    for a, b in zip(one[:2], other[:2], strict=True):
        xr.testing.assert_identical(a, b)
    pd.testing.assert_frame_equal(one[2], other[2])


def test_old_rows_of_tables_are_read_from_the_archive(folder: Path) -> None:
    twin = tl.open(folder)
    shown = str(twin.preview_retention())
    files = {path.stat().st_size for path in (folder / "ledger").rglob("*.seg")}
    early = {"start": "2026-01-01", "stop": "2026-01-03"}
    observed, visits = twin.observations("room/R3", "temperature", **early), twin.events("visit")
    report = twin.apply_retention(author="dora")
    sizes = {path.parent.name: path.stat().st_size for path in report.archived}
    assert set(sizes) == {"rooms", "visits"}
    # 69,120 rows and 10,000 visits are older than the cut.
    assert "rows of tables of the ledger" in shown
    predicted = float(shown.partition("MB (")[2].partition(" MB in Parquet")[0])
    assert predicted == pytest.approx(sum(sizes.values()) / 1e6, abs=0.06)
    assert sum(path.stat().st_size for path in (folder / "ledger").glob("*/0*")) < 0.6 * sum(files)
    entry = next(twin.ledger.journal.entries("archived")).payload
    assert (entry["author"], len(entry["files"])) == ("dora", 2)
    again = tl.open(folder)
    assert again.verify().ok
    assert again.observations("room/R3", "temperature", **early).equals(observed)
    pd.testing.assert_frame_equal(again.events("visit"), visits)
    known = everything(again)
    why = str(again.why("room/R3", "temperature", "2026-01-02T00:00"))
    again.rebuild()
    same(everything(tl.open(folder)), known)
    assert str(tl.open(folder).why("room/R3", "temperature", "2026-01-02T00:00")) == why
    assert "rooms0.csv" in why


def test_without_the_archive_new_rows_are_published_and_old_ones_say_where_they_are(folder: Path) -> None:
    twin = tl.open(folder)
    twin.apply_retention()
    known = everything(twin)
    (folder / "archive").rename(folder / "elsewhere")
    twin = tl.open(folder)
    same(everything(twin), known)
    with twin.writer("rooms") as writer:
        writer.append(rows(days=1, rooms=1, first="2026-02-12", seed=9), table="rooms")
    assert twin.history("room").sel(time="2026-02-12")["temperature"].notnull().any()
    for read in (
        lambda: twin.observations("room/R3", "temperature", start="2026-01-01", stop="2026-01-03"),
        twin.rebuild,
    ):
        with pytest.raises(CorruptionError, match=r"make the archive .*archive/rooms available"):
            read()
    assert "make the archive" in str(twin.verify())
    (folder / "elsewhere").rename(folder / "archive")
    shown = everything(tl.open(folder))
    tl.open(folder).rebuild()
    same(everything(tl.open(folder)), shown)
    assert tl.open(folder).verify().ok
