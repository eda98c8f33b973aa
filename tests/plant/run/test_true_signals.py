"""The truth of a run in the words of a twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SourceError
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.run.true_signals import true_signals
from twinlab.plant.run.truth import Truth

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=3, forklifts=2, parcels_a_week=30, weeks=1, seed=5)


def test_the_truth_has_a_table_for_each_asset_type(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    before = pd.Timestamp.now("UTC").tz_localize(None)
    with Truth(tmp_path / "truth") as truth:
        step = plant.advance(plant.time + 3600)
        truth.record(plant, step)
    found = true_signals(tmp_path)
    assert list(found) == ["cold_room", "forklift", "truck"]
    rooms = found["cold_room"]
    assert list(rooms) == ["time", "asset", "temperature", "door", "compressor", "recorded"]
    assert rooms["asset"].unique().tolist() == ["R01", "R02", "R03"]
    assert np.array_equal(rooms.loc[rooms["asset"] == "R02", "temperature"], step.rooms.temperature[:, 1])
    assert np.array_equal(rooms.loc[rooms["asset"] == "R02", "door"], step.rooms.door[:, 1])
    assert rooms["time"].iloc[0] == pd.Timestamp(SIZE.span[0], unit="s")
    assert rooms["recorded"].between(before.floor("us"), pd.Timestamp.now("UTC").tz_localize(None)).all()
    assert rooms.attrs["units"] == {"temperature": "degC"}
    assert found["truck"].attrs["units"]["fuel"] == "L"
    # The folder of the truth itself will do, too.
    assert true_signals(tmp_path / "truth")["forklift"].equals(found["forklift"])


def test_a_folder_without_truth_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"expected the folder of a run of `twinlab plant run`, with truth/rooms.arrows"
    ):
        true_signals(tmp_path)
