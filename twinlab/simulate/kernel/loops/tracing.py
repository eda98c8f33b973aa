"""Rows of a trace."""

from __future__ import annotations

from twinlab._compiled import njit

__all__ = ["trace"]


@njit(cache=True, nogil=True, forceinline=True)
def trace(o, kind, subject, a, b, source, number, start, middle, end):
    """Add a row if the run is traced. Rows beyond the array are counted only; the run is repeated with a larger one."""
    if o.place[3]:
        at = o.place[2]
        if at < o.trace.size:
            row = o.trace[at]
            row.kind = kind
            row.subject = subject
            row.a = a
            row.b = b
            row.source = source
            row.number = number
            row.start = start
            row.middle = middle
            row.end = end
        o.place[2] = at + 1
