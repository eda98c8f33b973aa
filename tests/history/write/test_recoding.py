"""Cells in another codec: the same values to the bit, from this reader and from Zarr, after rebuilds and kills."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from tests.history.write.test_removal import cut_at, fill, read, same
from twinlab.history.layout.encoding import sentinel
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.catalog import FORMAT_CODEC, Catalog
from twinlab.history.store.codecs import CODEC
from twinlab.history.store.opening import open_history
from twinlab.history.write.codec_change import RECODED, applied_codec

ROOT = Path(__file__).parents[3]
CODECS = ("zstd 19", "zstd 3", "pcodec 12", "pcodec 4", "pcodec 8")


@pytest.fixture
def filled(site: Any) -> Any:
    fill(site, days=6)
    site.historian().compact()
    return site


def codecs(site: Any) -> set[str]:
    view = open_history(site.root / "history")
    return {view.catalog.entry(group).codec for group in view.groups()}


def stored(site: Any) -> dict[str, np.ndarray]:
    """Return the integers of all cells as Zarr reads them."""
    root = zarr.open_group(open_history(site.root / "history").session.store, mode="r")
    return {path: array[...] for path, array in root.members(max_depth=None) if "/cold/" in path}  # type: ignore[index,misc]


@pytest.mark.filterwarnings("ignore:.*Zarr format 3.*", "ignore:.*Numcodecs codecs.*")
def test_values_are_the_same_in_every_codec_for_us_and_for_zarr(filled: Any) -> None:
    before, arrays, sizes = read(filled), stored(filled), {}
    rollups = read(filled, step="1d")
    for codec in CODECS:
        proof = filled.historian().recode(codec, {"author": "dora"})
        same(read(filled), before)
        same(read(filled, step="1d"), rollups)
        now = stored(filled)
        assert now.keys() == arrays.keys()
        for path, found in arrays.items():
            np.testing.assert_array_equal(now[path], found)
        assert codecs(filled) == {codec}
        sizes[codec] = storage_use(filled.root, open_history(filled.root / "history")).cells
        assert {one["signal"] for one in proof["parts"] if one["tiles"]} == {"temperature", "humidity", "door"}
        assert proof["author"] == "dora"
    assert sizes["zstd 19"] < sizes["zstd 3"]
    assert sizes["pcodec 12"] <= sizes["pcodec 8"] < sizes["pcodec 4"]
    proofs = [one.payload for one in filled.ledger.journal.entries(RECODED)]
    assert [one["codec"] for one in proofs] == list(CODECS)
    # The same numbers have the same hash, whatever the codec.
    assert len({str([part["sha256"] for part in one["parts"]]) for one in proofs}) == 1
    for one, following in zip(proofs, proofs[1:], strict=False):
        assert [part["bytes_after"] for part in one["parts"]] == [part["bytes_before"] for part in following["parts"]]
    assert filled.historian().recode("pcodec 8", {}) is None


def test_new_cells_rebuilds_cuts_and_new_groups_have_the_codec(filled: Any) -> None:
    filled.historian().recode("zstd 19", {})
    for day in (6, 7):
        filled.append([(f"a.{tag}", day * 1440 + m, float(m % 7)) for tag in "th" for m in range(0, 1440, 10)])
        filled.historian().compact()
    known = read(filled)
    assert known.temperature.sel(time="2024-01-07").notnull().any()
    filled.historian().rebuild()
    same(read(filled), known)
    assert codecs(filled) == {"zstd 19"} == {applied_codec(filled.ledger.journal)}
    catalog = open_history(filled.root / "history").catalog
    assert catalog.codec == "zstd 19"
    assert f'"format":{FORMAT_CODEC}' in str(catalog.to_attributes()["twinlab_history"])
    cut_at(filled, 3)
    after = read(filled)
    filled.historian().rebuild()
    same(read(filled), after)
    # Without a history, the journal says what it had.
    shutil.rmtree(filled.root / "history")
    filled.historian().catch_up()
    same(read(filled), after)
    assert codecs(filled) == {"zstd 19"}


def test_the_catalogue_of_a_history_in_the_usual_codec_is_as_before() -> None:
    assert "codec" not in str(Catalog(0).to_attributes())
    assert '"format":1' in str(Catalog(0).to_attributes()["twinlab_history"])


def test_an_empty_history_gets_the_codec_for_what_comes(site: Any) -> None:
    site.historian().catch_up()
    assert site.historian().recode("zstd 3", {})["parts"] == []
    fill(site, days=3)
    site.historian().compact()
    assert codecs(site) == {"zstd 3"}


@pytest.mark.parametrize("codec", [CODEC, "zstd 3"])
def test_bytes_that_changed_are_damage_in_every_codec(filled: Any, codec: str) -> None:
    from twinlab.errors import CorruptionError
    from twinlab.history.store.codecs import decode_tile, encode_tile

    filled.historian().recode(codec, {})
    view = open_history(filled.root / "history")
    group = view.groups()[0]
    spec = view.catalog.entry(group).cell_spec(2024, "temperature", part="cold", flags=False)
    assert spec.codec == codec
    tile = np.arange(np.prod(spec.layout.tile), dtype=spec.dtype).reshape(spec.layout.tile)
    tile[0] = sentinel(spec.dtype)
    data, out = bytearray(encode_tile(tile, codec)), np.empty(spec.layout.tile[::-1], spec.dtype)
    decode_tile(bytes(data), spec, out, where="here")
    np.testing.assert_array_equal(out.T, tile)
    for damaged in (bytes(data[:-5]), bytes(data[:40]) + bytes([data[40] ^ 1]) + bytes(data[41:]), b""):
        with pytest.raises(CorruptionError, match="here"):
            decode_tile(damaged, spec, out, where="here")


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_a_kill_before_each_step_leaves_every_value(site: Any, make_site: Any) -> None:
    source, left = site.root / "source", site.root / "left"
    first = make_site(source)
    fill(first, days=3, rooms="a")
    first.historian().compact()
    left.mkdir()
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_recoding.py")), str(source), str(left)],
        check=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    before = read(first)
    *killed, done = sorted(left.iterdir(), key=lambda path: int(path.name))
    assert codecs(make_site(done)) == {"zstd 19"}
    assert len(killed) >= 5
    seen = []
    for folder in killed:
        one = make_site(folder)
        same(read(one), before)
        seen.append(codecs(one))
        one.historian().recode("zstd 19", {"author": "dora"})
        same(read(one), before)
        assert codecs(one) == {"zstd 19"}
        (entry,) = one.ledger.journal.entries(RECODED)
        assert entry.payload["author"] == "dora"
        shutil.rmtree(folder)
    assert {CODEC} in seen
    assert {"zstd 19"} in seen
