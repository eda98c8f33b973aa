"""Retention on the parcel network: predicted bytes and errors against what applying the plan gives.

``python -m pytest tests/benchmarks/test_retention_bench.py -m benchmark -s -n0``
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

import twinlab as tl
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history
from twinlab.model.basics import parse_duration
from twinlab.twin.retention.applying import cut_of, data_span
from twinlab.twin.retention.errors import limits_of, mean_error, shares_beyond
from twinlab.twin.retention.kept import found_exceptions

pytestmark = pytest.mark.benchmark

PRICES = "\nstorage: {price: 0.02 EUR/GB/month, archive_price: 0.002 EUR/GB/month}\n"


@pytest.mark.parametrize("keep", [("events", "flagged"), ("flagged",)])
@pytest.mark.parametrize(("older", "resolution"), [("rollups", 4), ("rounded", 16)])
def test_what_the_plan_predicts_is_what_applying_gives(
    tmp_path: Path, keep: tuple[str, ...], older: str, resolution: int
) -> None:
    demo = tl.demo("parcel").folder
    folders = [Path(shutil.copytree(demo, tmp_path / name)) for name in ("before", "after")]
    for folder in folders:
        path = folder / "twin.yaml"
        path.write_text(path.read_text(encoding="utf-8") + PRICES, encoding="utf-8")
    before, twin = (tl.open(folder) for folder in folders)
    use = storage_use(folders[0], open_history(folders[0] / "history"))
    began = time.process_time()
    plan = twin.plan_retention("20 EUR/month", keep=keep)  # type: ignore[arg-type]
    planned = time.process_time() - began
    row = plan.table[
        (plan.table["full_rate"] == "30d") & (plan.table["older"] == older) & (plan.table["resolution"] == resolution)
    ].iloc[0]
    plan.choose(int(row.name)).propose().approve()
    began = time.process_time()
    report = twin.apply_retention(author="benchmark")
    applied = time.process_time() - began
    now = storage_use(folders[1], open_history(folders[1] / "history"))
    gone = (use.total - use.other) - (now.total - now.other), use.total - row["bytes"]
    view = open_history(folders[0] / "history")
    since, cut = data_span(view)[0], cut_of(view, 30 * DAY_NS)
    days = list(range(since, cut - DAY_NS, DAY_NS))
    after = tl.open(folders[1])
    errors = [
        100 * abs(shares_beyond(before, limit, days, reduced=False) - shares_beyond(after, limit, days, reduced=True))
        for limit in limits_of(before)
    ]
    error = mean_error(np.concatenate(errors, axis=1))
    kpis = {}
    for name in plan.kpis["kpi"].unique():
        period = parse_duration(before.model.kpis[name].period)
        span = {
            "start": np.datetime64(since, "ns"),
            "stop": np.datetime64(since + (cut - since) // period * period, "ns"),
        }
        was, now_ = (one.kpi(name, **span)["value"].values for one in (before, after))
        kpis[name] = abs(was - now_)[np.isfinite(was)]
    keys = [set(found_exceptions(one, since_ns=since, before_ns=cut)["key"]) for one in (before, after)]
    print(  # noqa: T201
        f"\n{older} {resolution}x, kept {keep}: {report}\n"
        f"bytes freed {gone[0]:,.0f}, predicted {gone[1]:,.0f} ({gone[1] / gone[0] - 1:+.1%}); "
        f"of {use.cells:,} of cells {now.cells:,} are left, predicted {use.cells - gone[1]:,.0f} "
        f"({(use.cells - gone[1]) / now.cells - 1:+.1%})\n"
        f"error of daily shares {error.mean:.3f} points over {error.days} days, predicted {row['share_error']:.3f} "
        f"[{row['error_low']:.3f}, {row['error_high']:.3f}] from {plan.days} days\n"
        f"exceptions: {len(keys[0])}, missed {len(keys[0] - keys[1])}, false {len(keys[1] - keys[0])}; predicted {row['missed']:.0f} "
        f"missed of {plan.searched}\nCPU: plan {planned:.1f} s, apply {applied:.1f} s"
    )
    for one in plan.kpis[(plan.kpis["older"] == older) & (plan.kpis["resolution"] == resolution)].itertuples():
        errors_of, lost = kpis[one.kpi], np.isnan(kpis[one.kpi]).mean()
        mean = np.nanmean(errors_of) if lost < 1 else np.nan
        print(  # noqa: T201
            f"{one.kpi}: error {mean:.4f} {one.unit}, predicted {one.error:.4f} [{one.low:.4f}, {one.high:.4f}]; "
            f"{lost:.0%} of {len(errors_of)} windows without a value, predicted {one.lost:.0%}"
        )
        assert np.isnan(one.error) or one.low - 1e-9 <= mean <= one.high + 1e-9
    assert row["bytes"] - use.other == pytest.approx(now.total - now.other, rel=0.05)
    assert use.cells - gone[1] == pytest.approx(now.cells, rel=0.05)
    assert row["error_low"] <= error.mean <= row["error_high"]
