"""The twin as it was known at instants, one after another; built again only where rows came in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from twinlab.ledger.journal import JOURNAL

if TYPE_CHECKING:
    from twinlab.history import HistoryReader

__all__ = ["known_then"]


def known_then(reader: HistoryReader, instants: np.ndarray) -> Iterator[tuple[int, HistoryReader]]:
    """Yield instants (nanoseconds since 1970) with the twin as it was known then; instants before the first row are left out.

    Parameters
    ----------
    reader : HistoryReader
    instants : array of int, rising
    """
    sources = [name for name in reader.ledger.sources() if name != JOURNAL]
    before: dict[str, int] = {}
    then: HistoryReader | None = None
    for at in instants.tolist():
        position = {name: reader.ledger.reader(name).position_at(at) for name in sources}
        if not any(position.values()):
            continue
        if then is None or position != before:
            before, then = position, reader.as_of(np.datetime64(at, "ns"))
        yield at, then
