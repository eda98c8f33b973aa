"""What clients of the SDK get: schemas, results, errors, limits, cancelled calls, two clients at once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import jsonschema
import pytest

from tests.assistants.conftest import Asked
from twinlab.assistants import Callers, Limits, mcp_server
from twinlab.assistants.tools.listing import TOOLS
from twinlab.errors import CorruptionError, SchemaError
from twinlab.testing import FakeTwin

READ = {"ask", "assets", "history_summary", "find", "events", "kpi", "where", "exceptions", "quality"}
DAY = {"start": "2026-01-01", "stop": "2026-01-02"}


class Slow(FakeTwin):
    """A twin whose tables take as long as a test says, and which counts who reads."""

    seconds = 0.0
    raises: Exception | None = None

    def __init__(self, twin: FakeTwin) -> None:
        parts = {name: getattr(twin, f"_{name}") for name in ("histories", "events", "assets", "relationships")}
        super().__init__(twin.model, **parts)
        self.go, self.reads = threading.Event(), 0

    def events(self, event_type: str, **options: Any) -> Any:
        self.reads += 1
        if self.raises is not None:
            raise self.raises
        if self.seconds:
            self.go.wait(self.seconds)
        return super().events(event_type, **options)


def test_every_tool_has_schemas_that_are_valid_and_described(asked: Asked) -> None:
    tools = asked.tools()
    assert set(tools) == READ
    for tool in TOOLS:
        for schema in (tool.arguments.model_json_schema(), tool.result.model_json_schema(mode="serialization")):
            jsonschema.Draft202012Validator.check_schema(schema)
        fields = tool.arguments.model_json_schema()["properties"]
        assert all(one.get("description") for one in fields.values()), tool.name
        assert tool.arguments.model_json_schema()["additionalProperties"] is False
    for tool in tools.values():
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.title and tool.description


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ask", {"question": "How many stations are there?"}),
        ("ask", {"question": "how many unicorns sing?"}),
        ("ask", {"question": "How many stations are there?", "run": False}),
        ("assets", {"asset_type": "van", "limit": 3, "offset": 2}),
        ("history_summary", {"asset_type": "station", "signal": "temperature", **DAY}),
        ("find", {"asset_type": "station", "condition": "temperature > 8 degC", "lasting": "10min", **DAY}),
        ("events", {"event_type": "trip", "measure": "mean", "column": "end_delay", "by": "asset", **DAY}),
        ("where", {"asset": "van/V1"}),
        ("exceptions", {"asset_type": "van"}),
        ("quality", {"asset_type": "station", "signals": ["temperature"], **DAY}),
    ],
)
def test_results_have_the_schema_that_was_announced(asked: Asked, name: str, arguments: dict[str, Any]) -> None:
    # The SDK's client checks it, too.
    found = asked.call(name, **arguments)
    assert not found.is_error
    schema = asked.tools()[name].output_schema
    jsonschema.validate(found.structured_content, schema)
    assert json.loads(found.content[0].text) == found.structured_content


def test_numbers_are_those_of_the_twin_with_unit_span_coverage_and_freshness(asked: Asked, twin: FakeTwin) -> None:
    data = asked.data("history_summary", asset_type="station", signal="temperature", **DAY)
    values = twin.history("station", signals=["temperature"], **DAY)
    good = values["temperature"].where(values["temperature_qc"] <= 3)
    assert data["value"] == pytest.approx(float(good.mean()))
    assert data["unit"] == "degC"
    assert data["span"] == {"start": "2026-01-01T00:00:00Z", "stop": "2026-01-02T00:00:00Z"}
    assert data["data_until"] == "2026-01-01T23:59:00Z"
    assert data["coverage"] == pytest.approx(float(good.notnull().mean()))
    units = {one["name"]: one["unit"] for one in data["table"]["columns"]}
    assert (units["mean"], units["coverage"]) == ("degC", "1")


def test_flags_are_counted_as_the_history_has_them(asked: Asked, twin: FakeTwin) -> None:
    data = asked.data("quality", asset_type="station", signals=["temperature"], **DAY)
    flags = twin.history("station", signals=["temperature"], **DAY)["temperature_qc"]
    names = [one["name"] for one in data["table"]["columns"]]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in data["table"]["rows"]}
    for asset in flags["asset"].values:
        assert rows[asset]["pass"] == int((flags.sel(asset=asset) == 1).sum())
        assert rows[asset]["missing"] == int((flags.sel(asset=asset) == 9).sum())


def test_a_plan_can_be_shown_first_and_run_then(asked: Asked) -> None:
    question = "Which stations were warmer than 8 degC on 2026-01-01?"
    shown = asked.data("ask", question=question, run=False)
    assert (shown["ran"], shown["table"], shown["plan"]["call"]["do"]) == (False, None, "find")
    ran = asked.data("ask", plan=shown["plan"])
    assert ran == asked.data("ask", question=question)
    assert ran["ran"] and ran["table"]["rows"] and "twin.find(" in ran["code"]


def test_what_isnt_understood_is_a_result_with_nearest_questions(asked: Asked) -> None:
    for run in (True, False):
        data = asked.data("ask", question="which stations were purple?", run=run)
        assert not data["known"] and "purple" in data["says"] and data["suggestions"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("assets", {"asset_type": "statio"}, "did you mean 'station'"),
        ("assets", {}, "asset_type: Field required"),
        ("assets", {"asset_type": "station", "path": "/etc"}, "path: there is no such argument"),
        ("assets", {"asset_type": "station", "limit": 10_000}, "limit: Input should be less than or equal to 200"),
        ("history_summary", {"asset_type": "station", "signal": "x"}, "no signal 'x' that you may see"),
        ("history_summary", {"asset_type": "station", "signal": "temperature", "start": "yesterday"}, "an instant such as"),
        ("history_summary", {"asset_type": "station", "signal": "temperature", "start": "2026-02-01", "stop": "2026-01-01"},
         "a start before the stop"),
        ("find", {"asset_type": "station", "condition": "temperature >"}, "temperature >"),
        ("events", {"event_type": "trip", "measure": "mean"}, "expected `column`"),
        ("where", {"asset": "V1"}, "expected an asset as TYPE/ID"),
        ("where", {"asset": "van/V1x"}, "no van 'V1x' that you may see"),
        ("ask", {}, "either `question` or `plan`"),
        ("ask", {"plan": {"question": "", "call": {"do": "delete"}}}, "plan.call"),
    ],
)  # fmt: skip
def test_errors_say_what_was_expected(asked: Asked, name: str, arguments: dict[str, Any], said: str) -> None:
    text = asked.fault(name, **arguments)
    assert said in text
    assert "Traceback" not in text and "\n" not in text


def test_a_tool_that_there_is_not_is_an_error_of_the_protocol(asked: Asked) -> None:
    from mcp.shared.exceptions import MCPError

    with pytest.raises(MCPError, match="there is no tool 'delete'"):
        asked.call("delete")
    for uri in ("twin://nothing", "twin://notebooks/../../../etc/passwd", "file:///etc/passwd"):
        with pytest.raises(MCPError, match="there is no resource"):
            asked.run(lambda client, uri=uri: client.read_resource(uri))


def test_other_errors_have_a_number_and_their_cause_is_only_in_the_log(
    twin: FakeTwin, caplog: pytest.LogCaptureFixture
) -> None:
    slow = Slow(twin)
    for error in (CorruptionError("/srv/secret/history is broken"), RuntimeError("/srv/secret/x: token=abc")):
        slow.raises = error
        text = Asked(slow).fault("events", event_type="trip", **DAY)
        assert "error " in text and "secret" not in text and "token" not in text
        number = text.split("error ")[1].split(")")[0].split(";")[0]
        assert any(number in one.message for one in caplog.records)
    slow.raises = SchemaError("expected a file in /srv/secret/twin/mapping, got nothing")
    assert Asked(slow).fault("events", event_type="trip", **DAY) == "expected a file in mapping, got nothing"


def test_rows_are_cut_and_the_result_says_how_to_get_the_rest(twin: FakeTwin) -> None:
    data = Asked(twin, rows=5).data("assets", asset_type="parcel")
    assert len(data["table"]["rows"]) == 5
    assert data["cut"] == [
        f"rows 0 to 5 of {data['table']['total']} are shown; ask with offset=5 for the next, or narrow the question"
    ]
    after = Asked(twin, rows=5).data("assets", asset_type="parcel", offset=5)
    assert after["table"]["rows"] != data["table"]["rows"]
    assert after["table"]["first"] == 5


def test_bytes_are_bounded(twin: FakeTwin) -> None:
    found = Asked(twin, bytes=2_000).call("assets", asset_type="parcel", limit=200)
    assert len(found.content[0].text.encode()) <= 2_500
    assert 0 < len(found.structured_content["table"]["rows"]) < 50
    assert found.structured_content["cut"]


def test_questions_about_too_many_cells_are_refused_before_they_are_read(twin: FakeTwin) -> None:
    text = Asked(twin, cells=1000).fault("history_summary", asset_type="station", signal="temperature", **DAY)
    assert "at most 1,000 cells, got 4,320" in text


def test_a_call_that_takes_too_long_is_given_up(twin: FakeTwin) -> None:
    slow = Slow(twin)
    slow.seconds = 5.0
    began = time.monotonic()
    text = Asked(slow, seconds=1.0).fault("events", event_type="trip", **DAY)
    assert "longer than 1 s" in text
    assert time.monotonic() - began < 4
    slow.go.set()


def test_a_call_that_its_client_cancels_ends_and_others_go_on(twin: FakeTwin) -> None:
    slow = Slow(twin)
    slow.seconds = 5.0

    async def ask(client: Any) -> Any:
        first = asyncio.create_task(client.call_tool("events", {"event_type": "trip", **DAY}))
        while not slow.reads:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await client.call_tool("assets", {"asset_type": "station"})

    began = time.monotonic()
    assert not Asked(slow).run(ask).is_error
    assert time.monotonic() - began < 4
    slow.go.set()


def test_more_calls_than_may_wait_are_refused(twin: FakeTwin) -> None:
    slow = Slow(twin)
    slow.seconds = 10.0

    async def ask(client: Any) -> list[str]:
        calls = [asyncio.create_task(client.call_tool("events", {"event_type": "trip", **DAY})) for _ in range(5)]
        while not any(one.done() for one in calls):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        slow.go.set()
        return [
            one.content[0].text if hasattr(one, "content") else str(one)
            for one in await asyncio.gather(*calls, return_exceptions=True)
        ]

    said = Asked(slow, at_once=1, waiting=2).run(ask)
    assert sum("calls are waiting" in one for one in said) >= 1
    assert sum("calls are waiting" not in one for one in said) >= 1


def test_two_clients_at_once_have_their_own_rights(guarded: FakeTwin) -> None:
    from mcp import Client

    async def both() -> tuple[list[Any], list[Any]]:
        servers = [mcp_server(Callers(guarded, as_roles=roles), limits=Limits()) for roles in (None, ("dispatcher",))]
        async with Client(servers[0]) as all_, Client(servers[1]) as some:
            calls = [one.call_tool("assets", {"asset_type": "station"}) for _ in range(6) for one in (all_, some)]
            found = await asyncio.gather(*calls)
        seen = [[row[0] for row in one.structured_content["table"]["rows"]] for one in found]
        return seen[::2], seen[1::2]

    whole, part = asyncio.run(both())
    assert whole == [["EAST", "NORTH", "WEST"]] * 6
    assert part == [["NORTH"]] * 6
