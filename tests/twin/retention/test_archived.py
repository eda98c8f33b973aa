"""A twin whose old segments of observations are archived, with its archive and without."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import xarray as xr

import twinlab as tl
from tests.history.conftest import MODEL, STREAM, observations
from tests.history.write.test_removal import fill
from twinlab.errors import CorruptionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a twin of a stream, 24 days, in two sealed segments and an open one."""
    model = {**MODEL, "retention": {"full_rate": "14d", "ledger": "archive", "keep": ["flagged"]}}
    for name, content in (("twin.yaml", model), ("rooms.yaml", STREAM)):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    twin = tl.create(tmp_path / "pilot", model=tmp_path / "twin.yaml", mappings=tmp_path / "rooms.yaml")
    days = 0

    def append(rows: list[tuple]) -> None:
        nonlocal days
        with twin.ledger.writer("rooms") as writer:
            if days in (6, 20):
                writer.rotate()
            writer.append_observations(observations(rows))
        days += 1

    fill(SimpleNamespace(append=append), days=24)
    assert twin.ledger.seal("rooms")
    twin.compact()
    return twin.folder


def append(twin: tl.Twin, rows: list[tuple]) -> None:
    with twin.ledger.writer("rooms") as writer:
        writer.append_observations(observations(rows))


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    xr.testing.assert_identical(one.load().drop_attrs(deep=False), other.load().drop_attrs(deep=False))


def cells(twin: tl.Twin) -> xr.Dataset:
    return twin.history("room", signals=["temperature", "humidity", "door"]).load()


def test_a_twin_works_without_its_archive_until_old_rows_are_needed(folder: Path) -> None:
    twin = tl.open(folder)
    before = twin.observations("room/a", "temperature", stop="2024-01-02")
    assert "1 sealed segments" in str(twin.preview_retention())
    report = twin.apply_retention(author="dora")
    assert [path.suffix for path in report.archived] == [".parquet"]
    assert next(twin.ledger.journal.entries("archived")).payload["author"] == "dora"
    shown = cells(twin)
    assert twin.observations("room/a", "temperature", stop="2024-01-02").equals(before)
    assert (
        twin.as_of("2100-01-01").history("room", signals=["temperature"], stop="2024-01-02").temperature.notnull().any()
    )
    assert twin.verify().ok
    twin.rebuild()
    same(cells(twin), shown)

    (folder / "archive").rename(folder / "elsewhere")
    twin = tl.open(folder)
    same(cells(twin), shown)
    append(twin, [("a.t", 24 * 1440, 21.0), ("a.t", 77, 99.0)])
    assert cells(twin).temperature.sel(asset="a", time="2024-01-25T00:00") == 21.0
    for read in (
        lambda: twin.observations("room/a", "temperature", stop="2024-01-02"),
        lambda: twin.as_of("2100-01-01").history("room", signals=["temperature"], stop="2024-01-02").load(),
        twin.rebuild,
    ):
        with pytest.raises(CorruptionError, match="make the archive .* available"):
            read()
    assert "make the archive" in twin.verify().problems[0].what
    # What is published is as it was.
    assert tl.open(folder).history("room", signals=["temperature"], step="1d").temperature_count[0].sum() == 288
    (folder / "elsewhere").rename(folder / "archive")
    shown = cells(tl.open(folder))
    tl.open(folder).rebuild()
    same(cells(tl.open(folder)), shown)
    assert tl.open(folder).verify().ok
