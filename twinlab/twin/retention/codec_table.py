"""What a twin's folder would take with its cells in other codecs, and the smallest of them, which a plan considers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.twin.report import format_bytes

if TYPE_CHECKING:
    from twinlab.history.retention.codecs import CodecSize

__all__ = ["codec_table", "codec_text", "saved_bytes", "smallest_codec"]


def codec_table(sizes: Sequence[CodecSize], total: float, price: float) -> pd.DataFrame:
    """Return ``codec, in_use, bytes, cost, decode_ns, encode_ns``.

    Parameters
    ----------
    sizes : sequence of CodecSize
    total : float
        Bytes of the twin's folder.
    price : float
        Of a GB and month.
    """
    now = next((one.bytes for one in sizes if one.in_use), 0.0)
    rows = []
    for one in sizes:
        size = total - now + one.bytes
        rows.append((one.codec, one.in_use, size, price * size / 1e9, one.decode_ns, one.encode_ns))
    return pd.DataFrame(rows, columns=["codec", "in_use", "bytes", "cost", "decode_ns", "encode_ns"])


def smallest_codec(sizes: Sequence[CodecSize]) -> str | None:
    """Return the codec with the fewest bytes; None if the one in use has."""
    best = min(sizes, key=lambda one: (one.bytes, not one.in_use), default=None)
    return None if best is None or best.in_use else best.codec


def saved_bytes(sizes: Sequence[CodecSize], codec: str) -> tuple[float, float]:
    """Return how many bytes the values take less in a codec than in the one in use: all, and those of signals that aren't gauges."""
    found = {one.codec: one for one in sizes}
    now = next((one for one in sizes if one.in_use), None)
    if now is None:
        return 0.0, 0.0
    return now.bytes - found[codec].bytes, now.others - found[codec].others


def codec_text(codecs: pd.DataFrame) -> str:
    """Return a table of `codec_table` in a line."""
    parts = [
        f"{codec} {format_bytes(size)} ({'in use, ' if used else ''}{decoding:.1f} ns to decode a cell, {encoding:,.0f} to encode it)"
        for codec, used, size, _, decoding, encoding in codecs.astype(object).to_numpy().tolist()
    ]
    return "; ".join(parts)
