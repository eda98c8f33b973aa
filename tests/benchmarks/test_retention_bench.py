"""Retention on the parcel network: predicted bytes and errors against what applying the plan gives.

``python -m pytest tests/benchmarks/test_retention_bench.py -m benchmark -s -n0``
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

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
    ].iloc[0]  # in the codec in use
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


def test_an_archive_and_another_codec_take_what_the_plan_predicts(tmp_path: Path) -> None:
    demo = tl.demo("parcel").folder
    folder = Path(shutil.copytree(demo, tmp_path / "twin", ignore=shutil.ignore_patterns("files")))
    use = storage_use(folder, open_history(folder / "history"))
    twin = tl.open(folder)
    plan, planned = _timed(
        lambda: twin.plan_retention("20 EUR/month", price="0.02 EUR/GB/month", archive_price="0.002 EUR/GB/month")
    )
    row = plan.table.query(
        "full_rate == '30d' and older == 'rollups' and ledger == 'archive' and codec != 'pcodec 8'"
    ).iloc[0]
    plan.choose(int(row.name)).propose().approve()
    preview, previewed = _timed(tl.open(folder).preview_retention)
    report, applied = _timed(lambda: twin.apply_retention(author="benchmark"))
    now = storage_use(folder, open_history(folder / "history"))
    archived = sum(path.stat().st_size for path in report.archived)
    verified, checked = _timed(tl.open(folder).verify)
    assert verified.ok
    known = {kind: tl.open(folder).history(kind).load() for kind in ("truck", "cold_room", "forklift")}
    tables = {name: tl.open(folder).events(name) for name in twin.model.event_types}
    _, rebuilt = _timed(tl.open(folder).rebuild)
    again = tl.open(folder)
    for kind, data in known.items():
        xr.testing.assert_identical(again.history(kind).load().drop_attrs(deep=False), data.drop_attrs(deep=False))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(again.events(name), table)
    folders = now.total - now.other, row["bytes"] - use.other
    freed = plan.table["bytes"].iloc[0] - row["bytes"] - preview.archived.freed  # type: ignore[union-attr]
    print(  # noqa: T201
        f"\n{report}\nfolder {folders[0]:,.0f}, predicted {folders[1]:,.0f} ({folders[1] / folders[0] - 1:+.2%}); "
        f"cells {use.cells:,} -> {now.cells:,}, predicted {use.cells - freed:,.0f} ({(use.cells - freed) / now.cells - 1:+.1%}); "
        f"archive {archived:,}, predicted {row['archived']:,.0f} ({row['archived'] / archived - 1:+.1%}); "
        f"ledger's rows {use.ledger:,} -> {now.ledger:,}, predicted {use.ledger - preview.archived.freed:,.0f}\n"  # type: ignore[union-attr]
        f"CPU: plan {planned:.1f} s, preview {previewed:.1f} s, apply {applied:.1f} s, verify {checked:.2f} s, rebuild {rebuilt:.1f} s"
    )
    assert folders[1] == pytest.approx(folders[0], rel=0.05)
    assert use.cells - freed == pytest.approx(now.cells, rel=0.05)
    assert row["archived"] == pytest.approx(archived, rel=0.05)
    assert use.ledger - preview.archived.freed == pytest.approx(now.ledger, rel=0.05)  # type: ignore[union-attr]


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return run(), time.process_time() - began
