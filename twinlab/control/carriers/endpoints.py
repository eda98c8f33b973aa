"""All devices of a twin: commands are sent and values read from any thread; connections stay open in a thread of their own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from twinlab._tasks import cancel_all
from twinlab.commands.messages.records import RecordsPage, RecordsRequest
from twinlab.control.carriers.carrier import Carrier, CarrierContext, Reported
from twinlab.control.carriers.registry import CARRIER_KINDS
from twinlab.control.carriers.settings import ControlSettings, read_control
from twinlab.control.carriers.verifying import checked_answer, checked_records
from twinlab.errors import NoAnswerError, SchemaError, TwinlabError
from twinlab.model.extensions.options import fault_text
from twinlab.signing.keys.ring_file import KeyRingFile

__all__ = ["Endpoints", "open_endpoints"]

Result = TypeVar("Result")
#: Seconds beyond its time-out after which a call ends even if a library doesn't.
_GRACE = 15.0


def open_endpoints(path: Path | str, *, reading: bool = False) -> Endpoints:
    """Return the devices that a ``control.yaml`` names, and begin to connect.

    Parameters
    ----------
    path : Path or str
        The file.
    reading : bool
        Whether only records of devices are read, beside another process that sends commands.

    Raises
    ------
    SchemaError
        If it isn't there or isn't valid.
    """
    return Endpoints(read_control(Path(path)), name=str(path), reading=reading)


class Endpoints:
    """The carriers of a twin; a context manager.

    Parameters
    ----------
    settings : ControlSettings
    name : str
        Of the file, for messages.
    reading : bool
        See `open_endpoints`.

    Raises
    ------
    SchemaError
        If the options of a carrier aren't valid.
    """

    def __init__(self, settings: ControlSettings, *, name: str = "control.yaml", reading: bool = False) -> None:
        self.settings = settings
        self._reading = reading
        #: Keys of people and devices as they are now.
        self.ring = KeyRingFile(settings.keys)
        self._contexts: dict[str, CarrierContext] = {}
        options = {}
        for key, endpoint in settings.endpoints.items():
            try:
                options[key] = CARRIER_KINDS.get(endpoint.carrier).parse(endpoint.options)
            except ValidationError as error:
                faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {fault_text(one)}" for one in error.errors())
                msg = f"{name}: endpoints.{key}: {faults}"
                raise SchemaError(msg) from error
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="twinlab carriers", daemon=True)
        self._thread.start()
        self._carriers = self._call(self._made(options), _GRACE)
        for carrier in self._carriers.values():
            asyncio.run_coroutine_threadsafe(_try_to_open(carrier), self._loop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, wire: bytes, *, target: str, timeout: float, endpoint: str | None = None) -> bytes:
        """Send an envelope to the device of a target, once; return the signed answer, which is verified.

        Parameters
        ----------
        wire : bytes
            The envelope.
        target : str
            ``"forklift/F07"``.
        timeout : float
            Seconds.
        endpoint : str, optional
            Its name in ``control.yaml``; by default the one that has the target.

        Raises
        ------
        UnknownTermError
            If no endpoint has the target.
        SourceError
            If nothing was sent.
        NoAnswerError
            If no answer of the device came in time: read back, and decide again. It is never sent again by itself.
        """
        name = self.settings.endpoint_of(target, name=endpoint)
        answer = self._call(self._carriers[name].send(wire, target=target, within=timeout), timeout)
        checked_answer(answer, wire, target=target, context=self._contexts[name])
        return answer

    def read(self, target: str, parameter: str, *, timeout: float = 5.0, endpoint: str | None = None) -> Reported:
        """Return what the device of a target has now.

        Raises
        ------
        UnknownTermError
            If no endpoint has the target.
        SourceError
            If the device can't be reached.
        NoAnswerError
            If it doesn't answer in time, or the answer isn't its own.
        """
        name = self.settings.endpoint_of(target, name=endpoint)
        return self._call(self._carriers[name].read(target, parameter, within=timeout), timeout)

    def records(self, target: str, *, first: int, timeout: float = 5.0, endpoint: str | None = None) -> RecordsPage:
        """Return what the device of a target has recorded, from an entry on, as many as a message takes; signed by the device.

        Raises
        ------
        UnknownTermError
            If no endpoint has the target.
        SourceError
            If the device can't be reached.
        NoAnswerError
            If it doesn't answer in time, or the answer isn't its own.
        """
        name = self.settings.endpoint_of(target, name=endpoint)
        request = RecordsRequest(target=target, first=first)
        wire = self._call(self._carriers[name].records(request.payload(), target=target, within=timeout), timeout)
        return checked_records(wire, request=request, context=self._contexts[name])

    def close(self) -> None:
        """Disconnect."""
        if self._loop.is_closed():
            return
        self._call(self._end(), _GRACE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE)
        self._loop.close()

    async def _made(self, options: dict[str, Any]) -> dict[str, Carrier]:
        made = {}
        for key, endpoint in self.settings.endpoints.items():
            self._contexts[key] = context = CarrierContext(
                self.ring.read, endpoint.device_of, self.settings.folder, self._reading
            )
            made[key] = CARRIER_KINDS.get(endpoint.carrier).make(options[key], context)
        return made

    async def _end(self) -> None:
        # Who still connects first, then what a library leaves where its server doesn't answer to the end of a session.
        await _cancel_others()
        for carrier in self._carriers.values():
            await carrier.close()
        await _cancel_others()

    def _call(self, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout + _GRACE)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            msg = f"expected an answer within {timeout:g} s, got none; read back and decide again"
            raise NoAnswerError(msg) from error


async def _cancel_others() -> None:
    await cancel_all(asyncio.all_tasks() - {asyncio.current_task()})


async def _try_to_open(carrier: Carrier) -> None:
    try:
        await carrier.open()
    except TwinlabError:
        # The first command says why, and tries again.
        return
