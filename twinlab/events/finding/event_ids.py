"""Ids and names of found events as columns of texts: hundreds of thousands of events in a tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["asset_names", "event_ids"]

_SECOND = 10**9


def asset_names(assets: Sequence[str], numbers: NDArray[np.int64]) -> pa.LargeStringArray:
    """Return the id of each numbered asset.

    >>> asset_names(["a", "b"], np.array([1, 1, 0])).to_pylist()
    ['b', 'b', 'a']
    """
    return pa.array(list(assets), pa.large_string()).take(pa.array(numbers))


def event_ids(digest: str, names: pa.LargeStringArray, start_ns: NDArray[np.int64]) -> pa.LargeStringArray:
    """Return ids made of a definition's digest, the asset and the start; NaT (the smallest integer) becomes "earlier".

    >>> starts = np.array([0, 1_500_000_000, np.iinfo(np.int64).min])
    >>> event_ids("3f", asset_names(["a"], np.zeros(3, np.int64)), starts).to_pylist()
    ['3f/a/1970-01-01T00:00:00', '3f/a/1970-01-01T00:00:01.500000000', '3f/a/earlier']
    """
    unknown = start_ns == np.iinfo(np.int64).min
    times = pa.array(start_ns, pa.timestamp("ns"), mask=unknown)
    text = pa.large_string()
    if (start_ns[~unknown] % _SECOND == 0).all():
        written = times.cast(pa.timestamp("s")).cast(text)
    else:
        written = pc.replace_substring(times.cast(text), ".000000000", "")
    when = pc.fill_null(pc.binary_replace_slice(written, 10, 11, "T"), "earlier")
    return pc.binary_join_element_wise(pa.scalar(digest, text), names, when, pa.scalar("/", text))
