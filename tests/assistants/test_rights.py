"""A role that sees some assets: nothing of others is in any tool, resource or error."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.assistants.conftest import Asked
from twinlab.assistants import Callers
from twinlab.errors import SchemaError
from twinlab.testing import FakeTwin

#: Text that only assets beyond the dispatcher's have.
OTHERS = (
    "EAST",
    "WEST",
    "East quay",
    "West gate",
    "V[3-8]",
    "V0[0-9]",
    "V[1-4][0-9]",
    "cold_rooms?",
    "parcels?",
    "door_open",
    "R[0-9]+",
    "P[0-9]+",
)
DAY = {"start": "2026-01-01", "stop": "2026-01-03"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("ask", {"question": "How many stations are there?"}),
    ("ask", {"question": "Which stations are there?"}),
    ("ask", {"question": "How warm was it yesterday?"}),
    ("ask", {"question": "What needs attention?"}),
    ("ask", {"plan": {"question": "", "call": {"do": "assets", "on": "cold_roo", "measure": "list", "at": "2026-01-02"}}}),
    ("ask", {"plan": {"question": "", "call": {"do": "summary", "on": "station", "assets": ["EAS"], "signal": "temperature", "statistic": "mean", "span": DAY}}}),
    ("assets", {"asset_type": "station"}),
    ("assets", {"asset_type": "van"}),
    ("assets", {"asset_type": "cold_roo"}),
    ("history_summary", {"asset_type": "station", "signal": "temperature", **DAY}),
    ("history_summary", {"asset_type": "station", "signal": "temperature", "assets": ["EAS"], **DAY}),
    ("find", {"asset_type": "station", "condition": "temperature > 0 degC", **DAY}),
    ("find", {"asset_type": "station", "condition": "dor > 0", **DAY}),
    ("events", {"event_type": "trip", **DAY}),
    ("events", {"event_type": "trip", "measure": "count", "by": "origin", **DAY}),
    ("events", {"event_type": "delivry", **DAY}),
    ("where", {"asset": "van/V1"}),
    ("where", {"asset": "van/V0"}),
    ("where", {"asset": "station/EAS"}),
    ("exceptions", {}),
    ("exceptions", {"asset_type": "parce"}),
    ("quality", {"asset_type": "station", **DAY}),
    ("kpi", {"kpi": "x", **DAY}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_no_result_and_no_error_names_what_isnt_seen(dispatcher: Asked, name: str, arguments: dict[str, Any]) -> None:
    text = dispatcher.call(name, **arguments).content[0].text
    for other in OTHERS:
        assert not re.search(rf"\b{other}\b", text), text


def test_the_numbers_are_of_the_assets_that_are_seen(dispatcher: Asked, twin: FakeTwin) -> None:
    data = dispatcher.data("history_summary", asset_type="station", signal="temperature", **DAY)
    values = twin.history("station", signals=["temperature"], assets=["NORTH"], **DAY)
    good = values["temperature"].where(values["temperature_qc"] <= 3)
    assert data["value"] == pytest.approx(float(good.mean()))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("where", {"asset": "station/EAST"}),
        ("history_summary", {"asset_type": "station", "signal": "temperature", "assets": ["EAST"], **DAY}),
        ("quality", {"asset_type": "station", "assets": ["EAST"], **DAY}),
        ("assets", {"asset_type": "cold_room"}),
    ],
)
def test_what_isnt_seen_is_as_unknown_as_what_doesnt_exist(
    dispatcher: Asked, name: str, arguments: dict[str, Any]
) -> None:
    real = dispatcher.fault(name, **arguments)
    made_up = dispatcher.fault(name, **eval(repr(arguments).replace("EAST", "EASY").replace("cold_room", "cold_rook")))
    assert real.replace("EAST", "EASY").replace("cold_room", "cold_rook") == made_up


def test_resources_show_the_model_that_is_seen(dispatcher: Asked) -> None:
    for uri in ("twin://model", "twin://glossary"):
        text = dispatcher.run(lambda client, uri=uri: client.read_resource(uri)).contents[0].text
        assert "station" in text and "cold_room" not in text and "parcel" not in text


def test_a_role_has_the_tools_of_its_pages(guarded: FakeTwin) -> None:
    assert "forecast" not in Asked(guarded, roles=("dispatcher",)).tools()
    assert Asked(guarded, roles=("security",)).tools() == {}
    assert "ask" in Asked(guarded, roles=("planner",)).tools()


def test_a_role_that_the_policy_doesnt_name_is_refused_at_the_start(guarded: FakeTwin) -> None:
    with pytest.raises(SchemaError, match="did you mean 'dispatcher'"):
        Callers(guarded, as_roles=("dispatchr",))


def test_a_change_of_the_policy_counts_for_the_next_call(guarded: FakeTwin) -> None:
    asked = Asked(guarded, roles=("dispatcher",))
    path = guarded.folder / "access.yaml"  # type: ignore[attr-defined]
    text = path.read_text()

    async def ask(client: Any) -> list[list[str]]:
        seen = []
        for ids in ("[NORTH]", "[NORTH, WEST]"):
            path.write_text(text.replace("[NORTH]", ids))
            found = await client.call_tool("assets", {"asset_type": "station"})
            seen.append([row[0] for row in found.structured_content["table"]["rows"]])
        return seen

    try:
        assert asked.run(ask) == [["NORTH"], ["NORTH", "WEST"]]
    finally:
        path.write_text(text)


def test_personal_fields_are_not_shown_without_a_role_that_has_a_purpose(twin: FakeTwin) -> None:
    import copy

    model = copy.deepcopy(twin.model)
    model.asset_types["van"].properties["plate"].__dict__.update(sensitivity="personal", purposes=["dispatch"])
    private = FakeTwin(
        model, histories=twin._histories, events=twin._events, assets=twin._assets, relationships=twin._relationships
    )
    columns = [one["name"] for one in Asked(private).data("assets", asset_type="van")["table"]["columns"]]
    assert "capacity" in columns and "plate" not in columns
