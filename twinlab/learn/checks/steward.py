"""Solutions of the data steward's exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.learn.comparing import Slip, Solution
from twinlab.learn.workshop import CELSIUS, CORRECTED

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _where_from(twin: Twin) -> Solution:
    def row(airport: str, hour: int, column: str = "row") -> int:
        start = pd.Timestamp(f"2013-02-12T{hour:02}:00")
        rows = twin.observations(f"airport/{airport}", "wind_speed", start=start, stop=start + pd.Timedelta("1h"))
        return int(rows[column].iloc[-1])

    return Solution(
        row("LGA", 4),
        "Ask why airport/LGA has its wind_speed at 2013-02-12T04:00: `why.rows` has the row's number in the file.",
        (
            Slip(row("EWR", 3), "That is the row of the example: ask for LGA an hour later."),
            Slip(row("LGA", 3), "That row is an hour too early: ask for 04:00."),
            Slip(row("EWR", 4), "That row is of another airport: ask for LGA."),
            Slip(row("LGA", 4, "position"), "That is the position in the ledger: answer with the row in the file."),
        ),
    )


def _failed_values(twin: Twin) -> Solution:
    def count(room: str, *flags: int) -> int:
        data = twin.history("cold_room", signals=["temperature"], assets=[room])
        return int(data["temperature_qc"].isin(flags).sum())

    return Solution(
        count("R06", 4),
        "Count the cells of room R06 whose temperature_qc is 4.",
        (
            Slip(count("R02", 4), "That is the answer for the example's room: count those of R06."),
            Slip(count("R06", 1), "Those passed: a flag of 4 is a failure."),
            Slip(count("R06", 1, 2, 3, 4), "Those are all values: count those whose flag is 4."),
        ),
    )


def _wrong_unit(twin: Twin) -> Solution:
    def cells(room: str) -> int:
        start, stop = CELSIUS[room]
        return int((stop - start) / pd.Timedelta("5min"))

    start, stop = (pd.Timestamp(one).tz_localize(None) for one in CELSIUS["C"])
    now = twin.history("cold_room", signals=["temperature"], assets=["C"], start=start, stop=stop)["temperature"]
    wrong = int((now < -5).sum())
    rows = len(twin.observations("cold_room/C", "temperature", start=start, stop=stop))
    other = twin.history("cold_room", signals=["temperature"], assets=["C"])["temperature"]
    broken = int((other > 15).sum())
    faults = []
    if wrong:
        faults.append(
            f"Of the published temperatures of room C {wrong} are still below -5 °C, such as {float(now.where(now < -5).max()):.1f} °C: "
            "repair the whole span of room C, and promote the revision."
        )
    if broken:
        faults.append(
            f"Of the published temperatures of room C {broken} are above 15 °C now: the repair covers hours in which the logger wrote °F."
        )
    return Solution(
        cells("C"),
        "The history is repaired. Answer with the number of cells that `revision.diff().signals()` counts.",
        (
            Slip(cells("B"), "That is the number for room B: begin again with a fresh twin, and repair room C."),
            Slip(rows, "That is the number of rows. A cell has several of them: answer with the cells."),
        ),
        faults=tuple(faults),
    )


def _known_then(twin: Twin) -> Solution:
    def values(room: str) -> tuple[float, float]:
        """Return the cell's value before the correction, and now."""
        at = pd.Timestamp(CORRECTED[room][0]).tz_localize(None)
        rows = twin.observations(f"cold_room/{room}", "temperature", start=at, stop=at + pd.Timedelta("1s"), all=True)
        by_standing = rows.set_index("standing")["value"]
        return float(by_standing["withdrawn"]), float(by_standing["valid"])

    before, now = values("B")
    return Solution(
        round(before, 2),
        "Read room B at 14:00 UTC from `twin.as_of(…)`, with an instant just before the corrected rows were ingested.",
        (
            Slip(round(now, 2), "That is the value that is known now: read it as of an instant before the correction."),
            Slip(round(values("A")[0], 2), "That is the answer for the example's room: look at B."),
            Slip(round(values("A")[1], 2), "That is what is known now of the example's room."),
        ),
        tolerance=0.006,
        unit="degC",
    )


CHECKS = {
    "where-from": _where_from, "failed-values": _failed_values, "wrong-unit": _wrong_unit, "known-then": _known_then,
}  # fmt: skip
