"""Two processes that share a client's name take turns; an emergency stop doesn't wait for long."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import subprocess
import sys
import time

import pytest

from twinlab.control.carriers.turns import STOP_WAITS, Turns, is_stop
from twinlab.errors import SourceError

OTHER = """
import asyncio, sys
from twinlab.control.carriers.turns import Turns
async def main():
    async with Turns(sys.argv[1]).taken(5):
        print("taken", flush=True)
        sys.stdin.readline()
asyncio.run(main())
"""


@pytest.fixture
def name() -> str:
    return f"control at test-{secrets.token_hex(8)}"


def test_requests_of_one_process_share_its_turn(name: str) -> None:
    async def main() -> None:
        turns = Turns(name)
        async with turns.taken(1), turns.taken(0), turns.taken(0, stop=True):
            pass
        assert turns._lock is None
        async with turns.taken(0):
            pass

    asyncio.run(main())


def test_another_process_waits_and_a_stop_goes_ahead(name: str) -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline().strip() == b"taken"

        async def main() -> float:
            turns = Turns(name)
            with pytest.raises(SourceError, match="nothing was sent"):
                async with turns.taken(0.05):
                    pass
            began = time.monotonic()
            async with turns.taken(5, stop=True):
                took = time.monotonic() - began
            assert other.stdin is not None
            other.stdin.write(b"\n")
            other.stdin.flush()
            # The other has ended its request: the turn is free.
            async with turns.taken(10):
                pass
            return took

        assert STOP_WAITS <= asyncio.run(main()) < 1


@pytest.mark.parametrize(("operation", "stop"), [("stop", True), ("operate", False)])
def test_a_stop_is_known_by_its_operation(operation: str, stop: bool) -> None:
    payload = base64.b64encode(json.dumps({"operation": operation}).encode()).decode()
    assert is_stop(json.dumps({"payload": payload}).encode()) is stop


@pytest.mark.parametrize("wire", [b"", b"\xff", b"[]", b'{"payload": 3}', b'{"payload": "e30="}'])
def test_what_is_no_envelope_is_no_stop(wire: bytes) -> None:
    assert not is_stop(wire)
