"""What cells take in other codecs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.history.write.test_removal import fill
from twinlab.history.layout.grid import Layout
from twinlab.history.retention.codecs import CODECS, codec_sizes
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.codecs import ArraySpec, decode_tile, encode_tile
from twinlab.history.store.opening import open_history


def test_every_codec_gives_the_values_back() -> None:
    rng = np.random.default_rng(3)
    for dtype in ("int16", "int32"):
        edges = np.iinfo(dtype)
        tile = rng.integers(edges.min, edges.max, (5000, 8), dtype=dtype, endpoint=True)
        for codec in CODECS:
            spec = ArraySpec("x", tile.shape, tile.dtype, Layout(tile.shape, None), edges.min, codec=codec)
            out = np.empty(tile.shape[::-1], dtype)
            decode_tile(encode_tile(tile, codec), spec, out, where="here")
            np.testing.assert_array_equal(out.T, tile)


def test_the_codec_in_use_has_the_stored_bytes_and_other_levels_differ(site: Any) -> None:
    fill(site, days=1)
    site.historian().catch_up()
    # All cells are hot.
    assert codec_sizes(open_history(site.root / "history")) == []
    fill(site)
    site.historian().compact()
    view = open_history(site.root / "history")
    found = {one.codec: one for one in codec_sizes(view)}
    assert [one.codec for one in found.values() if one.in_use] == ["pcodec 8"]
    # The other bytes of cells are flags.
    assert 0 < found["pcodec 8"].bytes < storage_use(site.root, view).cells
    assert found["pcodec 12"].bytes <= found["pcodec 8"].bytes < found["pcodec 4"].bytes
    assert found["zstd 19"].bytes < found["zstd 3"].bytes
    assert all(one.decode_ns > 0 and one.encode_ns > 0 for one in found.values())
    # Those of states.
    assert all(0 < one.others < one.bytes for one in found.values())
    site.historian().recode("zstd 19", {})
    again = {one.codec: one for one in codec_sizes(open_history(site.root / "history"))}
    assert [one.codec for one in again.values() if one.in_use] == ["zstd 19"]
    assert again["zstd 19"].bytes == pytest.approx(found["zstd 19"].bytes, rel=0.05)
