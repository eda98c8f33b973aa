"""How long commands take over the real protocols, from the bytes sent to the verified answer; beside a bare round trip of each.

Run with ``pytest -m benchmark -n0 -s tests/benchmarks/test_carriers_bench.py``; the folder of the temporary files must be on a disk.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.commanded_plant import CommandedPlant

pytestmark = pytest.mark.benchmark

WAYS = {
    "mqtt": ("forklift/F01", "max_speed"), "opcua": ("cold_room/R02", "set_point"), "modbus": ("cold_room/R01", "set_point")
}  # fmt: skip
#: Answered, refused and recorded: no command.
BARE = b"{}"


def milliseconds(work: Callable[[], object], count: int = 21) -> tuple[float, float]:
    """Return median and maximum."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - began))
        # Within the rate of a device.
        time.sleep(0.5)
    return round(statistics.median(found), 1), round(max(found), 1)


def test_commands_over_the_real_protocols(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    need("mosquitto")
    found: dict[str, dict[str, tuple[float, float]]] = {}
    with CommandedPlant(tmp_path, ("forklifts", "modbus", "opcua")) as plant:
        for way, (target, parameter) in WAYS.items():
            plant.endpoints.read(target, parameter)

            def send(wire: bytes, target: str = target) -> None:
                plant.endpoints.send(wire, target=target, timeout=8)

            steps = iter([-0.5, 0.5] * 100)

            def change(target: str = target, parameter: str = parameter, steps: object = steps) -> None:
                value = round(plant.value(target) + next(steps), 1)  # type: ignore[call-overload]
                for operation in ("select", "operate"):
                    send(plant.wire(target, parameter, value, operation), target)

            changes = plant.changes
            found[way] = {
                "bare": milliseconds(lambda: send(BARE)),
                "select and operate": milliseconds(change),
                "stop": milliseconds(lambda: send(plant.stop_wire(target, parameter))),  # noqa: B023  (called at once)
            }
            assert plant.changes == changes + 42
    text = json.dumps(found, indent=1)
    sys.stdout.write(f"\n(median, most) of 21, ms: {text}\n")
    if "TWINLAB_BENCH_OUT" in os.environ:
        Path(os.environ["TWINLAB_BENCH_OUT"]).write_text(text)
