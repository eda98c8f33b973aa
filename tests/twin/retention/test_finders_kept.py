"""Events of stored finders: what is kept of them, and how many a plan says will be missed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.store.opening import open_history
from twinlab.model import parse_model
from twinlab.twin.retention.applying import cut_of
from twinlab.twin.retention.kept import finders_of_gauges, found_events, found_keys

FINDERS = """
events:
  damp: {on: room, when: humidity > 68 % and temperature > 5 degC, lasting: 30min, gap: 10min}
  opened: {on: room, when: door == open}
"""


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of the twin's folder, with finders."""
    out = Path(shutil.copytree(built, tmp_path / "pilot"))
    text = (out / "twin.yaml").read_text(encoding="utf-8")
    (out / "twin.yaml").write_text(text + FINDERS, encoding="utf-8")
    return out


def _keys(folder: Path, cut_ns: int) -> set[str]:
    return set(found_keys(tl.open(folder), since_ns=cut_ns - 28 * DAY_NS, before_ns=cut_ns))


def _found(folder: Path, cut_ns: int) -> pd.DataFrame:
    return found_events(tl.open(folder), since_ns=cut_ns - 35 * DAY_NS, before_ns=cut_ns)["damp"]


@pytest.mark.parametrize("keep", [["events"], []])
def test_events_of_finders_stay_or_are_predicted_as_missed(folder: Path, keep: list[str]) -> None:
    twin = tl.open(folder)
    cut = cut_of(open_history(folder / "history"), 7 * DAY_NS)
    before = _found(folder, cut)
    plan = twin.plan_retention("20 EUR/month", keep=keep)  # type: ignore[arg-type]
    row = plan.table.query("full_rate == '7d' and older == 'rollups'").iloc[0]
    keys = _keys(folder, cut)
    assert plan.searched == len(keys)
    assert sum(key.startswith("damp/") for key in keys) > 20
    assert f"{plan.searched} exceptions and found events" in str(plan)
    plan.choose(int(row.name)).propose().approve()
    twin.apply_retention()
    after = _found(folder, cut)
    now = _keys(folder, cut)
    lost = keys - now
    assert (len(lost), len(now - keys)) == (row["missed"], row["false"])
    if keep:
        assert not lost
        # Where a kept span ends in a short damp time, its last value is valid for an hour: a false event, which is predicted.
        assert after[after["key"].isin(before["key"])].reset_index(drop=True).equals(before)
        assert f"0 ({row['false']} false)" in str(plan)
    else:
        assert sum(key.startswith("damp/") for key in lost) > 20


def test_only_finders_of_gauges_can_miss_events(folder: Path) -> None:
    model = parse_model((folder / "twin.yaml").read_text(encoding="utf-8"))
    assert list(finders_of_gauges(model)) == ["damp"]
    assert found_events(tl.open(folder), since_ns=0, before_ns=0) == {}
