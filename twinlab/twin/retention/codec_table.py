"""What a twin's folder would take with its cells in other codecs: for information, compacting doesn't change the codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.history.retention.codecs import codec_sizes
from twinlab.twin.report import format_bytes

if TYPE_CHECKING:
    from twinlab.history.store.view import View

__all__ = ["codec_table", "codec_text"]


def codec_table(view: View, total: float, price: float) -> pd.DataFrame:
    """Return ``codec, in_use, bytes, cost, ns_per_cell``.

    Parameters
    ----------
    view : View
    total : float
        Bytes of the twin's folder.
    price : float
        Of a GB and month.
    """
    sizes = codec_sizes(view)
    now = next((one.bytes for one in sizes if one.in_use), 0.0)
    rows = []
    for one in sizes:
        size = total - now + one.bytes
        rows.append((one.codec, one.in_use, size, price * size / 1e9, one.ns_per_cell))
    return pd.DataFrame(rows, columns=["codec", "in_use", "bytes", "cost", "ns_per_cell"])


def codec_text(codecs: pd.DataFrame) -> str:
    """Return a table of `codec_table` in a line."""
    parts = [
        f"{codec} {format_bytes(size)}, {time:.1f} ns a cell{' (in use)' if used else ''}"
        for codec, used, size, _, time in codecs.astype(object).to_numpy().tolist()
    ]
    return "; ".join(parts)
