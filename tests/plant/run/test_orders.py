"""Orders to a running plant: commands and faults, while it runs."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest

from twinlab.cli import main
from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.run.orders import send_order
from twinlab.plant.run.runner import run_plant
from twinlab.plant.run.truth import read_truth

SIZE = ParcelSize(hubs=2, trucks=2, cold_rooms=2, forklifts=1, parcels_a_week=5, weeks=1, seed=2)


def test_orders_are_carried_out_at_the_next_step_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = asyncio.Event()

    def order(_addresses: object) -> None:
        assert main(["plant", "order", str(tmp_path), "open_door", "R01"]) == 0
        assert main(["plant", "order", str(tmp_path), "slow_truck", "T001", "--amount", "0.5", "--lasts", "2h"]) == 0
        drift = ["drift", "R02", "--signal", "temperature", "--amount", "3", "--lasts", "1h"]
        assert main(["plant", "order", str(tmp_path), *drift]) == 0
        send_order(tmp_path, {"kind": "open_door", "target": "R07"})
        (tmp_path / "orders" / "0.json").write_text("no order")
        asyncio.get_running_loop().call_later(0.6, ending.set)

    asyncio.run(run_plant(Plant(SIZE), tmp_path, speed=36_000, tick=0.05, stop=ending, ready=order))
    assert "ordered open_door of R01" in capsys.readouterr().out
    with (tmp_path / "truth" / "commands.csv").open(newline="") as stream:
        commands = [(row["kind"], row["asset"], row["value"], row["seconds"]) for row in csv.DictReader(stream)]
    assert commands == [("open_door", "R01", "0.0", "0"), ("slow_truck", "T001", "0.5", "7200")]
    with (tmp_path / "truth" / "faults.csv").open(newline="") as stream:
        faults = [(row["what"], row["kind"], row["asset"]) for row in csv.DictReader(stream) if row["kind"] == "drift"]
    assert ("begins", "drift", "R02") in faults
    rooms = read_truth(tmp_path / "truth", "rooms").to_pandas()
    assert rooms.loc[rooms["room"] == "R01", "door"].all()
    refused = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(refused) == 2
    assert "there is no cold_room 'R07'" in "".join(refused)
    assert not list((tmp_path / "orders").iterdir())


def test_orders_that_are_not_valid_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"expected the folder of a running plant"):
        send_order(tmp_path, {"kind": "open_door", "target": "R01"})
    (tmp_path / "plant.json").write_text("{}")
    with pytest.raises(SchemaError, match="got 'open_dor'; did you mean 'open_door'"):
        send_order(tmp_path, {"kind": "open_dor", "target": "R01"})
    with pytest.raises(SchemaError, match=r"order: faults\.0: drift: expected an amount"):
        send_order(tmp_path, {"kind": "drift", "target": "R01", "signal": "temperature"})
    with pytest.raises(SchemaError, match=r"order slow_truck: expected a duration such as"):
        send_order(tmp_path, {"kind": "slow_truck", "target": "T001", "amount": 0.5, "lasts": "long"})
    with pytest.raises(CommandRejectedError, match="expected no duration"):
        send_order(tmp_path, {"kind": "open_door", "target": "R01", "lasts": "1h"})
    with pytest.raises(CommandRejectedError, match="expected no signal"):
        send_order(tmp_path, {"kind": "open_door", "target": "R01", "signal": "temperature"})
    assert not (tmp_path / "orders").exists()
