"""Up to when the data of a live twin are settled, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.events.kpis.settled import settled_watermark, window_states
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["settled_text", "settled_until_text"]


def settled_text(twin: TwinReader, asset_type: str, signals: Sequence[str], stop: np.datetime64) -> str:
    """Return whether a window of signals is settled, and until when it is if it isn't; "" for a twin without live sources.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    signals : sequence of str
        The state is that of the one that is behind.
    stop : datetime64
        End of the window, not included, UTC.
    """
    if not has_live_sources(twin) or not signals:
        return ""
    state = str(window_states(twin, np.array([stop]), asset_type, signals)[0])
    marks = [settled_watermark(twin, asset_type, signal) for signal in signals]
    known = [mark for mark in marks if mark is not None]
    until = np.datetime64(min(known), "ns") if len(known) == len(marks) else np.datetime64("NaT", "ns")
    if state == "settled":
        return "settled"
    return f"{state}, {settled_until_text(until)}"


def settled_until_text(until: Any) -> str:
    """Return up to when nothing more is expected, for an instant (UTC) or NaT.

    >>> settled_until_text(np.datetime64("2026-03-01T08:00")), settled_until_text(np.datetime64("NaT"))
    ('settled until 2026-03-01 08:00 UTC', 'nothing is settled yet')
    """
    return tr("nothing is settled yet") if np.isnat(until) else tr("settled until {until} UTC", until=time_text(until))
