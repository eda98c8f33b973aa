"""Which test gave a cell its flag: the tests of one signal run one by one, as the build of history runs them together."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.model.flags import Flag
from twinlab.model.twinmodel import Signal
from twinlab.quality.aggregate import worst_of
from twinlab.quality.cells import codes_of, limits_of, spans_of_assets, untested
from twinlab.quality.kernels import NEVER, Limits, judge, judge_plain
from twinlab.quality.signal_tests import flags_of_cells

__all__ = ["flags_by_test"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.uint8]

#: Name of a test -> the switch of the kernels that runs it.
_SWITCHES: Final = {"counter": "counter_on", "spike": "spike_on", "rate": "rate_on", "flat_line": "flat_on"}


def flags_by_test(
    values: Floats,
    *,
    signal: Signal,
    margin_before: int = 0,
    margin_after: int = 0,
    start_ns: int = 0,
    limits_of_assets: Floats | None = None,
) -> dict[str, Flags]:
    """Return the flags that each test of a signal gives to the cells of a slab; their worst is that of `flag_cells`.

    Parameters
    ----------
    values : float64 [margin_before + n + margin_after, asset]
        As for `flag_cells`, like the other parameters; all cells are settled.

    Returns
    -------
    dict of str to uint8 [n, asset]
        By the test's name: "range" (for states "state") always, "spike", "rate", "flat_line" and "counter" where the signal
        asks for them, and the names under ``tests:``.

    Raises
    ------
    SchemaError
        If the limits of the assets are needed and lacking.

    >>> wind = Signal(resolution=1, sensor_span=(0, 100), spike=(20, 40))
    >>> found = flags_by_test(np.array([[7.0], [1048.0], [7.0], [60.0], [8.0]]), signal=wind)
    >>> {name: flags.ravel().tolist() for name, flags in found.items()}
    {'range': [1, 4, 1, 1, 1], 'spike': [1, 2, 1, 4, 1]}
    """
    table = np.ascontiguousarray(values, dtype=np.float64)
    rows, assets = table.shape
    limits, codes = limits_of(signal), codes_of(signal)
    spans = spans_of_assets(signal, limits, limits_of_assets, assets)
    known = np.full(assets, -NEVER, dtype=np.int64), np.full(assets, NEVER, dtype=np.int64)
    times = np.arange(rows, dtype=np.int64) * signal.cadence_ns
    off = limits._replace(**dict.fromkeys(_SWITCHES.values(), False), heartbeat=0)
    shape = rows - margin_before - margin_after, assets

    def judged(switched: Limits) -> Flags:
        out = np.empty(shape, dtype=np.uint8)
        judge(table, times, margin_before, *known, spans, switched, codes, out)
        return out

    plain = np.empty(shape, dtype=np.uint8)
    judge_plain(table, margin_before, *known, spans, off, codes, plain)
    found = {"state" if signal.kind == "state" else "range": plain}
    # Without the expected span, so that what is left is a test's own flag. The transients of a counter are no test's but its.
    base = off._replace(range_on=False)
    before = np.where(plain == Flag.SUSPECT.value, np.uint8(Flag.PASS), plain)
    for name, switch in _SWITCHES.items():
        if getattr(limits, switch):
            flags = judged(base._replace(**{switch: True}))
            # What was suspect before, and isn't worse now, isn't this test's.
            same = (flags == before) & ((before == Flag.SUSPECT.value) | (before == Flag.FAIL.value))
            found[name] = np.where(same, np.uint8(Flag.NOT_EVALUATED), flags)
            if name == "counter":
                base, before = base._replace(counter_on=True), flags
    if signal.tests:
        skip = frozenset(name.removeprefix("tests.") for name in untested(signal) if name.startswith("tests."))
        named = flags_of_cells(
            table,
            signal=signal,
            sensor_span=limits_of_assets if spans is not None else None,
            first=margin_before,
            count=shape[0],
            start_ns=start_ns,
            untested=skip,
        )
        for name, judged_flags, present in named:
            flags = np.where(present, judged_flags, np.uint8(Flag.NOT_EVALUATED))
            found[name] = worst_of(found[name], flags) if name in found else flags
    return found
