"""Commands of twin.yaml: what they state, and what is refused, all faults at once."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from twinlab.demos.overlays import overlaid
from twinlab.errors import TwinlabError
from twinlab.model import dump_model, parse_model
from twinlab.model.yamltext import write_yaml

_HERE = Path(str(files("twinlab.demos"))) / "parcel"


def _text(**changes: object) -> str:
    data = overlaid(_HERE / "twin.yaml", _HERE / "control" / "twin.yaml")
    data["commands"]["forklift"]["max_speed"] |= changes
    return write_yaml(data)


def test_the_demo_states_what_may_be_set_of_a_running_plant() -> None:
    model = parse_model(_text())
    spec = model.commands["forklift"]["max_speed"]
    assert (spec.signal, spec.unit, spec.limits, spec.largest_step) == ("max_speed", "km/h", (0, 12), 6)
    assert [one.kind for one in spec.simulate_with] == ["queue", "stopping"]
    assert (spec.people, spec.timeout_s, spec.fresh_ns) == (1, 5.0, 180 * 10**9)
    assert parse_model(dump_model(model)) == model


def test_a_model_without_commands_can_send_nothing() -> None:
    assert parse_model((_HERE / "twin.yaml").read_text(encoding="utf-8")).commands == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limits": [12, 2]}, "limits with the least setpoint first"),
        ({"limits": [2, float("inf")]}, "finite"),
        ({"fail_safe": 20}, "fail_safe within the limits"),
        ({"largest_step": 0}, "greater than 0"),
        ({"largest_step": 13}, "at most 12 km/h, the width"),
        ({"people": 0}, "greater than or equal to 1"),
        ({"roles": []}, "roles"),
        ({"roles": ["driver"]}, "driver"),
        ({"simulate_with": []}, "simulate_with"),
        ({"unit": "degC"}, "expected a signal in a unit that converts to 'degC'"),
        ({"signal": "max_sped"}, "did you mean 'max_speed'"),
        ({"watched": ["mod"]}, "watched[0]: 'forklift' has no signal 'mod'"),
        ({"interlocks": ["batery > 10 %"]}, "batery"),
        ({"interlocks": ["mean(battery) over 1 h > 10 %"]}, "present values"),
        ({"speed": 3}, "unknown key 'speed'"),
        ({"simulate_with": [{"kind": "magic"}]}, "magic"),
        ({"simulate_with": [{"kind": "stopping", "distance": "battery"}]}, "converts to 'm'"),
        (
            {"simulate_with": [{"kind": "trip", "trips": "trip", "legs": "leg"}]},
            "expected a parameter that is a share",
        ),
    ],
)  # fmt: skip
def test_a_command_that_does_not_fit_is_refused_with_its_place(changes: dict[str, object], said: str) -> None:
    with pytest.raises(TwinlabError) as caught:
        parse_model(_text(**changes))
    assert "commands.forklift.max_speed" in str(caught.value)
    assert said in str(caught.value)


def test_all_faults_are_reported_at_once_each_with_its_line() -> None:
    text = _text(signal="max_sped", interlocks=["batery > 10 %"], watched=["mod"])
    with pytest.raises(TwinlabError) as caught:
        parse_model(text)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    rows = text.splitlines()
    for line in lines:
        wanted = line.split("'")[3 if "has no signal" in line else 1]
        assert wanted in rows[int(line.split(":")[1]) - 1], line


def test_a_change_of_commands_rebuilds_no_history() -> None:
    from twinlab.history.build.mapping_context import content_hash

    assert content_hash(parse_model(_text())) == content_hash(parse_model(_text(people=2)))
