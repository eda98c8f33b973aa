"""Extremes of spans from those of windows, compiled by numba."""

# ruff: noqa: ANN001, ANN201, PLR0917  (numba types arguments and takes no keywords)
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from twinlab._compiled import njit

__all__ = ["ANY", "NONE", "SOME", "span_extremes"]

#: What is known of a span: it has no value, values between the extremes, or any values.
NONE, SOME, ANY = 0, 1, 2


@njit(cache=True, nogil=True)
def span_extremes(low, high, waiting, none, edges, out_low, out_high, known):
    """Fold windows (asset, window) into spans (asset, span) of the windows ``edges[span, 0] .. edges[span, 1] - 1``.

    ``low`` is ``none`` in a window without a value; a window with ``waiting`` cells may have any.
    """
    for a in range(out_low.shape[0]):
        for s in range(out_low.shape[1]):
            found = NONE
            lowest, highest = none, none
            for w in range(edges[s, 0], edges[s, 1]):
                if waiting[a, w] > 0:
                    found = ANY
                    break
                if low[a, w] != none:
                    if found == NONE:
                        lowest, highest = low[a, w], high[a, w]
                        found = SOME
                    else:
                        lowest = min(lowest, low[a, w])
                        highest = max(highest, high[a, w])
            out_low[a, s], out_high[a, s], known[a, s] = lowest, highest, found
