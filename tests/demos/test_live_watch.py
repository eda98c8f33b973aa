"""What is usual of a plant that runs is learnt from its past: rooms are watched, trucks get a model for their gateways."""

from pathlib import Path

import numpy as np
import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.demos.live_watch import watch_usual

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=3, forklifts=2, parcels_a_week=20, weeks=2, seed=3)


def test_rooms_are_watched_and_gateways_get_a_whole_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLAB_CACHE", str(tmp_path))
    twin = tl.demo("parcel", size=SIZE)
    gateways = tmp_path / "mqtt"
    watch_usual(twin, gateways)
    assert set(twin.anomaly_events.watched()) == {"cold_room"}
    assert not gateways.exists()
    gateways.mkdir()
    watch_usual(twin, gateways)
    with np.load(gateways / "truck.npz") as arrays:
        assert arrays["signals"].tolist() == ["speed", "fuel"]
        assert set(arrays["assets"]) == set(twin.assets("truck").index)
    assert not (gateways / "draft.npz").exists()
    twin.close()
