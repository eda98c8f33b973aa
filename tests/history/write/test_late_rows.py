"""Late rows of a few assets change the cells around them, and nothing else: in the tail, when published, and when rebuilt."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.build import catchup

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
    """Claims more than 200 cells before the newest are late."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catchup, "_FRONT", 200)
        yield


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


@settings(max_examples=5)
@given(late=st.lists(late_rows, min_size=1, max_size=2), window=windows, fresh=st.booleans())
def test_late_rows_give_the_same_arrays_in_the_tail_published_and_rebuilt(make_site, late, window, fresh):
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        site = make_site(Path(folder))
        site.append(base_rows())
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
