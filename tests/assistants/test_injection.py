"""Two hundred hostile texts in names, notes, fields of events, questions and arguments: nothing obeys them, whatever shows them."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.assistants.conftest import Asked
from tests.hostile_texts import HOSTILE
from twinlab.ask import Plan, ask
from twinlab.ask.plans.code import python_code
from twinlab.assistants.results.texts import visible_text
from twinlab.assistants.tools.listing import TOOLS
from twinlab.cli.assistant.ask import _shown
from twinlab.model.load import parse_model
from twinlab.testing import FakeTwin

MODEL = """
twin: hostile
origin: 2026-01-01
asset_types:
  room:
    label: note
    properties: {note: {}}
    signals: {temperature: {kind: gauge, unit: degC, resolution: 0.1, cadence: 1h, sensor_span: [-40, 60]}}
event_types:
  visit: {asset: room, properties: {comment: {}}}
rules: {hot: {on: room, title: too hot, when: temperature > 8 degC, severity: high}}
"""
#: The longest are as long as an id may be; an empty one isn't an id.
NAMES = list(dict.fromkeys(one[:200] for one in HOSTILE if one.strip()))
#: What only a reader of everything sees.
SECRET = "ROOM-OF-OTHERS"


@pytest.fixture(scope="module")
def hostile() -> FakeTwin:
    names = [*NAMES, SECRET]
    times = pd.date_range("2026-01-01", periods=24, freq="1h").astype("datetime64[ns]")
    values = np.full((24, len(names)), 9.0)
    history = xr.Dataset(
        {"temperature": (("time", "asset"), values)}, coords={"time": times, "asset": np.array(names, object)}
    )
    assets = pd.DataFrame({"note": names}, index=pd.Index(names, name="asset", dtype=object))
    events = pd.DataFrame({
        "event_id": [f"visit/{place}" for place in range(len(names))], "type": "visit", "asset": names, "start": times[3], "end": times[4],
        "planned_start": times[3], "planned_end": times[4], "comment": names,
    })  # fmt: skip
    return FakeTwin(parse_model(MODEL), histories={"room": history}, assets={"room": assets}, events={"visit": events})


class Tags(HTMLParser):
    """Collects elements that would run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "img", "svg", "object", "video", "math", "a", "body") or any(
            name.startswith("on") for name, _ in attrs
        ):
            self.found.append(tag)


def invisible(text: str) -> list[str]:
    return [one for one in text if one != "\n" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for one in data.items() if isinstance(data, dict) else data:
            yield from strings(list(one) if isinstance(one, tuple) else one)


def test_there_are_two_hundred_different_ones() -> None:
    assert len(set(HOSTILE)) >= 200


def test_names_notes_and_fields_of_events_are_data_in_every_result(hostile: FakeTwin) -> None:
    async def all_(client: Any) -> list[Any]:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("assets", {"asset_type": "room", "limit": 200}), ("assets", {"asset_type": "room", "limit": 200, "offset": 200}),
            ("events", {"event_type": "visit", "limit": 200}), ("history_summary", {"asset_type": "room", "signal": "temperature", "limit": 200}),
            ("find", {"asset_type": "room", "condition": "temperature > 8 degC", "limit": 200}), ("exceptions", {"limit": 200}),
            ("quality", {"asset_type": "room", "limit": 200}), ("ask", {"question": "Which rooms were warmer than 8 degC?", "limit": 200}),
        ]  # fmt: skip
        found = [await client.call_tool(*one) for one in calls]
        return [*found, *[await client.read_resource(uri) for uri in ("twin://model", "twin://glossary")]]

    *results, model, glossary = Asked(hostile).run(all_)
    for found in results:
        assert not found.is_error, found.content[0].text
        text = found.content[0].text
        assert invisible(text) == [] and not set(text) & set("<>&")
        assert json.loads(text) == found.structured_content
        assert [one for one in strings(found.structured_content) if invisible(one)] == []
        assert len(text.encode()) <= 110_000
    listed = [row[0] for found in results[:2] for row in found.structured_content["table"]["rows"]]
    assert listed == [visible_text(one) for one in hostile.assets("room").index]
    for found in (model, glossary):
        assert invisible(found.contents[0].text) == [] and "<script" not in found.contents[0].text


def test_a_name_that_is_shown_can_be_passed_back(hostile: FakeTwin) -> None:
    names = NAMES[:: max(1, len(NAMES) // 40)]

    async def each(client: Any) -> list[Any]:
        ask_ = [{"asset_type": "room", "signal": "temperature", "assets": [visible_text(one)]} for one in names]
        return [await client.call_tool("history_summary", one) for one in ask_]

    for name, found in zip(names, Asked(hostile).run(each), strict=True):
        assert not found.is_error, (name, found.content[0].text)
        assert found.structured_content["table"]["rows"][0][0] == visible_text(name)


def test_arguments_are_names_or_refused_and_nothing_of_others_is_named(hostile: FakeTwin) -> None:
    some = FakeTwin(hostile.model, histories=hostile._histories, assets=hostile._assets, events=hostile._events)
    some.rights_text = "x"  # type: ignore[attr-defined]
    # Each text once, in turn in another argument of another tool.
    places: list[tuple[str, dict[str, Any], str]] = [
        ("assets", {}, "asset_type"), ("history_summary", {"asset_type": "room"}, "signal"), ("find", {"asset_type": "room"}, "condition"),
        ("events", {"event_type": "visit"}, "condition"), ("where", {}, "asset"), ("quality", {"asset_type": "room"}, "start"),
        ("exceptions", {}, "asset_type"), ("kpi", {}, "kpi"), ("events", {"event_type": "visit", "measure": "count"}, "by"), ("ask", {}, "question"),
        ("why", {}, "what"), ("propose_command", {"asset": "room/x", "value": 1, "reason": "a reason"}, "parameter"),
    ]  # fmt: skip

    async def each(client: Any) -> list[Any]:
        from mcp.shared.exceptions import MCPError

        found = []
        for number, text in enumerate(HOSTILE):
            name, given, place = places[number % len(places)]
            try:
                found.append(await client.call_tool(name, {**given, place: text.encode("utf-8", "replace").decode()}))
            except MCPError as error:
                assert "there is no tool" in str(error), error
        return found

    found = Asked(hostile, proposals=True).run(each)
    assert len(found) > 150
    for one in found:
        text = one.content[0].text
        assert invisible(text) == []
        assert "(error " not in text, text
        assert len(text) < 110_000


def test_no_plan_reaches_further_than_reading_what_the_reader_sees(hostile: FakeTwin) -> None:
    for text in HOSTILE:
        answer = ask(hostile, text[:300])
        if answer.plan is not None:
            assert answer.plan.call.do in ("summary", "find", "rule", "events", "kpi", "where", "assets", "attention")
        # What is written beside the answer in a notebook runs nothing.
        tags = Tags()
        tags.feed(answer._repr_html_())
        assert tags.found == []


def test_copied_code_is_three_statements_whatever_the_question_says() -> None:
    for text in HOSTILE:
        call = {
            "do": "find",
            "on": "room",
            "condition": text[:1_000],
            "span": {"start": "2026-01-01", "stop": "2026-01-02"},
            "assets": [text[:1_000]],
        }
        code = python_code(Plan.model_validate({"question": text[:2_000], "call": call}))
        body = ast.parse(code.encode("utf-8", "surrogatepass").decode("utf-8", "replace")).body
        assert [type(one).__name__ for one in body] == ["Import", "ImportFrom", "Assign", "Assign"]
        names = {
            one.func.attr
            for one in ast.walk(ast.parse(code))
            if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
        }
        assert names == {"find", "ask", "model_validate_json"}


def test_a_terminal_is_not_controlled_by_names(hostile: FakeTwin) -> None:
    answer = ask(hostile, "Which rooms were warmer than 8 degC?")
    assert answer.answered
    assert invisible(_shown(str(answer)) + _shown(answer.table.to_string())) == []
    for text in HOSTILE:
        assert invisible(_shown(text)) == []


def test_only_a_proposal_writes_and_no_tool_approves_signs_or_sends() -> None:
    assert [tool.name for tool in TOOLS if tool.writes] == ["propose_command"]
    assert not [tool.name for tool in TOOLS if re.search("approve|sign|send|stop|write|delete|run", tool.name)]
