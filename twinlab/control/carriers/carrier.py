"""What a carrier implements, and what it gets to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from twinlab.model.extensions.options import Options, checked_options
from twinlab.signing.keys.ring import KeyRing

__all__ = ["Carrier", "CarrierContext", "CarrierKind", "Reported"]


@dataclass(frozen=True)
class Reported:
    """A value that a device reports."""

    value: float
    unit: str
    at: datetime
    """When it was measured, with a zone."""
    sha256: str | None = None
    """Hash of the state as the device computes it, see `twinlab.commands.messages.state_hash`; None if it doesn't state it."""


@dataclass(frozen=True)
class CarrierContext:
    """What a carrier gets to know of its twin."""

    ring: Callable[[], KeyRing]
    """Keys of people and devices as they are now."""
    device: Callable[[str], str]
    """Target -> name of its device in the file of keys."""
    folder: Path = Path()
    """Folder of ``control.yaml``, to which paths in options are relative."""

    reading: bool = False
    """Whether nothing is sent and only records are read: a broker allows one connection for each name."""

    def file(self, stated: str) -> str:
        """Return the path of a file that an option states.

        >>> context = CarrierContext(lambda: KeyRing(people={}), lambda target: target, Path("/twins/parcel"))
        >>> Path(context.file("keys/ca.pem")).as_posix()
        '/twins/parcel/keys/ca.pem'
        """
        return str(self.folder / stated)


class Carrier(Protocol):
    """A way to some devices. All methods are called in one event loop."""

    async def open(self) -> None:
        """Connect, so that the first command needn't wait for it.

        Raises
        ------
        SourceError
            If the devices can't be reached, or a library is missing; a later `send` tries again.
        """

    async def send(self, wire: bytes, *, target: str, within: float) -> bytes:
        """Bring an envelope to the device of a target, once, and return the bytes of its answer.

        Parameters
        ----------
        wire : bytes
            The envelope.
        target : str
            ``"forklift/F07"``.
        within : float
            Seconds for the answer.

        Raises
        ------
        SourceError
            If nothing was sent.
        NoAnswerError
            If it was sent, or may have been, and no answer came in time.
        """

    async def read(self, target: str, parameter: str, *, within: float) -> Reported:
        """Return what the device of a target has now.

        Raises
        ------
        NoAnswerError
            If it can't be read in time.
        """

    async def records(self, request: bytes, *, target: str, within: float) -> bytes:
        """Bring a request for the record of a target's device to it, and return the bytes of the signed page.

        Raises
        ------
        SourceError
            If the device can't be reached.
        NoAnswerError
            If no answer came in time.
        """

    async def close(self) -> None:
        """Disconnect."""


@dataclass(frozen=True)
class CarrierKind:
    """A kind of carrier: what ``carrier:`` in ``control.yaml`` names.

    Parameters
    ----------
    name : str
        As in ``control.yaml``, and what the entry point is called.
    make : callable
        ``make(options, context)`` returns a `Carrier` that hasn't connected yet.
    options : type of Options
    """

    name: str
    make: Callable[[Any, CarrierContext], Carrier]
    options: type[Options] = Options

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"a carrier of the kind {self.name!r}", place=("options",))
