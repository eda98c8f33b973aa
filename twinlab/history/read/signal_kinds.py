"""States and counters: a state lasts until the next observation, a counter only increases.

A cell is an observation if it has a value and its flag is pass, suspect or not evaluated (the newest cells, which no
watermark has passed yet). Failed and missing cells are ignored: the last observation before them is still valid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import divisor, sentinel
from twinlab.history.layout.fold_kernels import fill_forward, rise_counters, share_states
from twinlab.model.twinmodel import Signal

__all__ = ["fill_states", "increases", "last_observation", "shares", "wrap_integer"]


def fill_states(
    values: NDArray[np.signedinteger], flags: NDArray[np.uint8], carry: NDArray[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """Return cells (time, asset) filled with the last observation, which before the first one is ``carry`` (asset)."""
    v, f = np.ascontiguousarray(values.T), np.ascontiguousarray(flags.T)
    out = np.empty_like(v)
    fill_forward(v, f, carry.astype(v.dtype), v.dtype.type(sentinel(v.dtype)), out)
    return out.T


def shares(filled: NDArray[np.signedinteger], per: int, windows: int, codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each state's share of the known time of each window, (window, asset, state); NaN if no time is known.

    Cells with other codes than ``codes`` are known time, too: the shares then add up to less than one.
    """
    h = np.ascontiguousarray(filled.T)
    counts = np.zeros((h.shape[0], windows, codes.size + 1), dtype=np.int64)
    share_states(h, per, codes, h.dtype.type(sentinel(h.dtype)), counts)
    known = counts.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):
        out = counts[:, :, : codes.size] / np.where(known == 0, np.nan, known)
    return np.asarray(out.transpose(1, 0, 2))


def wrap_integer(signal: Signal) -> int:
    """Return the integer at which a counter wraps to zero; 0 if it never does."""
    if signal.wraps_at is None:
        return 0
    scale = divisor(signal)
    return round(signal.wraps_at * scale if scale is not None else signal.wraps_at / (signal.resolution or 1.0))


def increases(
    values: NDArray[np.signedinteger],
    flags: NDArray[np.uint8],
    per: int,
    windows: int,
    *,
    carry: NDArray[np.signedinteger],
    wrap: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a counter's increase (window, asset) as an integer, and the number of observations of each window.

    An increase is counted in the window of the later of its two observations, so increases of windows add up to those of
    longer windows. A decrease is a wrap at ``wrap`` by the shorter way round, else a reset to zero if the counter reads at
    most half of what it read before; any other decrease is counted as one. Transient readings are flagged *fail* and
    ignored.
    """
    v, f = np.ascontiguousarray(values.T), np.ascontiguousarray(flags.T)
    out = np.zeros((v.shape[0], windows), dtype=np.int64)
    seen = np.zeros_like(out)
    rise_counters(v, f, per, carry.astype(v.dtype), v.dtype.type(sentinel(v.dtype)), wrap, out, seen)
    return out.T, seen.T


def last_observation(values: NDArray[np.signedinteger], flags: NDArray[np.uint8]) -> NDArray[np.signedinteger]:
    """Return each asset's last observation in cells (time, asset); the type's smallest integer if there is none."""
    none = sentinel(values.dtype)
    good = (flags <= 3) & (values != none)  # fail is 4, missing 9
    if not values.shape[0]:
        return np.full(values.shape[1], none, dtype=values.dtype)
    last = values.shape[0] - 1 - good[::-1].argmax(axis=0)
    return np.where(good.any(axis=0), values[last, np.arange(values.shape[1])], none).astype(values.dtype)
