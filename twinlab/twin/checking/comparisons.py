"""Findings from comparisons: units, drift, and the tests of ``twin.yaml`` that compare signals or assets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality import find_drift, run_tests, suspect_units
from twinlab.quality.clocks.findings import clock_faults
from twinlab.quality.clocks.shifts import clock_shifts, median_of_assets
from twinlab.quality.clocks.switches import clock_switch
from twinlab.quality.findings import Finding
from twinlab.quality.registry import QUALITY_TESTS
from twinlab.quality.signals.built_in import STATUS
from twinlab.quality.unit_faults.hypotheses import hypotheses
from twinlab.twin.checking.channels import Channels, Properties
from twinlab.twin.checking.clock_fixes import ClockFix
from twinlab.twin.checking.report_lines import flagged_text

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.calibration import Calibration
    from twinlab.model.twinmodel import AssetType
    from twinlab.quality.unit_faults.suspects import Suspect

__all__ = [
    "clock_shift_findings",
    "compared_tests",
    "drift_findings",
    "observed_finding",
    "observed_tests",
    "test_findings",
    "unit_suspects",
]

#: Clocks are compared with the median of the assets, of five at least, and over two weeks.
_FEWEST_CLOCKS: Final = 5
_LEAST_CLOCKS: Final = np.timedelta64(14, "D")
_WEEK: Final = np.timedelta64(7, "D")


def unit_suspects(channels: Channels, declared: Mapping[str, str]) -> list[Suspect]:
    """Return the most probable hypothesis of each channel that seems to write another unit than it is declared to.

    Parameters
    ----------
    channels : Channels
    declared : mapping of asset to unit
        What the mappings declare.
    """
    signal = channels.signal
    units = set(declared.values()) | {signal.unit}
    if signal.states is not None or not any(hypotheses(signal.unit, one) for one in units):
        return []
    limits = channels.kind.limits(channels.name, channels.assets, channels.properties)
    finite = np.where(np.isfinite(limits), limits, np.nan)
    found = suspect_units(
        channels.cells[channels.name],
        unit=signal.unit,
        declared=dict(declared),
        sensor_span=finite[:2],
        expected_span=finite[2:],
        counter=signal.kind == "counter",
        peers=len(channels.assets) > 1,
    )
    return [one for one in found if one.rank == 1]


def drift_findings(
    channels: Channels, *, excluded: Collection[str] = ()
) -> Iterator[tuple[Finding, Calibration | None]]:
    """Yield a finding for each sensor of a gauge that drifts, with the calibration that corrects it.

    What a calibration corrects already is no drift any more.

    Parameters
    ----------
    channels : Channels
    excluded : collection of str
        Assets that are neither judged nor compared with, since they are known to be wrong otherwise.
    """
    name = f"{channels.name}_mean"
    if channels.signal.kind != "gauge" or channels.signal.role != "measurement" or name not in channels.windows:
        return
    kept = [asset for asset in channels.assets if asset not in excluded]
    if not kept:
        return
    units = {"units": channels.signal.unit}
    drifts = find_drift(channels.windows[name].sel(asset=kept).load().assign_attrs(units))
    if channels.calibrated is not None:
        # The calibration is that of the measured values: it takes the place of one that doesn't correct enough.
        now = find_drift(channels.calibrated.sel(asset=kept).load().assign_attrs(units))
        left = {one.asset for one in now if one.verdict == "drift"}
        drifts = [one for one in drifts if one.asset in left]
    for drift in drifts:
        asset = f"{channels.asset_type}/{drift.asset}"
        found = drift.finding(asset, channels.name)
        if found is not None:
            yield found, drift.calibration(asset, channels.name)


def clock_shift_findings(
    channels: Channels, *, excluded: Collection[str] = ()
) -> Iterator[tuple[Finding, ClockFix | None]]:
    """Yield a finding for each asset whose values come earlier or later than those of the others, with its fix.

    Means of quarters of an hour (or slower ones) are compared week by week: shifts from half an hour on are found, of signals
    whose course most assets share. Since when is then looked for to the quarter. A clock that drifts has no fix.
    """
    name = f"{channels.name}_mean"
    if channels.short is None or channels.signal.kind != "gauge" or channels.signal.role != "measurement":
        return
    kept = [asset for asset in channels.assets if asset not in excluded]
    times = channels.short["time"].to_numpy()
    if len(kept) < _FEWEST_CLOCKS or times[-1] - times[0] < _LEAST_CLOCKS:
        return
    means = channels.short[name].sel(asset=kept).load()
    reference = median_of_assets(means)
    shifts = clock_shifts(means, reference=reference, period=_WEEK, resolution=times[1] - times[0])
    for fault in clock_faults(shifts, shift=np.timedelta64(30, "m"), signal=channels.name):
        shift = fault.shift
        if shift is None:
            yield fault.finding(), None
            continue
        series = means.sel(asset=fault.asset)
        since, until = (
            None if at is None else clock_switch(series, reference, shift, at, within=_WEEK, back=back)
            for at, back in ((fault.since, False), (fault.until, True))
        )
        if since is not None and until is not None and not since < until:
            until = None
        yield (
            replace(fault, since=since, until=until).finding(),
            ClockFix(fault.asset, fault.signal, shift, since, until),
        )


def compared_tests(kind: AssetType, signals: Sequence[str]) -> list[str]:
    """Return the names of the tests of some signals that the build of the history doesn't run."""
    named = {test for name in signals for test in kind.signals[name].tests}
    return sorted(name for name in named if QUALITY_TESTS.get(name).scope in ("asset", "type"))


def observed_tests(kind: AssetType, signal: str) -> list[str]:
    """Return the names of a signal's tests that judge the exact times of observations."""
    return sorted(name for name in kind.signals[signal].tests if QUALITY_TESTS.get(name).scope == "observations")


def observed_finding(rows: pd.DataFrame, kind: AssetType, asset: str, signal: str, test: str) -> Finding | None:
    """Return the finding of a test on the observations of one asset; None if it flags none.

    Parameters
    ----------
    rows : DataFrame
        ``time``, ``value`` and, where the source states one, ``status``, as ``twin.observations`` returns them.

    Raises
    ------
    SchemaError
        If the test needs a status, and the source states none.
    """
    if not len(rows):
        return None
    spec = kind.signals[signal]
    times = rows["time"].to_numpy().astype("datetime64[ns]")
    values = xr.DataArray(
        rows["value"].to_numpy(np.float64), {"time": times}, "time", name=signal, attrs={"units": spec.unit}
    )
    if "status" in rows:
        values = values.assign_coords(status=("time", rows["status"].to_numpy(dtype=object)))
    elif test == STATUS.name:
        msg = "no row has a status of the source; name its column with `status:` in the mapping"
        raise SchemaError(msg)
    quality_test = QUALITY_TESTS.get(test)
    flags = quality_test.run(values, quality_test.parse(spec.tests[test], unit=spec.unit)).to_numpy()
    failed = flags == Flag.FAIL.value
    at = np.flatnonzero(failed | (flags == Flag.SUSPECT.value))
    if not at.size:
        return None
    end = int(at[-1]) + 1
    fails = int(failed.sum())
    text = flagged_text(fails, at.size - fails, len(rows), f"the test {test!r}", what="observations")
    first, until = times[int(at[0])], times[end] if end < len(times) else None
    if until is not None and not first < until:
        until = first + np.timedelta64(1, "ns")
    return Finding(test, "", "", asset, signal, first, until, 1.0 if failed.any() else 0.5, text)


def test_findings(
    cells: xr.Dataset, kind: AssetType, tests: Sequence[str], properties: Properties
) -> Iterator[Finding]:
    """Yield a finding for each asset with values that a test flags; its kind is the test's name."""
    flags = run_tests(cells, kind, tests, properties=properties)
    for one in flags.data_vars.values():
        marked = one.transpose("time", "asset")
        bad = (marked == Flag.SUSPECT.value) | (marked == Flag.FAIL.value)
        judged = bad | (marked == Flag.PASS.value)
        failed = (marked == Flag.FAIL.value).sum("time")
        size = bad.sizes["time"]
        # Reduced before it is computed: of lazy flags only these numbers are kept.
        numbers, of, fails, first, last = (
            part.to_numpy()
            for part in (
                bad.sum("time"), judged.sum("time"), failed, bad.argmax("time"), bad.isel(time=slice(None, None, -1)).argmax("time"),
            )
        )  # fmt: skip
        times = cells["time"].to_numpy().astype("datetime64[ns]")
        test, signal = str(one.attrs["test"]), str(one.attrs["signal"])
        for place in np.flatnonzero(numbers).tolist():
            end = size - int(last[place])
            failed_here = int(fails[place])
            text = flagged_text(failed_here, int(numbers[place]) - failed_here, int(of[place]), f"the test {test!r}")
            yield Finding(
                test,
                "",
                "",
                str(cells["asset"].to_numpy()[place]),
                signal,
                times[int(first[place])],
                times[end] if end < size else None,
                1.0 if fails[place] else 0.5,
                text,
            )
