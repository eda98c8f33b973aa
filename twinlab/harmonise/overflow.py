"""Values that don't fit the storage of their signal: each is a problem with row, column and remedy.

Such a value is still a claim: `twin.observations` shows it exactly, and its cell is empty rather than showing an earlier
value. Dropping the claim would change the cells of histories that were built before.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Series
from twinlab.harmonise.findings import Findings
from twinlab.harmonise.memo import by_identity
from twinlab.model.signal import Signal
from twinlab.model.twinmodel import TwinModel

__all__ = ["report_overflows", "storage_remedy"]


def storage_remedy(signal: Signal) -> str:
    """Return what to change in the model so that larger values fit.

    >>> storage_remedy(Signal(resolution=1e-6))
    'write `storage: int64` or a coarser `resolution:` in the model (int32 ranges to 2147.48 at resolution 1e-06)'
    """
    stored = str(signal.storage_dtype)
    wider = "" if stored == "int64" else "`storage: int64` or "
    return (
        f"write {wider}a coarser `resolution:` in the model ({stored} ranges to {signal.largest:g} at "
        f"resolution {signal.resolution:g})"
    )


@by_identity
def _largest(series: tuple[Series, ...], model: TwinModel) -> npt.NDArray[np.float64]:
    """Return the largest value of each series: asking a thousand signals costs more than all other work on a small frame."""
    by_signal: dict[tuple[str, str], float] = {}
    for one in series:
        pair = (one.asset_type, one.signal)
        if pair not in by_signal:
            by_signal[pair] = model.asset_types[one.asset_type].signals[one.signal].largest
    return np.array([by_signal[one.asset_type, one.signal] for one in series])


def report_overflows(claims: Claims, model: TwinModel, findings: Findings) -> None:
    """Record the claims whose values the storage of their signal can't represent as problems."""
    if not len(claims):
        return
    limits = _largest(claims.series, model)
    # Most frames are done after one comparison with the smallest limit; NaN (a retraction) is no overflow.
    with np.errstate(invalid="ignore"):
        if not max(np.fmax.reduce(claims.value), -np.fmin.reduce(claims.value)) > limits.min():
            return
        at = np.flatnonzero(np.abs(claims.value) > limits[claims.code])
    at = at[np.argsort(claims.code[at], kind="stable")]
    rows = claims.ordinal if claims.row_number is None else claims.row_number
    edges = [*np.flatnonzero(np.diff(claims.code[at], prepend=-1)).tolist(), len(at)]
    for low, high in pairwise(edges):
        here = at[low:high]
        series = claims.series[claims.code[here[0]]]
        signal = model.asset_types[series.asset_type].signals[series.signal]
        findings.problem_values(
            rows[here],
            column=claims.tags[claims.tag[here[0]]].partition("@")[0],
            texts=[f"{value!r}" for value in claims.value[here[:100]].tolist()],
            reason=f"{series.asset_type}.{series.signal} can't store this value: {storage_remedy(signal)}",
        )
