"""A device that is busy with commands and readings still stops at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.guard.site import Site
from twinlab.commands.guard import Clock, State
from twinlab.commands.messages import Answer, open_answer
from twinlab.commands.messages.report import ReadRequest
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.signing.keys import KeyRing, create_key


class BusyForklift:
    """A forklift that doesn't answer when it is read, until it may."""

    def __init__(self, site: Site) -> None:
        self.site, self.forklift = site, site.forklift
        self.may_answer = threading.Event()
        self.reading = threading.Semaphore(0)

    def take_over(self) -> int:
        return self.forklift.take_over()

    def state(self, target: str, parameter: str) -> State:
        self.reading.release()
        assert self.may_answer.wait(30)
        return self.forklift.state(target, parameter)

    def read_back(self, target: str, parameter: str) -> State:
        if "forklift/7" not in self.forklift.safe:
            return self.state(target, parameter)
        return self.forklift.state(target, parameter)

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        return self.forklift.apply(target, parameter, value, epoch=epoch, timeout=timeout)

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        return self.forklift.fail_safe(target, parameter, value)


@pytest.fixture
def busy(tmp_path: Path, need: Callable[[str], object]) -> tuple[Site, BusyForklift, CommandedDevice, KeyRing]:
    need("securesystemslib")
    (tmp_path / "site").mkdir()
    site = Site(tmp_path / "site")
    # The device has a clock of its own.
    site.time.now = Clock().now()
    public = create_key(tmp_path / "device.pem")
    forklift = BusyForklift(site)
    device = CommandedDevice(
        tmp_path / "device", name="truck/1", twin="parcel", rules=[site.rule], keys=site.keys, key=tmp_path / "device.pem", actuator=forklift
    )  # fmt: skip
    ring = KeyRing.model_validate({"people": {}, "devices": {"truck/1": {"keys": [{"public": public.public}]}}})
    return site, forklift, device, ring


def test_a_stop_does_not_wait_for_commands_and_readings_that_hang(
    busy: tuple[Site, BusyForklift, CommandedDevice, KeyRing],
) -> None:
    site, forklift, device, ring = busy

    async def work() -> tuple[Answer, float]:
        readings = [
            asyncio.create_task(device.report(ReadRequest(target="forklift/7", parameter="max_speed").payload()))
            for _ in range(12)
        ]
        commands = [asyncio.create_task(device.answer(site.wire())) for _ in range(12)]
        await asyncio.to_thread(forklift.reading.acquire)
        await asyncio.sleep(0.1)
        began = time.perf_counter()
        answer = open_answer(await asyncio.wait_for(device.answer(site.stop_wire()), 10), ring=ring)
        seconds = time.perf_counter() - began
        forklift.may_answer.set()
        await asyncio.gather(*readings, *commands)
        return answer, seconds

    answer, seconds = asyncio.run(work())
    device.close()
    assert (answer.outcome, site.forklift.safe, site.forklift.changes) == ("done", ["forklift/7"], [])
    assert seconds < 2.0


def test_bytes_that_only_say_they_are_a_stop_stop_nothing(
    busy: tuple[Site, BusyForklift, CommandedDevice, KeyRing],
) -> None:
    site, _, device, ring = busy
    for signer in ("eve", "vic", "device"):
        answer = open_answer(asyncio.run(device.answer(site.stop_wire(signer=signer))), ring=ring)
        assert (answer.outcome, site.forklift.safe) == ("refused", [])
    device.close()
