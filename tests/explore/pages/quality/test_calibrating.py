"""A drift's calibration is tried, added and removed on the Quality page; what people decided is listed."""

from __future__ import annotations

import asyncio

import pandas as pd
import pytest

from twinlab.explore.kit.session import Session
from twinlab.explore.pages.quality.calibrating import exceptions_html
from twinlab.explore.pages.quality.decisions import annotation_rows, calibration_rows
from twinlab.explore.pages.quality.repair import RepairView

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


def shown(view) -> str:
    """Return the texts of a column of the page."""
    return " ".join(str(getattr(part, "object", "")) for part in view._parts)


def test_a_drift_is_corrected_with_one_click_and_the_correction_can_be_removed(drifting):
    view = RepairView(drifting, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    table = view.report.table
    row = int(table.index[(table.kind == "drift") & (table.asset == "f5")][0])
    asyncio.run(view.select(row))
    trial = view.calibrating
    assert trial.calibration.asset == "fridge/f5"
    # The picture is there, and what the calibration does to exceptions.
    (curves,) = [part.object for part in trial._parts if hasattr(part, "backend")]
    assert {"measured", "corrected", "median of the others"} <= set(curves.traverse(lambda one: one.label))
    assert "would not have fired" in shown(trial)
    assert "Too warm, f5" in shown(trial)
    assert drifting.calibrations().empty
    assert f"calibration = report.calibration({row})" in view.code()
    asyncio.run(trial.add())
    assert "Added by ada" in view.work.line.object
    assert drifting.calibrations().author.tolist() == ["ada"]
    # It isn't found again, since it is corrected.
    asyncio.run(view.check())
    assert "drift" not in set(view.report.table.kind)

    decided = view.decisions
    decided._grid.selection = [0]
    asyncio.run(decided.remove())
    assert "Say who removes it and why" in decided._work.line.object
    decided.reason.value = "the reference was wrong"
    asyncio.run(decided.remove())
    assert drifting.calibrations().empty
    assert drifting.calibrations(history=True).iloc[-1].reason == "the reference was wrong"
    assert decided._grid is None or len(decided._parts) == 1


def test_a_calibration_needs_a_name_and_says_what_it_takes_the_place_of(drifting):
    drifting.calibrate("fridge/f5", "temperature", offset=-0.2, since="2026-02-20", reason="ice test", author="eva")
    view = RepairView(drifting, session=Session(user=""), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    table = view.report.table
    asyncio.run(view.select(int(table.index[table.kind == "drift"][0])))
    trial = view.calibrating
    assert "takes the place of: -0.2 by eva (ice test)" in shown(trial)
    trial.author.value = " "
    asyncio.run(trial.add())
    assert "Say who adds it" in view.work.line.object
    trial.author.value = "ada"
    asyncio.run(trial.add())
    assert drifting.calibrations().author.tolist() == ["ada"]


def test_decisions_are_listed_newest_first(drifting):
    drifting.calibrate("fridge/f1", "temperature", offset=-0.5, until="2026-01-10", reason="r", author="eva")
    drifting.calibrate(
        "fridge/f2", "temperature", gain=1.02, offset={"2026-01-06": 0, "2026-01-07": 1}, reason="q", author="ada"
    )
    drifting.annotate(
        asset="fridge/f3",
        signal="temperature",
        start="2026-01-06",
        stop="2026-01-07",
        verdict="reject",
        note="door",
        author="eva",
    )
    rows = calibration_rows(drifting.calibrations())
    assert rows[["asset", "correction", "until"]].to_numpy().tolist() == [
        ["fridge/f2", "× 1.02 +1, by time", ""],
        ["fridge/f1", "-0.5", "2026-01-10 00:00"],
    ]
    notes = annotation_rows(drifting.annotations())
    assert notes[["about", "start", "verdict", "note"]].to_numpy().tolist() == [
        ["span fridge/f3 temperature", "2026-01-06 00:00", "reject", "door"]
    ]
    view = RepairView(drifting, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    assert "Calibrations" in shown(view.decisions)
    assert "Annotations" in shown(view.decisions)


def test_the_effect_on_exceptions_is_escaped_and_counted():
    table = pd.DataFrame(
        {
            "change": ["vanished", "moved"], "rule": ["warm", "<b>"], "asset": ["<i>", "A"],
            "start": pd.to_datetime([None, "2026-01-05T10:00"]), "start_before": pd.to_datetime(["2026-01-05T08:00", None]),
        }
    )  # fmt: skip
    text = exceptions_html(table, {"warm": "Too warm"})
    assert "1 would not have fired, 1 would have fired at another time" in text
    assert "2026-01-05 08:00 UTC, Too warm, &lt;i&gt;: would not have fired" in text
    assert "2026-01-05 10:00 UTC, &lt;b&gt;, A" in text
    assert "none would be another" in exceptions_html(table.iloc[:0], {})
