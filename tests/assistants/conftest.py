"""A small twin, and clients of the SDK that ask it in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from twinlab.assistants import Callers, Limits, mcp_server
from twinlab.testing import FakeTwin

#: A dispatcher sees one station and two vans; security opens no page.
POLICY = """
roles:
  dispatcher: {pages: [now, map, history], assets: [{type: station, ids: [NORTH]}, {type: van, ids: [V1, V2]}]}
  security: {pages: []}
  planner: {pages: [what_if, outlook]}
"""


@pytest.fixture(scope="session")
def twin(need: Callable[[str], Path | None]) -> FakeTwin:
    """Return a twin of three stations over two days."""
    need("mcp")
    return FakeTwin.example(days=2, trips=20)


@pytest.fixture(scope="session")
def guarded(twin: FakeTwin, tmp_path_factory: pytest.TempPathFactory) -> FakeTwin:
    """Return the twin with a policy."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "access.yaml").write_text(POLICY, encoding="utf-8")
    made = FakeTwin(
        twin.model,
        histories=twin._histories,
        events=twin._events,
        assets=twin._assets,
        relationships=twin._relationships,
    )
    made.folder = folder  # type: ignore[attr-defined]
    return made


class Asked:
    """Asks a server through the SDK's client, one connection for each test."""

    def __init__(
        self, twin: Any, *, roles: tuple[str, ...] | None = None, proposals: bool = False, **limits: Any
    ) -> None:
        self.callers = Callers(twin, as_roles=roles)
        self.proposals, self.limits = proposals, Limits(**limits)

    def run(self, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return what a function of a connected client returns."""
        from mcp import Client

        async def connected() -> Any:
            server = mcp_server(self.callers, proposals=self.proposals, limits=self.limits)
            async with Client(server) as client:
                # Raised inside, an error comes out in a group.
                try:
                    return await ask(client)
                except Exception as error:  # noqa: BLE001
                    return error

        found = asyncio.run(connected())
        if isinstance(found, Exception):
            raise found
        return found

    def call(self, name: str, **arguments: Any) -> Any:
        """Return the result of a tool."""
        return self.run(lambda client: client.call_tool(name, arguments))

    def data(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return the data of a result, which isn't an error."""
        found = self.call(name, **arguments)
        assert not found.is_error, found.content[0].text
        return dict(found.structured_content)

    def fault(self, name: str, **arguments: Any) -> str:
        """Return the text of an error."""
        found = self.call(name, **arguments)
        assert found.is_error, found.structured_content
        return str(found.content[0].text)

    def tools(self) -> dict[str, Any]:
        """Return the tools that are offered."""
        return {one.name: one for one in self.run(lambda client: client.list_tools()).tools}


@pytest.fixture
def asked(twin: FakeTwin) -> Asked:
    """Return a client of the local user."""
    return Asked(twin)


@pytest.fixture
def dispatcher(guarded: FakeTwin) -> Asked:
    """Return a client that sees one station."""
    return Asked(guarded, roles=("dispatcher",))
