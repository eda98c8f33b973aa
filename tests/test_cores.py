"""Work on parts of an array."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import xarray as xr

from twinlab import _cores
from twinlab.quality import attenuated_flags, flat_line_flags, range_flags, rate_flags


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 3])
def test_parts_are_all_of_it_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cores, "cores", lambda: 3)
    done, seen = np.zeros(size, np.int64), set()

    def work(start: int, stop: int) -> None:
        seen.add(threading.get_ident())
        done[start:stop] += 1

    _cores.in_parts(work, size)
    assert (done == 1).all()
    assert (threading.get_ident() in seen) == (size < 2**20)


def test_an_error_of_a_part_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cores, "cores", lambda: 2)

    def fail(start: int, stop: int) -> None:
        msg = f"{start} to {stop}"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="0 to"):
        _cores.in_parts(fail, 2**20)


def test_flags_in_parts_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    values = np.round(random.normal(10, 1, (3_000, 2)), 1)
    values[random.random(values.shape) < 0.05] = np.nan
    values[700:760] = 10
    times = np.datetime64("2026-01-01", "ns") + np.arange(3_000) * np.timedelta64(1, "m")
    signal = xr.DataArray(values, {"time": times}, ("time", "asset"))
    tests = (
        lambda: range_flags(signal, fail_span=(6, 14), suspect_span=(8, 12)),
        lambda: rate_flags(signal, suspect=0.02, fail=0.04),
        lambda: flat_line_flags(signal, duration="20min", within="3min"),
        lambda: attenuated_flags(signal, window="30min", suspect=0.8),
    )
    whole = [test().to_numpy() for test in tests]
    monkeypatch.setattr(_cores, "_SMALLEST_PART", 10)
    monkeypatch.setattr(_cores, "cores", lambda: 4)
    for test, flags in zip(tests, whole, strict=True):
        assert (test().to_numpy() == flags).all()
        assert len(np.unique(flags)) > 2
