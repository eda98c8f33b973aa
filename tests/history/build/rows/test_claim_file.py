"""Claims in a temporary file come back as they were, for any span of time."""

import errno
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import CorruptionError
from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.rows import claim_file
from twinlab.history.build.rows.claim_file import ClaimFile

SECOND = 10**9
SHAPES = ["constant", "ramp", "falling", "small", "wide", "extreme"]


def column(shape: str, kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    info = np.iinfo(kind)
    if shape == "constant":
        return np.broadcast_to(np.dtype(kind).type(1), count)
    if shape == "ramp":
        return (3 + 2 * np.arange(count)).clip(max=info.max).astype(kind)
    if shape == "falling":
        return (count - np.arange(count)).clip(max=info.max).astype(kind)
    if shape == "small":
        return rng.integers(0, 5, count).astype(kind)
    ends = (info.min, info.max) if shape == "extreme" else (info.min // 4, info.max // 4)
    return rng.integers(*ends, count, dtype=kind, endpoint=True)


@st.composite
def claims(draw) -> Claims:
    count, rng = draw(st.integers(1, 40)), np.random.default_rng(draw(st.integers(0, 99)))
    shape = st.sampled_from(SHAPES)

    def of(kind: str) -> np.ndarray:
        return column(draw(shape), kind, count, rng)

    time = draw(st.sampled_from([1, 10**6, SECOND, 60 * SECOND])) * column(
        draw(st.sampled_from(SHAPES[:4])), "i8", count, rng
    )
    code, tag = rng.integers(0, 3, count).astype("i4"), rng.integers(0, 2, count).astype("i4")
    series = tuple(Series("room", str(n), "temperature") for n in range(3))
    return Claims(
        series, code, time, rng.normal(size=count), of("i8"), of("i8"), of("i8"), of("i1"), tag, ("a", "b"), None, of("i2"),
        draw(st.sampled_from([None, of("i8")])), draw(st.sampled_from([None, of("u1")])),
    )  # fmt: skip


def same(got: Claims, want: Claims) -> None:
    for field in fields(Claims):
        a, b = getattr(got, field.name), getattr(want, field.name)
        if isinstance(b, np.ndarray):
            np.testing.assert_array_equal(a, b, strict=True)
        else:
            assert a == b


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(claim_file, "_BLOCK", 4)


@pytest.fixture
def file(tmp_path, small_blocks):
    opened = ClaimFile(tmp_path)
    yield opened
    opened.close()


def test_claims_come_back_as_they_were(file):
    @given(st.lists(claims(), min_size=1, max_size=3), st.integers(-5, 130), st.integers(1, 100))
    def check(frames, low, length):
        keys = [object() for _ in frames]
        for key, one in zip(keys, frames, strict=True):
            assert file.put(key, one)
        for key, one in zip(keys, frames, strict=True):
            same(file.get(key), one)
            span = (low * SECOND, (low + length) * SECOND)
            inside = [(one.event_time >= span[0]) & (one.event_time < span[1]) for one in (one, file.get(key, span))]
            same(_parts(file.get(key, span), inside[1]), _parts(one, inside[0]))

    check()


def _parts(found: Claims, mask: np.ndarray) -> Claims:
    return found.select(mask) if mask.any() else Claims.empty()


def test_a_span_is_read_without_the_rest_of_the_frame(file):
    time = np.tile(np.arange(100), 2) * SECOND
    ones = np.broadcast_to(np.int64(0), 200)
    given_ = Claims(
        (Series("room", "1", "t"),), np.zeros(200, "i4"), time, np.arange(200.0), ones, ones - 1, np.arange(200), ones.astype("i1"),
        np.zeros(200, "i4"), ("t",), None, ones.astype("i2"), None,
    )  # fmt: skip
    file.put("key", given_)
    found = file.get("key", (40 * SECOND, 42 * SECOND))
    assert {40.0, 41.0, 140.0, 141.0} <= set(found.value.tolist())
    assert len(found) <= 16
    assert len(file.get("key", (100 * SECOND, 200 * SECOND))) == 0
    assert file.get("another") is None


def test_the_file_has_no_name_and_is_gone_when_it_is_closed(file, tmp_path):
    file.put("key", claims_of(100))
    assert os.name == "nt" or list(tmp_path.iterdir()) == []
    file.close()
    assert file.get("key") is None


def claims_of(count: int) -> Claims:
    numbers = np.arange(count)
    return Claims(
        (Series("room", "1", "t"),), np.zeros(count, "i4"), numbers, np.arange(float(count)), numbers, numbers, numbers,
        np.zeros(count, "i1"), np.zeros(count, "i4"), ("t",), None, np.zeros(count, "i2"), None,
    )  # fmt: skip


def test_changed_bytes_are_noticed(file):
    file.put("key", claims_of(100))
    os.pwrite(file._file.fileno(), b"\xff", 401)
    with pytest.raises(CorruptionError, match="temporary file"):
        file.get("key")
    same(file.get("key", (0, 3)), claims_of(4))


def test_claims_for_which_there_is_no_room_are_refused(file, monkeypatch):
    assert file.put("first", claims_of(100))

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(claim_file, "write_all", fails)
        assert not file.put("second", claims_of(100))
    assert not file.put("second", claims_of(100))
    assert file.get("second") is None
    same(file.get("first"), claims_of(100))


def test_the_file_leaves_as_much_space_free_as_it_takes(tmp_path, monkeypatch):
    free = 10 * 2**20

    def usage(folder: Path) -> object:
        assert folder == tmp_path
        return type("Usage", (), {"free": free})

    monkeypatch.setattr("shutil.disk_usage", usage)
    file = ClaimFile(tmp_path)
    assert not file.put("key", claims_of(100))
    free = 10 * 2**30
    other = ClaimFile(tmp_path)
    assert other.put("key", claims_of(100))
    file.close()
    other.close()
