"""Generated calls: each is answered by a result that fits its schema, or by an error that says what was expected."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema
import pytest

from tests.assistants.conftest import Asked
from tests.assistants.tools.calls import arguments_for
from twinlab.testing import FakeTwin


async def _all(client: Any, number: int) -> tuple[int, int]:
    """Return how many calls were answered, and how many refused; none fails in any other way."""
    tools = (await client.list_tools()).tools
    validators = {one.name: jsonschema.Draft202012Validator(one.output_schema) for one in tools}
    answered = refused = 0
    for seed in range(number):
        tool = tools[seed % len(tools)]
        arguments = arguments_for(tool.input_schema, seed)
        found = await client.call_tool(tool.name, arguments)
        text = found.content[0].text
        assert len(text) < 110_000
        if found.is_error:
            refused += 1
            # An error with a number is one that nobody has foreseen.
            assert "(error " not in text and "Traceback" not in text, (tool.name, arguments, text)
        else:
            answered += 1
            validators[tool.name].validate(found.structured_content)
            assert json.loads(text) == found.structured_content
        if seed % 50 == 0:
            await asyncio.sleep(0)
    return answered, refused


@pytest.fixture(scope="module")
def small() -> FakeTwin:
    return FakeTwin.example(days=1, trips=10)


def test_a_hundred_and_fifty_generated_calls_are_answered_or_explained(small: FakeTwin) -> None:
    answered, refused = Asked(small).run(lambda client: _all(client, 150))
    assert min(answered, refused) > 25


@pytest.mark.soak
def test_ten_thousand_generated_calls_are_answered_or_explained(small: FakeTwin) -> None:
    answered, refused = Asked(small).run(lambda client: _all(client, 10_000))
    assert answered + refused == 10_000
    assert min(answered, refused) > 2_000
