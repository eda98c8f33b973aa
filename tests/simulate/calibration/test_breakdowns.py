"""Times between breakdowns and of repair."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.breakdowns import breakdowns


def spans(seed=0, assets=20, days=60):
    """Breakdowns every 3 days on average, repaired in about 4 h."""
    random, rows = np.random.default_rng(seed), []
    for asset in range(assets):
        at = 0.0
        while (at := at + random.exponential(3 * 24)) < days * 24:
            took = random.gamma(4, 1)
            rows.append((f"F{asset}", at, at + took))
            at += took
    table = pd.DataFrame(rows, columns=["asset", "start", "end"])
    for name in ("start", "end"):
        table[name] = pd.Timestamp("2026-01-05") + pd.to_timedelta(table[name], unit="h")
    return table


def test_running_and_repair_times_are_found_again():
    found = breakdowns(spans(assets=80), assets=[f"F{n}" for n in range(80)], start="2026-01-05", stop="2026-03-06")
    assert found.running.mean == pytest.approx(3 * 86_400, rel=0.08)
    assert found.repair.mean == pytest.approx(4 * 3600, rel=0.1)
    assert found.availability == pytest.approx(72 / 76, rel=0.02)
    assert found.running.censored > 0


def test_assets_that_never_broke_down_count():
    table = spans(assets=2)
    few = breakdowns(table, assets=["F0", "F1"], start="2026-01-05", stop="2026-03-06")
    many = breakdowns(table, assets=[f"F{n}" for n in range(10)], start="2026-01-05", stop="2026-03-06")
    assert many.running.mean > 2 * few.running.mean
    assert many.availability > few.availability


def test_a_breakdown_that_still_lasts_is_a_lower_bound_of_repair():
    table = spans(assets=1)
    table.loc[table.index[-1], "end"] = pd.NaT
    assert breakdowns(table, assets=["F0"], start="2026-01-05", stop="2026-03-06").repair.censored == 1


def test_a_window_without_breakdowns_is_refused():
    with pytest.raises(SchemaError, match="take a longer one"):
        breakdowns(spans(assets=1), assets=["F0"], start="2026-01-05", stop="2026-01-05T00:01")
