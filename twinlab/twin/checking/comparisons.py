"""Findings from comparisons: units, drift, and the tests of ``twin.yaml`` that compare signals or assets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.flags import Flag
from twinlab.quality import find_drift, run_tests, suspect_units
from twinlab.quality.findings import Finding
from twinlab.quality.registry import QUALITY_TESTS
from twinlab.quality.unit_faults.hypotheses import hypotheses
from twinlab.twin.checking.channels import Channels, Properties
from twinlab.twin.checking.report_lines import percent_text

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.twinmodel import AssetType
    from twinlab.quality.unit_faults.suspects import Suspect

__all__ = ["compared_tests", "drift_findings", "test_findings", "unit_suspects"]


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


def drift_findings(channels: Channels, *, excluded: Collection[str] = ()) -> Iterator[Finding]:
    """Yield a finding for each sensor of a gauge that drifts.

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
    levels = channels.windows[name].sel(asset=kept).load()
    for drift in find_drift(levels.assign_attrs(units=channels.signal.unit)):
        found = drift.finding(f"{channels.asset_type}/{drift.asset}", channels.name)
        if found is not None:
            yield found


def compared_tests(kind: AssetType, signals: Sequence[str]) -> list[str]:
    """Return the names of the tests of some signals that the build of the history doesn't run."""
    named = {test for name in signals for test in kind.signals[name].tests}
    return sorted(name for name in named if QUALITY_TESTS.get(name).scope in ("asset", "type"))


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
            count, total = int(numbers[place]), int(of[place])
            what = f"fail the test {test!r}" if fails[place] else f"are suspect to the test {test!r}"
            yield Finding(
                test,
                "",
                "",
                str(cells["asset"].to_numpy()[place]),
                signal,
                times[int(first[place])],
                times[end] if end < size else None,
                1.0 if fails[place] else 0.5,
                f"{count:,} of {total:,} values {what} ({percent_text(count / total)})",
            )
