"""Late rows of a few assets change the cells around them, and nothing else: in the tail, when published, and when rebuilt."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.build import catchup
from twinlab.history.build.rows import ledger_claims

ROOMS = "abcdefghijklmnopqrstuvwxyz"
MINUTES = 3 * 24 * 60


def base_rows() -> list[tuple]:
    """Every signal of 26 rooms, sparse, over three days."""
    rng = np.random.default_rng(5)
    rows = []
    for number, room in enumerate(ROOMS):
        for at in range(number, MINUTES, 37):
            rows.append((f"{room}.t", at, round(float(rng.normal(20, 3)), 1)))
            rows.append((f"{room}.h", at + 0.5, float(rng.integers(20, 80))))
            if at % 3 == 0:
                rows.append((f"{room}.d", at, float(rng.integers(0, 2))))
        rows += [(f"{room}.e", at, float(at)) for at in range(number, MINUTES, 60)]
    return sorted(rows, key=lambda row: row[1])


late_rows = st.lists(
    st.tuples(
        st.builds("{}.{}".format, st.sampled_from(ROOMS), st.sampled_from("thde")),
        st.integers(0, MINUTES - 1),
        st.integers(0, 1).map(float),
    ),
    min_size=1,
    max_size=25,
)
windows = st.tuples(st.integers(0, MINUTES - 2), st.integers(1, MINUTES))


@pytest.fixture(scope="module", autouse=True)
def _early_front():
    """Claims more than 200 cells before the newest are late; sealed segments have several groups of rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catchup, "_FRONT", 200)
        patch.setattr("twinlab.ledger.seal.GROUP_ROWS", 256)
        yield


def append_sealed(site, rows: list[tuple], **constant) -> None:
    """Append rows as a segment that is sealed."""
    site.append(rows, **constant)
    with site.ledger.writer("rooms") as writer:
        writer.rotate()
    site.ledger.seal("rooms")


def equal(got: xr.Dataset, want: xr.Dataset) -> None:
    xr.testing.assert_equal(got.compute(), want.compute())


def datasets(reader, window: tuple[int, int]) -> list[xr.Dataset]:
    start = np.datetime64("2024-01-01") + np.timedelta64(window[0], "m")
    stop = start + np.timedelta64(window[1], "m")
    signals = ["temperature", "humidity", "door"]
    return [
        reader.history("room", signals=signals, start=start, stop=stop).compute(),
        reader.history("room", signals=["energy"], start=start, stop=stop).compute(),
        reader.history("room", start=start, stop=stop, step="1h").compute(),
    ]


@settings(max_examples=4)
@given(
    late=st.lists(late_rows, min_size=1, max_size=2),
    window=windows,
    fresh=st.booleans(),
    sealed=st.booleans(),
    cut_rows=st.sampled_from([0, 200, 10**6]),
)
def test_late_rows_give_the_same_arrays_in_the_tail_published_and_rebuilt(
    make_site, late, window, fresh, sealed, cut_rows
):
    with (
        TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(ledger_claims, "_CUT_ROWS", cut_rows)
        site = make_site(Path(folder))
        rows = base_rows()
        for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            append_sealed(site, part) if sealed else site.append(part)
        site.historian().catch_up()
        for rows in late:
            site.append(rows + ([("a.t", MINUTES + 5, 20.0)] if fresh else []))
            tail = datasets(site.reader(), window)
            whole = site.reader().history("room", step="1d").compute()
        site.historian().catch_up()
        published = datasets(site.reader(), window)
        site.historian().rebuild(workers=1)
        for one, other, want in zip(tail, published, datasets(site.reader(), window), strict=True):
            equal(one, want)
            equal(other, want)
        equal(whole, site.reader().history("room", step="1d"))


def test_a_late_row_is_planned_for_its_own_assets(make_site, tmp_path):
    site = make_site(tmp_path)
    site.append(base_rows())
    site.historian().catch_up()
    site.append([("c.t", 1000, 21.0), ("z.t", 2000, 21.0)])
    report = site.historian().catch_up()
    # Two rows, 8 and 2 rooms wide, and the margins around each; not 26 rooms.
    assert report.blocks == 2
    assert report.cells < 26 * 3 * 100


def test_a_late_correction_of_a_sealed_row_by_its_key(make_site, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_claims, "_CUT_ROWS", 0)
    site = make_site(tmp_path)
    rows = base_rows()
    append_sealed(site, rows, keys=[f"{tag}-{at}" for tag, at, _ in rows])
    site.historian().catch_up()
    # One row gets another value, one another time, and one is withdrawn.
    corrected = [("c.t", 2 + 37 * 20, 25.0), ("z.t", 2000, 21.0)]
    site.append(corrected, keys=["c.t-742", "z.t-1801"])
    site.append([("c.t", 2 + 37 * 21, 0.0)], op=1, keys=["c.t-779"])
    site.historian().catch_up()
    published = site.reader().history("room", signals=["temperature"]).compute()
    site.historian().rebuild(workers=1)
    equal(published, site.reader().history("room", signals=["temperature"]))
    found = published.temperature.sel(time=np.datetime64("2024-01-01") + np.array([742, 779, 1801, 2000], "m8[m]"))
    np.testing.assert_array_equal(found.sel(asset="c")[:2], [25.0, np.nan])
    assert np.isnan(found.sel(asset="z")[2])
    assert found.sel(asset="z")[3] == 21.0


def test_rows_of_few_assets_near_the_end_are_planned_for_these(make_site, tmp_path):
    site = make_site(tmp_path)
    site.append(base_rows())
    site.historian().catch_up()
    # The last stored cell is MINUTES - 1: these are among the newest 200 cells, in one tile of assets.
    site.append([("c.t", MINUTES - 150, 21.0), ("d.t", MINUTES - 140, 21.0)])
    assert site.historian().catch_up().cells < 8 * 3 * 100
    # Of two tiles of four, they are planned for all.
    site.append([("c.t", MINUTES - 150, 22.0), ("z.t", MINUTES - 140, 22.0)])
    assert site.historian().catch_up().cells > 26 * 3 * 10
    published = site.reader().history("room", signals=["temperature"]).compute()
    site.historian().rebuild(workers=1)
    equal(published, site.reader().history("room", signals=["temperature"]))
