"""Faults of a run reach its peers, and the truth has them."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from twinlab.plant import ParcelSize, Plant
from twinlab.plant.faults.schedule import Schedule
from twinlab.plant.peers.modbus import ModbusUnits
from twinlab.plant.run.runner import run_plant

SIZE = ParcelSize(hubs=2, trucks=2, cold_rooms=2, forklifts=1, parcels_a_week=5, weeks=1, seed=2)
FAULTS = Schedule.model_validate({
    "faults": [
        {"kind": "link_down", "target": "modbus", "start": "2h", "lasts": "2h"},
        {"kind": "wrong_scaling", "target": "R01", "signal": "temperature", "lasts": "1h", "amount": 10},
    ]
})  # fmt: skip


def test_a_link_goes_down_and_up_and_a_sensor_is_wrong_as_the_truth_says(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    ending, listening = asyncio.Event(), asyncio.Event()
    answers: list[tuple[int, int, int | None]] = []
    addresses: dict[str, Any] = {}

    async def poll() -> None:
        await listening.wait()
        while plant.time < SIZE.span[0] + 5 * 3600:
            at = plant.time
            client = AsyncModbusTcpClient("127.0.0.1", port=addresses["modbus"]["port"], timeout=0.3, retries=0)
            try:
                await client.connect()
                found = (await client.read_holding_registers(0, count=1, device_id=1)).registers[0]
            except (ModbusException, AttributeError, OSError):
                found = None
            finally:
                client.close()
            answers.append((at - SIZE.span[0], plant.time - SIZE.span[0], found))
            await asyncio.sleep(0.02)
        ending.set()

    async def run() -> None:
        poller = asyncio.create_task(poll())
        await run_plant(
            plant, tmp_path, speed=3600, tick=0.1, peers=[ModbusUnits([0])], faults=FAULTS, stop=ending,
            ready=lambda found: (addresses.update(found), listening.set()),
        )  # fmt: skip
        await poller

    asyncio.run(run())

    def between(first: float, last: float) -> set[int | None]:
        """Return the answers to requests that were sent and answered within these hours."""
        return {found for sent, back, found in answers if first * 3600 < sent and back < last * 3600}

    # From the step after the fault's begin until the one after its end.
    assert between(2.3, 3.9) == {None}
    assert None not in between(0, 1.9)
    assert None not in between(4.4, 6)
    assert min(between(0.1, 0.9)) > 700  # tenths of °F of ten times 4 °C
    assert max(between(1.3, 1.9) | between(4.4, 6)) < 600
    with (tmp_path / "truth" / "faults.csv").open(newline="") as stream:
        recorded = [(row["time"], row["what"], row["kind"], row["asset"]) for row in csv.DictReader(stream)]
    assert ("2026-01-05T02:00:00Z", "begins", "link_down", "modbus") in recorded
    assert ("2026-01-05T04:00:00Z", "ends", "link_down", "modbus") in recorded
    assert ("2026-01-05T01:00:00Z", "ends", "wrong_scaling", "R01") in recorded
