"""What cells take in other codecs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.history.write.test_removal import fill
from twinlab.history.retention.codecs import _OTHERS, codec_sizes
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history


def test_every_codec_gives_the_values_back() -> None:
    rng = np.random.default_rng(3)
    for dtype in ("int16", "int32"):
        edges = np.iinfo(dtype)
        flat = rng.integers(edges.min, edges.max, 5000, dtype=dtype, endpoint=True)
        for encode, decode in _OTHERS.values():
            out = np.empty_like(flat)
            decode(encode(flat), out)
            np.testing.assert_array_equal(out, flat)


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
    assert all(one.ns_per_cell > 0 for one in found.values())
