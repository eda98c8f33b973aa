"""A device that is busy with commands and readings still stops at once."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.guard.site import Site
from twinlab.commands.guard import Clock, State
from twinlab.commands.messages import Answer, open_answer
from twinlab.commands.messages.records import RecordsRequest, open_records
from twinlab.commands.messages.report import ReadRequest
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.errors import CommandRejectedError
from twinlab.signing.keys import KeyRing, create_key
from twinlab.signing.keys.ring_keys import RingKeys


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


def test_a_page_of_the_record_is_signed_by_the_device_for_the_one_who_asked(
    busy: tuple[Site, BusyForklift, CommandedDevice, KeyRing],
) -> None:
    _, _, device, ring = busy
    keys = RingKeys(ring.device_keys, owner="truck/1")

    async def work() -> None:
        for number in range(3):
            await device.answer(b"no command %d" % number)
        request = RecordsRequest(target="forklift/7", first=1)
        wire = await device.recorded(request.payload())
        assert wire is not None
        page = open_records(wire, keys=keys, request=request, device="truck/1")
        lines = device.records.path.read_bytes().splitlines()
        assert (page.total, len(page.entries)) == (3, 2)
        assert page.before == hashlib.sha256(lines[0]).hexdigest()
        assert [one.entry for one in page.entries] == list(device.records.entries())[1:]
        again = RecordsRequest(target="forklift/7", first=1)
        with pytest.raises(CommandRejectedError, match="expected a page of"):
            open_records(wire, keys=keys, request=again, device="truck/1")
        with pytest.raises(CommandRejectedError, match="expected keys that are known"):
            open_records(wire, keys=RingKeys(ring.device_keys, owner="truck/2"), request=request, device="truck/1")
        # What is no request, or one for another device's asset, gets no answer, and is recorded.
        assert await device.recorded(b"{}") is None
        assert await device.recorded(RecordsRequest(target="forklift/999", first=0).payload()) is None
        assert [entry["kind"] for entry in device.records.entries()][3:] == ["read refused"] * 2
        # One entry of the largest size, and many of them.
        for _ in range(4):
            device.records.append(
                {"kind": "command refused", "who": [], "what": {"wire": "w" * 8_192, "reason": "\U0001f69c" * 2_000}}
            )
        last = RecordsRequest(target="forklift/7", first=5)
        wire = await device.recorded(last.payload())
        assert wire is not None
        (entry,) = open_records(wire, keys=keys, request=last, device="truck/1").entries
        assert entry.entry["what"] == {"reason": "\U0001f69c" * 200}

    asyncio.run(work())
    device.close()
