"""How well a live twin matches its plant, with and without faults: errors with units, coverage, flags, latency.

Two plants on real protocols, each once without and once with faults of sensors and links: one at 60 times the clock with MQTT, OPC
UA and HTTPS, and one at the clock's speed with Modbus, which has no clock of its own, and OPC UA; cells of a minute there.
TWINLAB_BENCH_SECONDS (60) is the time of the first, TWINLAB_BENCH_MINUTES (8) that of the second. The tables are printed, and written
to TWINLAB_BENCH_OUT as JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import yaml

from twinlab.demos.live import LiveParcel

SECONDS = float(os.environ.get("TWINLAB_BENCH_SECONDS", "60"))
MINUTES = float(os.environ.get("TWINLAB_BENCH_MINUTES", "8"))
#: Seconds until every source has rows, at most.
PATIENCE = 180.0
#: Half of what the servers round to, and half of the twin's resolution: Modbus has tenths of °F, the telematics tenths of mph.
AS_REPORTED = {"temperature": 0.05 / 1.8 + 0.005, "speed": 0.05 * 1.609344 + 0.05}
SIGNAL = {"signal": "temperature"}
#: In the plant's time since the run's begin.
FAST = [
    {"kind": "unit_swap", "target": "R02", **SIGNAL, "start": "25min"},
    {"kind": "drift", "target": "R04", **SIGNAL, "amount": 24, "start": "10min"},
    {"kind": "unit_swap", "target": "T002", "signal": "fuel", "start": "25min"},
    {"kind": "link_down", "target": "trucks", "start": "45min", "lasts": "15min"},
    {"kind": "link_down", "target": "opcua", "start": "50min", "lasts": "10min"},
]
SLOW = [
    {"kind": "unit_swap", "target": "R01", **SIGNAL, "start": "2min"},
    {"kind": "drift", "target": "R03", **SIGNAL, "amount": 144, "start": "1min"},
    {"kind": "link_down", "target": "modbus", "start": "4min", "lasts": "150s"},
]


def followed(live: LiveParcel, seconds: float, settle: float) -> pd.DataFrame:
    """Return the fidelity of the cells of some seconds, by asset, from when every source has rows."""
    begun = time.monotonic()
    while not all(one["stored"] for one in live.twin.live_status().sources.values()):
        assert time.monotonic() - begun < PATIENCE, str(live.twin.live_status())
        time.sleep(0.2)
    while live.truth()["cold_room"].empty:
        time.sleep(0.2)
    start = live.truth()["cold_room"]["time"].max()
    time.sleep(seconds)
    stop = live.truth()["cold_room"]["time"].max()
    # Cells whose later rows may still come aren't compared.
    time.sleep(settle)
    twin, truth = live.twin, live.truth()
    # Rooms that no server of this plant shows aren't in the twin.
    assets = [asset for kind in ("cold_room", "truck") for asset in twin.reader.pinned().assets.get(kind, ())]
    return twin.fidelity(truth, start=start, stop=stop, assets=assets, tolerances=AS_REPORTED, by_asset=True)


def report(what: str, found: pd.DataFrame) -> None:
    sys.stdout.write(f"\n{what}\n{found.to_string(float_format='{:.4g}'.format, na_rep='-')}\n")
    if path := os.environ.get("TWINLAB_BENCH_OUT"):
        with Path(path).open("a") as out:
            out.write(
                json.dumps({"what": what, "rows": json.loads(found.reset_index().to_json(orient="records"))}) + "\n"
            )


def run(folder: Path, faults: list[dict[str, object]], *, fast: bool) -> pd.DataFrame:
    folder.mkdir()
    (folder / "faults.yaml").write_text(yaml.safe_dump({"faults": faults}))
    if fast:
        with LiveParcel(
            folder / "live", peers=("mqtt", "opcua", "rest"), begin="2026-03-25T18:30", speed=60, faults=folder / "faults.yaml"
        ) as live:  # fmt: skip
            return followed(live, SECONDS, settle=12)
    demo = Path(str(files("twinlab.demos"))) / "parcel" / "twin.yaml"
    head, rest = demo.read_text(encoding="utf-8").split("\n  cold_room:", 1)
    model = folder / "twin.yaml"
    model.write_text(f"{head}\n  cold_room:{rest.replace('cadence: 5min', 'cadence: 1min')}", encoding="utf-8")
    with LiveParcel(folder / "live", peers=("modbus", "opcua"), faults=folder / "faults.yaml", model=model) as live:
        return followed(live, 60 * MINUTES, settle=100)


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_a_fast_plant(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    need("mosquitto")
    right = run(tmp_path / "right", [], fast=True)
    report("60 times the clock, without faults", right)
    assert right["wrong"].max() == 0
    wrong = run(tmp_path / "wrong", FAST, fast=True)
    report("60 times the clock, with faults", wrong)
    off = {(signal, asset) for (_, signal, asset), share in wrong["wrong"].items() if share > 0}
    assert off == {("temperature", "R02"), ("temperature", "R04"), ("fuel", "T002")}
    # What was late came: outboxes and HistoryRead.
    assert wrong["coverage"].dropna().min() == right["coverage"].dropna().min() == 1


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_a_plant_at_the_speed_of_the_clock(tmp_path: Path) -> None:
    right = run(tmp_path / "right", [], fast=False)
    report("the clock's speed, without faults", right)
    assert right["wrong"].max() == 0
    wrong = run(tmp_path / "wrong", SLOW, fast=False)
    report("the clock's speed, with faults", wrong)
    off = {(signal, asset) for (_, signal, asset), share in wrong["wrong"].items() if share > 0}
    assert off == {("temperature", "R01"), ("temperature", "R03")}
    # Modbus keeps nothing: what its link lost is missing, that of OPC UA isn't.
    coverage = wrong["coverage"].xs("temperature", level="signal").droplevel("asset_type")
    assert (coverage[["R01", "R03", "R05"]] < 1).all()
    assert (coverage[["R02", "R04", "R06"]] == 1).all()
