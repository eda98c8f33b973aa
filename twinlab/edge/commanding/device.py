"""A device that takes commands: a guard with a ledger and a key of its own, and the watchdog that it needs."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from twinlab.commands.guard.actuator import Actuator
from twinlab.commands.guard.flood import Flood
from twinlab.commands.guard.guard import Guard
from twinlab.commands.guard.ledger import GuardLedger
from twinlab.commands.guard.message import asks_for_stop
from twinlab.commands.guard.rules import Rates, Rule
from twinlab.commands.messages.answer import sign_answer
from twinlab.commands.messages.command import instant_text
from twinlab.commands.messages.records import RecordedEntry, RecordsPage, read_records_request, sign_records
from twinlab.commands.messages.report import Report, read_request, sign_report
from twinlab.edge.commanding.records import Records, short_entry
from twinlab.errors import CommandRejectedError, TwinlabError
from twinlab.signing.keys.key_file import read_signer
from twinlab.signing.keys.ring_file import KeyRingFile

__all__ = ["CommandedDevice"]

Result = TypeVar("Result")
_LOG = logging.getLogger("twinlab.edge.commands")
#: Messages that are looked at at once, and as many that say they are emergency stops: those wait for no command or reading.
_AT_ONCE = 8
#: Refusals of other things than messages that are recorded in a second.
_NOTES = 10
#: Bytes of the entries on a page of the record: an envelope has at most 16 KiB, in base64.
_PAGE = 8_000


class CommandedDevice:
    """Verifies messages, acts and answers; it doesn't depend on their transport.

    Parameters
    ----------
    folder : Path
        Gets the device's memory: ``guard.db`` and ``records.jsonl``. A new one makes a new device.
    name : str
        Of the device in the file of keys.
    twin : str
        Name of the twin whose commands count.
    rules : iterable of Rule
        What may be set.
    keys : Path
        File of keys, read again for each message.
    key : Path
        File with the device's private key.
    actuator : Actuator
        What sets values and reads them back.
    every : float
        Seconds between two checks of the watchdog.
    rates : Rates, optional
        How many messages a second are looked at.

    Raises
    ------
    ControlError
        If the ledger is missing in a folder that has been used, or can't be written.
    SchemaError
        If the private key can't be read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        twin: str,
        rules: Iterable[Rule],
        keys: Path,
        key: Path,
        actuator: Actuator,
        every: float = 1.0,
        rates: Rates | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.records = Records(folder / "records.jsonl")
        self._rules = tuple(rules)
        self._actuator = actuator
        self._every = every
        self._signer = read_signer(key)
        self._flood = Flood(_NOTES)
        ledger = self._ledger = GuardLedger(folder / "guard.db", create=not any(folder.iterdir()))
        self._guard = Guard(
            self._rules, twin=twin, device=name, ring=KeyRingFile(keys).read, ledger=ledger, actuator=actuator,
            record=self.records.append, rates=rates,
        )  # fmt: skip
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"commands of {name}")
        self._stops = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"stops of {name}")
        self._watch = ThreadPoolExecutor(1, thread_name_prefix=f"watchdog of {name}")

    @property
    def targets(self) -> tuple[str, ...]:
        """Assets that it sets, sorted."""
        return tuple(sorted({target for rule in self._rules for target in rule.targets}))

    async def answer(self, wire: bytes) -> bytes:
        """Return the signed answer to a command, or to any other bytes."""
        threads = self._stops if asks_for_stop(wire) else self._threads
        return await self._in_thread(lambda: sign_answer(self._guard.submit(wire), self._signer), threads)

    async def report(self, payload: bytes) -> bytes | None:
        """Return the signed report that a request asks for; None, with an entry in the record, if it isn't one."""
        return await self._in_thread(lambda: self._read(payload), self._threads)

    async def recorded(self, payload: bytes) -> bytes | None:
        """Return the signed page of the record that a request asks for; None, with an entry in the record, if it isn't one."""
        return await self._in_thread(lambda: self._page(payload), self._threads)

    async def run(self) -> None:
        """Check links and actions that don't end, until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._watch, self._guard.tick)
            except TwinlabError as error:
                _LOG.error("%s: the watchdog couldn't write: %s", self.name, error)
            await asyncio.sleep(self._every)

    def link_alive(self) -> None:
        """Note that something came over the link of all targets."""
        for target in self.targets:
            self._guard.link_alive(target)

    def note(self, kind: str, reason: str, *, who: str = "") -> None:
        """Record what was refused before it was a message, such as a connection or a plain write.

        A flood doesn't fill the disk: of more than ten in a second the number is recorded, with the next one.
        """
        more = self._flood.counted(kind, time.monotonic())
        if more is None:
            return
        entry: dict[str, Any] = {
            "kind": kind, "time": instant_text(datetime.now(UTC)), "who": [who] if who else [],
            "what": {"outcome": "refused", "reason": reason[:2000], **({"more": more} if more else {})},
            "device": self.name, "wire_sha256": "",
        }  # fmt: skip
        try:
            self.records.append(entry)
        except TwinlabError as error:
            _LOG.error("%s: %s", self.name, error)

    def close(self) -> None:
        """Wait until nothing is under way."""
        self._threads.shutdown()
        self._stops.shutdown()
        self._watch.shutdown()
        self._ledger.close()

    async def _in_thread(self, work: Callable[[], Result], threads: ThreadPoolExecutor) -> Result:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def _read(self, payload: bytes) -> bytes | None:
        try:
            request = read_request(payload)
        except CommandRejectedError as error:
            self.note("read refused", str(error))
            return None
        asked = request.target, request.parameter
        report: dict[str, Any] = {
            "value": None, "unit": None, "sha256": None, "at": instant_text(datetime.now(UTC)), "problem": ""
        }  # fmt: skip
        if not any(request.parameter == rule.parameter and request.target in rule.targets for rule in self._rules):
            report["problem"] = f"expected a parameter of {', '.join(self.targets)}, got {asked[1]} of {asked[0]}"
        else:
            try:
                state = self._actuator.read_back(*asked)
            except Exception as error:  # noqa: BLE001  (what can't be read is reported)
                report["problem"] = f"{type(error).__name__}: {error}"[:500]
            else:
                if math.isfinite(state.value):
                    report |= {
                        "value": state.value, "unit": state.unit, "sha256": state.sha256, "at": instant_text(state.at)
                    }  # fmt: skip
        made = Report(target=asked[0], parameter=asked[1], device=self.name, nonce=request.nonce, **report)
        return sign_report(made, self._signer)

    def _page(self, payload: bytes) -> bytes | None:
        try:
            request = read_records_request(payload)
        except CommandRejectedError as error:
            self.note("read refused", str(error))
            return None
        if request.target not in self.targets:
            self.note("read refused", f"expected an asset of {', '.join(self.targets)}, got {request.target!a}")
            return None
        lines, before, total = self.records.page(request.first, most_bytes=_PAGE)
        page = RecordsPage(
            device=self.name, first=request.first, total=total, before=None if before is None else _sha256(before),
            entries=[RecordedEntry(sha256=_sha256(line), entry=short_entry(line, most_bytes=_PAGE)) for line in lines], nonce=request.nonce,
        )  # fmt: skip
        return sign_records(page, self._signer)


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
