"""Solutions of the OT engineer's exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.learn.comparing import Slip, Solution
from twinlab.learn.workshop import SCANS

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKS"]


def _source_tag(twin: Twin) -> Solution:
    def rows(truck: str) -> pd.DataFrame:
        found: pd.DataFrame = twin.observations(f"truck/{truck}", "speed", start="2026-03-25", stop="2026-03-26")
        return found

    def tag(truck: str) -> str:
        return str(rows(truck)["tag"].iloc[-1]).partition("@")[0]

    mine = rows("T003")
    return Solution(
        tag("T003"),
        "Look at the column `tag` of the observations of truck/T003: the name before the @.",
        (
            Slip(tag("T009"), "That is the tag of the example's box. Truck T003 has another maker's."),
            Slip("speed", "That is the signal, the name that all trucks share. Its source has a name of its own."),
            Slip(str(mine["source"].iloc[-1]), "That is the source: answer with its tag."),
        ),
    )


def _scan_rate(twin: Twin) -> Solution:
    def seconds(room: str) -> float:
        times = twin.observations(f"cold_room/{room}", "temperature", start="2026-03-03", stop="2026-03-04")["time"]
        return float(np.median(np.diff(times.to_numpy()) / np.timedelta64(1, "s")))

    return Solution(
        seconds("C"),
        "Take the median of the time between two rows of cold_room/C, in seconds.",
        (
            Slip(
                seconds("A"),
                "That is how often room A is read, and the cadence of the signal: the cells of the history. Look at the rows of room C.",
            ),
            Slip(seconds("B"), "That is how often room B is read: look at room C."),
            Slip(seconds("C") / 60, "That is in minutes: answer in seconds."),
            Slip(86_400 / seconds("C"), "That is the number of rows of a day: answer with the seconds between two."),
        ),
        tolerance=0.5 * min(SCANS.values()) / 60,
    )


def _longest_silence(twin: Twin) -> Solution:
    def hours(truck: str, pick: str = "max") -> float:
        gaps = np.diff(twin.observations(f"truck/{truck}", "speed")["time"].to_numpy()) / np.timedelta64(1, "h")
        return round(float(gaps.max() if pick == "max" else np.median(gaps)), 1)

    return Solution(
        hours("T012"),
        "Take the longest time between two rows of truck/T012, in hours.",
        (
            Slip(hours("T002"), "That is the longest silence of the example's truck: look at T012."),
            Slip(hours("T012") * 60, "That is in minutes: answer in hours."),
            Slip(hours("T012", "median"), "That is the usual time between two rows: the longest is wanted."),
        ),
        tolerance=0.051,
    )


def _propose_not_send(twin: Twin) -> Solution:
    plans = twin.plans()
    mine = plans[plans["target"] == "forklift/V2"] if len(plans) else plans
    faults = []
    if mine.empty:
        others = ", ".join(sorted(set(plans["target"]))) if len(plans) else "none"
        faults.append(f"There is no proposal for forklift/V2 yet (there are: {others}). Propose 10 km/h for it.")
    elif not (mine["value"] == 10).any():
        faults.append(
            f"You proposed {', '.join(f'{one:g}' for one in mine['value'])} km/h for forklift/V2: propose 10."
        )
    near = twin.history("forklift", signals=["person_distance"], assets=["V2"])["person_distance"].max()
    right = mine[mine["value"] == 10] if not mine.empty else mine
    return Solution(
        "" if right.empty else str(right["verdict"].iloc[0]),
        f"Read the verdict of your proposal: somebody is {float(near):.1f} m away from V2.",
        (
            Slip("safe", "That would be the verdict if nobody was near, as with V1. Read the verdict of the plan for V2."),
            Slip("refused", "That is the status. The verdict says what would happen, and why it was refused."),
        ),
        faults=tuple(faults),
    )  # fmt: skip


CHECKS = {
    "source-tag": _source_tag, "scan-rate": _scan_rate, "longest-silence": _longest_silence, "propose-not-send": _propose_not_send,
}  # fmt: skip
