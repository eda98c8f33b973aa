"""Conformance check of a kind of carrier: what twinlab relies on when it sends commands."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

from pydantic import ValidationError

from twinlab.commands.messages.records import RecordsRequest
from twinlab.control.carriers.carrier import Carrier, CarrierContext, CarrierKind
from twinlab.control.carriers.verifying import checked_answer, checked_records
from twinlab.errors import NoAnswerError, SourceError

__all__ = ["check_carrier"]

#: Not a command: every device refuses it, and answers.
_WIRE = b'{"payload": "", "payloadType": "application/vnd.twinlab.check", "signatures": []}'


def check_carrier(
    kind: CarrierKind,
    given: Mapping[str, object],
    *,
    context: CarrierContext,
    target: str,
    parameter: str,
    unreachable: Mapping[str, object],
    within: float = 5.0,
) -> None:
    """Check that a kind of carrier brings bytes to a device and its answer back, reads, ends, and says when it can't.

    Parameters
    ----------
    kind : CarrierKind
    given : mapping
        Options, as ``control.yaml`` has them, with which a device is reached. What is sent to it is no command.
    context : CarrierContext
        The keys, and the names of devices.
    target, parameter : str
        What is read.
    unreachable : mapping
        Options with which no device is reached, such as a port on which nobody listens.
    within : float
        Seconds for an answer.

    Raises
    ------
    AssertionError
        That says what doesn't conform.
    """
    assert kind.name.isidentifier(), f"expected a name such as 'mqtt', got {kind.name!r}"
    try:
        kind.parse({**given, "no_such_option": 1})
    except ValidationError:
        pass
    else:
        raise AssertionError(f"{kind.name}: expected an unknown option to be refused")  # noqa: TRY003, EM102
    asyncio.run(_check_device(kind.make(kind.parse(given), context), kind.name, context, (target, parameter), within))
    asyncio.run(_check_silence(kind.make(kind.parse(unreachable), context), kind.name, (target, parameter), within))


async def _check_device(
    carrier: Carrier, name: str, context: CarrierContext, what: tuple[str, str], within: float
) -> None:
    target, parameter = what
    before = asyncio.all_tasks()
    await carrier.open()
    try:
        answers = await asyncio.gather(*(carrier.send(_WIRE, target=target, within=within) for _ in range(3)))
        for answer in answers:
            found = checked_answer(answer, _WIRE, target=target, context=context)
            assert found.outcome == "refused", (
                f"{name}: expected bytes that are no command to be refused, got {found.outcome}"
            )
        reported = await carrier.read(target, parameter, within=within)
        assert math.isfinite(reported.value), f"{name}: expected a finite value, got {reported.value}"
        assert reported.at.tzinfo is not None, f"{name}: expected a time with a zone, got {reported.at}"
        request = RecordsRequest(target=target, first=0)
        page = checked_records(
            await carrier.records(request.payload(), target=target, within=within), request=request, context=context
        )
        assert page.entries, f"{name}: expected a record with the messages that were refused, got an empty one"
    finally:
        await carrier.close()
    await carrier.close()
    await asyncio.sleep(0)
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left, f"{name}: expected no task after close, got {left}"


async def _check_silence(carrier: Carrier, name: str, what: tuple[str, str], within: float) -> None:
    target, parameter = what
    loop = asyncio.get_running_loop()
    for work in (carrier.send(_WIRE, target=target, within=within), carrier.read(target, parameter, within=within)):
        begun = loop.time()
        try:
            await work
        except (SourceError, NoAnswerError):
            pass
        else:
            raise AssertionError(f"{name}: expected an error where no device is reached")  # noqa: TRY003, EM102
        seconds = loop.time() - begun
        assert seconds < 3 * within, f"{name}: expected an error within {3 * within:g} s, got one after {seconds:.0f} s"
    await carrier.close()
