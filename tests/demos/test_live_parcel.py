"""The live parcel network: a plant on six protocols, a historian, a twin; started and stopped together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from twinlab.demos.live import LiveParcel, live_demo
from twinlab.errors import SchemaError, SourceError
from twinlab.plant import ParcelSize

PATIENCE = 90.0


def test_a_twin_follows_a_plant_on_all_its_protocols(tmp_path: Path) -> None:
    with LiveParcel(tmp_path / "live") as live:
        twin = live.twin
        until = time.monotonic() + PATIENCE
        while not {"erp", "refrigeration", "warehouses"} <= {
            name for name, one in twin.live_status().sources.items() if one["stored"]
        }:
            assert time.monotonic() < until, str(twin.live_status())
            time.sleep(0.2)
        status = twin.live_status()
        assert set(status.sources) == {
            "dispatch",
            "erp",
            "halls",
            "refrigeration",
            "telematics",
            "trucks",
            "warehouses",
        }
        assert {one["state"] for one in status.sources.values()} == {"connected"}
        assert [text for one in status.sources.values() for text in one["findings"]] == []
        rooms = twin.history("cold_room").temperature.compute()
        assert rooms.sizes["asset"] == 6
        # Chilled and frozen rooms in °C, from devices that report tenths of °F and from servers that report °C.
        known = rooms.values[~np.isnan(rooms.values)]
        assert len(known) >= 3
        assert ((known > -30) & (known < 20)).all()
        assert np.datetime64("now") - rooms.time.values[-1] < np.timedelta64(15, "m")
        assert len(twin.assets("truck")) == 12
    assert not twin.live_status().running
    assert not (tmp_path / "live" / "plant" / "secrets").exists()


def test_the_demo_begins_with_the_past_of_its_plant(tmp_path: Path) -> None:
    with LiveParcel(tmp_path / "live", peers=("modbus",), past=True) as live:
        twin, now = live.twin, np.datetime64("now")
        rooms = twin.history("cold_room").temperature.compute()
        assert now - rooms.time.values[0] >= np.timedelta64(7, "D")
        assert now - rooms.time.values[-1] < np.timedelta64(15, "m")
        # Nearly all cells have a value: loggers miss some.
        assert float(rooms.notnull().mean()) > 0.9
        until = time.monotonic() + PATIENCE
        while not twin.live_status().sources["refrigeration"]["stored"]:
            assert time.monotonic() < until, str(twin.live_status())
            time.sleep(0.2)
        assert set(twin.freshness().loc["cold_room"]["state"]) == {"live"}


def test_a_plant_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"the plant of the live demo doesn't start: (?s:.*)there is no peer 'opc'.*opcua"
    ):
        LiveParcel(tmp_path / "live", ParcelSize.small(), peers=("opc",)).__enter__()


def test_only_the_parcel_network_runs_live() -> None:
    with pytest.raises(SchemaError, match="expected the demo 'parcel' with --live, got 'nyc'"), live_demo("nyc"):
        pass


def test_a_plant_is_not_ahead_of_the_clock(tmp_path: Path) -> None:
    for given in ({"begin": "2200-01-01"}, {"speed": 60}):
        with pytest.raises(SchemaError, match="expected a plant that begins before now if its speed isn't 1"):
            LiveParcel(tmp_path / "live", **given)  # type: ignore[arg-type]


def test_a_fast_twin_matches_its_plant_but_for_what_is_made_wrong(
    need: Callable[[str], Path | None], tmp_path: Path
) -> None:
    need("mosquitto")
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{kind: unit_swap, target: R04, signal: temperature}]\n")
    minutes = np.timedelta64(1, "m")
    with LiveParcel(
        tmp_path / "live", peers=("mqtt", "opcua"), begin="2026-03-25T19:00", speed=300, faults=faults
    ) as live:  # fmt: skip
        twin, until = live.twin, time.monotonic() + 2 * PATIENCE

        def wait(condition: Callable[[], object]) -> None:
            while not condition():
                assert time.monotonic() < until, str(twin.live_status())
                time.sleep(0.2)

        wait(lambda: len(twin.reader.watermarks()) == 2)
        begun = max(twin.reader.watermarks().values())
        for link in ("opcua", "trucks"):
            live.order("link_down", link, lasts="10min")
        stop = begun + 40 * minutes
        wait(lambda: min(twin.reader.watermarks().values()) > stop + 10 * minutes)
        served = [asset for kind in ("cold_room", "truck") for asset in twin.history(kind).asset.values.tolist()]
        span = {"start": begun + 5 * minutes, "stop": stop, "assets": served, "by_asset": True}
        # Outboxes send what is late once their gateways have connected again, the server's history is asked for the rest.
        wait(lambda: twin.fidelity(live.truth(), **span)["coverage"].min() == 1)
        found = twin.fidelity(live.truth(), **span)
    assert set(found.index.get_level_values("asset_type")) == {"cold_room", "truck"}
    assert found["latency_p50"].dropna().between(0, PATIENCE).all()
    off = [(signal, asset) for (_, signal, asset), share in found["wrong"].items() if share > 0]
    assert off == [("temperature", "R04")]
    right = found[found["wrong"] == 0]
    # All servers round to the twin's resolutions, or write all digits.
    assert (right["max"].fillna(0) <= right["tolerance"] / 2 * (1 + 1e-6)).all()


def test_gateways_sign_and_attacks_that_the_plant_makes_are_security_events(
    tmp_path: Path, need: Callable[[str], Path | None]
) -> None:
    need("mosquitto")
    with LiveParcel(tmp_path / "live", peers=("mqtt",)) as live:
        twin, until = live.twin, time.monotonic() + PATIENCE
        while not twin.gateways()["last_seen"].notna().any():
            assert time.monotonic() < until, str(twin.live_status())
            time.sleep(0.2)
        assert set(twin.gateways()["key_state"]) == {"1 valid"}
        live.order("spoofed_source", "T002")
        while "access_refused" not in set(twin.security_events()["rule"]):
            assert time.monotonic() < until + PATIENCE, "the broker's refusal wasn't seen"
            time.sleep(0.5)
        (event,) = twin.security_events().query("rule == 'access_refused'").to_dict("records")
        assert (event["subject"], "twinlab/T003/rows" in event["evidence"]) == ("T002", True)
        seen = twin.gateways().set_index("gateway")
        assert seen.loc[seen["last_seen"].notna(), "signed"].all()
        assert twin.quarantine().empty
