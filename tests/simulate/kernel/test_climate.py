"""Temperatures in closed form, against a fine numerical integration and against each other."""

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate import Network, NetworkModel
from twinlab.simulate.network.climate import Climate

START = np.datetime64("2026-01-05T00:00:00", "ns")
HOUR = np.timedelta64(1, "h")
ROOM = {
    "ambient": "24 degC",
    "coldest": "-6 degC",
    "time_constant": "3 h",
    "switch_on": "6 degC",
    "switch_off": "3 degC",
    "door_time_constant": "1 h",
    "limit": "5 degC",
    "power": "3 kW",
    "rise_per_entity": "4 K",
}


def model(**changes) -> NetworkModel:
    return NetworkModel(
        Network(
            name="rooms",
            nodes={
                "cold": {"type": "cold_room", "servers": 2, "service": "20 min", "climate": {**ROOM, **changes}},
                "dock": {"type": "dock"},
            },
            links=[{"from": "cold", "to": "dock", "both_ways": True, "travel": "30 min"}],
            transporters={"truck": {"type": "truck", "route": ["cold", "dock"], "capacity": 9, "loading": "10 min"}},
            demand={"boxes": {"at": "cold", "interval": "17 min", "to": {"dock": 1}}},
        )
    )


def integrated(hours: int, room: dict, *, dt: float = 1.0) -> dict[str, float]:
    """The same room by small steps: busy servers and doors are those of the simple schedule above."""
    temperature, cooling = 3.0, 0
    area = on = above = 0.0
    highest = -np.inf
    wall, door = 1 / (3 * 3600), 1 / 3600
    for step in range(int(hours * 3600 / dt)):
        t = (step + 0.5) * dt
        # An entity comes each 17 minutes and is served for 20.
        busy = sum(1 for k in (int(t // 1020), int(t // 1020) - 1) if k >= 1 and k * 1020 <= t < k * 1020 + 1200)
        # A round: 10 minutes of loading, 30 of driving, no time to unload, 10 of loading there, 30 of driving.
        doors = 1 if t % 4800 < 600 else 0
        rate = (24 - temperature) * (wall + doors * door) + (busy * 4 - cooling * 30) * wall
        temperature += rate * dt
        if cooling and temperature <= 3:
            cooling = 0
        elif not cooling and temperature >= 6:
            cooling = 1
        area += temperature * dt
        on += cooling * dt
        above += max(temperature - 5, 0) * dt
        highest = max(highest, temperature)
    seconds = hours * 3600
    return {
        "temperature": area / seconds,
        "cooling": on / seconds,
        "spoilage": above / 3600,
        "temperature_max": highest,
    }


def test_the_closed_form_agrees_with_small_steps():
    one = model()
    results = one.advance(one.initial_state(start=START), until=START + 24 * HOUR, step=24 * HOUR).results
    for signal, value in integrated(24, ROOM).items():
        assert results[f"cold_room_{signal}"].item() == pytest.approx(value, rel=0.01), signal
    assert float(results["spoilage"]) == pytest.approx(results["cold_room_spoilage"].item(), rel=1e-5)
    assert results["cold_room_energy"].item() == pytest.approx(24 * 3 * results["cold_room_cooling"].item(), rel=1e-5)
    assert float(results["temperature_max"]) == pytest.approx(results["cold_room_temperature_max"].item(), rel=1e-5)
    assert "dock_temperature" not in results


def test_cells_of_any_width_add_up_and_a_resumed_run_is_bit_identical():
    one = model()
    state = one.initial_state(start=START)
    whole = one.advance(state, until=START + 12 * HOUR, step=12 * HOUR)
    parts = one.advance(state, until=START + 12 * HOUR, step=np.timedelta64(7, "m"))
    assert parts.state.identical(whole.state)
    assert float(parts.results["spoilage"]) == pytest.approx(float(whole.results["spoilage"]), rel=1e-9)
    assert float(parts.results["temperature_max"]) == pytest.approx(float(whole.results["temperature_max"]), rel=1e-12)
    first = one.advance(state, until=START + np.timedelta64(12345, "s"), step=HOUR)
    assert one.advance(first.state, until=START + 12 * HOUR, step=HOUR).state.identical(whole.state)


def test_a_start_state_has_temperatures_and_an_open_door():
    one = model()
    nodes = pd.DataFrame({"name": ["cold"], "temperature": [12.0], "door_closes": [START + HOUR]})
    warm = one.advance(one.state_from(START, nodes=nodes), until=START + HOUR, step=HOUR).results
    closed = nodes.drop(columns="door_closes")
    cooler = one.advance(one.state_from(START, nodes=closed), until=START + HOUR, step=HOUR).results
    assert warm["cold_room_temperature"].item() > cooler["cold_room_temperature"].item() + 1
    assert cooler["cold_room_cooling"].item() == pytest.approx(1)
    with pytest.raises(SchemaError, match="nodes, row 'dock', column 'name': the node 'dock' has no climate"):
        one.state_from(START, nodes=pd.DataFrame({"name": ["dock"], "temperature": [3.0]}))
    with pytest.raises(SchemaError, match="column 'temperature': expected a temperature in degC, got 'warm'"):
        one.state_from(START, nodes=pd.DataFrame({"name": ["cold"], "temperature": ["warm"]}))


def test_an_impossible_thermostat_is_refused():
    with pytest.raises(ValueError, match="`coldest` below `switch_off` below `switch_on` below `ambient`"):
        Climate(**{**ROOM, "switch_on": "2 degC"})
