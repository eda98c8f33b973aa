"""What gateways have sent: births and rows that the guard lets pass, as accepted rows in the order of their sequences."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from twinlab.edge.handshake import Birth, Reply
from twinlab.edge.messages import Message, parse
from twinlab.edge.readings import Readings
from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.sources.live.acceptance import Acceptance, Accepted
from twinlab.sources.live.clock import ClockEstimate
from twinlab.sources.live.gateway_rows import gaps_of
from twinlab.sources.live.guarded.ingest_guard import IngestGuard
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.mqtt.options import MqttOptions

__all__ = ["Inbox"]

_LOG = logging.getLogger("twinlab.live.mqtt")
#: Messages of a gateway that are verified together at most.
_MOST_PENDING = 64


class Inbox:
    """Messages of all gateways of one source.

    Parameters
    ----------
    name : str
        Of the source.
    folder : Path
        The twin's.
    options : MqttOptions
    offsets : mapping
        Of all durable rows.
    answer : callable
        ``answer(gateway, token)``: the gateway is to get a reply.
    arrived : callable
        Rows were accepted.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        options: MqttOptions,
        offsets: Mapping[str, object],
        *,
        answer: Callable[[str, int], None],
        arrived: Callable[[], None],
    ) -> None:
        self._name, self._answer, self._arrived = name, answer, arrived
        self._acceptance = Acceptance(offsets, queue_rows=options.queue_rows)
        keys = None if options.keys is None else folder / options.keys
        self._guard = IngestGuard(name, folder, keys=keys, unsigned=options.unsigned)
        self._guard.restore(self._acceptance.known())
        self.meter = HealthMeter(suspect_offset=parse_duration(options.clock_tolerance) / 1e9)
        # Gateways and runs of which an older copy was reported.
        self._copies: set[tuple[str, tuple[tuple[int, int], ...]]] = set()
        self._clocks: dict[str, ClockEstimate] = {}
        self.units: dict[str, dict[str, str | None]] = {}
        """Gateway -> its tags with their units."""
        self.online: set[str] = set()
        # Rows that arrived since the last `take`, by gateway: their signatures are verified together.
        self._pending: dict[str, list[bytes]] = {}
        self._accepted: list[Accepted] = []
        self._received_ns = 0

    def take(self) -> tuple[list[Accepted], int]:
        """Return the rows that were accepted since the last call, and when the first of them came, ns UTC."""
        self._read_pending()
        parts, self._accepted = self._accepted, []
        received, self._received_ns = self._received_ns, 0
        return parts, received

    def commit(self, parts: Iterable[Accepted]) -> None:
        """Note that rows are durable, and answer their gateways."""
        parts = tuple(parts)
        self._acceptance.commit(parts)
        self._guard.acknowledged(parts)
        for part in parts:
            self._answer(part.gateway, part.token)

    def reply(self, gateway: str, token: int) -> Reply:
        """Return what a gateway is answered."""
        return self._acceptance.reply(gateway, token)

    def note(self, kind: str, gateway: str, payload: bytes, *, retained: bool) -> None:
        """Take a message, or quarantine it; one that can't be read is reported."""
        if kind == "rows":
            self._received_ns = self._received_ns or time.time_ns()
            waiting = self._pending.setdefault(gateway, [])
            waiting.append(payload)
            if len(waiting) >= _MOST_PENDING:
                self._read_pending()
            self._arrived()
            return
        # In the order in which they came.
        self._read_pending()
        with self._reported(gateway):
            self._note_birth(gateway, payload, retained=retained)

    def declare(self, gateway: str, payload: bytes) -> None:
        """Note the tags and units of a handshake, and nothing else of it."""
        with suppress(SchemaError):  # reported when rows are read
            birth = self._guard.birth(gateway, payload)
            if birth is not None:
                self._declare(gateway, birth)

    def look(self) -> None:
        """Take what people have released from the quarantine, and write what is due into the security log."""
        for one in self._guard.look():
            with suppress(SchemaError):
                if one.kind == "birth":
                    birth = Birth.from_json(one.message)
                    self._guard.taken_released(one.gateway, birth)
                    self._declare(one.gateway, birth)
                    self._begin(one.gateway, birth)
                else:
                    self._offer(one.gateway, parse(one.message), met=True)

    def clocks(self) -> dict[str, float]:
        """Return the estimated offset of each gateway's clock, seconds."""
        return {name: offset for name, clock in self._clocks.items() if (offset := clock.offset) is not None}

    def streams(self) -> dict[str, dict[str, object]]:
        """Return what is known of each gateway's keys, epochs and quarantined messages."""
        return {name: asdict(one) for name, one in self._guard.streams.items()}

    def load(self) -> dict[str, float]:
        """Return numbers of gateways, rows and messages."""
        acceptance = self._acceptance
        return {
            "gateways_online": float(len(self.online)),
            "rows_queued": float(acceptance.queued),
            "rows_waiting_for_earlier": float(acceptance.buffered),
            "rows_again": float(acceptance.duplicates),
            "rows_shed": float(acceptance.shed),
            "messages_in_quarantine": float(len(self._guard.quarantine)),
        }

    # -- inside ----------------------------------------------------------------------------------------------------
    def _declare(self, gateway: str, birth: Birth) -> None:
        self.units[gateway] = {**self.units.get(gateway, {}), **birth.units}

    def _note_birth(self, gateway: str, payload: bytes, *, retained: bool) -> None:
        birth = self._guard.birth(gateway, payload)
        if birth is None:
            return
        self._declare(gateway, birth)
        if not birth.online:
            self.online.discard(gateway)
            return
        self.online.add(gateway)
        if not retained:
            self._clock(gateway, birth.sent)
        self._begin(gateway, birth)

    def _begin(self, gateway: str, birth: Birth) -> None:
        """Take a handshake."""
        self._accept(self._acceptance.begin(gateway, birth.token, birth.first, runs=birth.runs))
        if why := self._acceptance.copied(gateway, birth.token):
            self._report_copy(gateway, birth, why)
        self._answer(gateway, birth.token)

    def _report_copy(self, gateway: str, birth: Birth, why: str) -> None:
        """Report an older copy of an outbox, once, where people look for attacks as well."""
        self.meter.failed_once(why)
        if (gateway, birth.runs) in self._copies:
            return
        self._copies.add((gateway, birth.runs))
        _LOG.error("an outbox was refused", extra={"source": self._name, "gateway": gateway, "error": why})
        self._guard.copied(gateway, why)

    def _read_pending(self) -> None:
        """Take the rows that have arrived; those that can't be read are reported."""
        pending, self._pending = self._pending, {}
        for gateway, payloads in pending.items():
            with self._reported(gateway):
                for payload, opened in zip(payloads, self._guard.opened_rows(gateway, payloads), strict=True):
                    with self._reported(gateway):
                        message = self._guard.checked_rows(gateway, payload, opened)
                        if message is not None:
                            self._clock(gateway, message.sent)
                            self._offer(gateway, message)

    @contextmanager
    def _reported(self, gateway: str) -> Iterator[None]:
        try:
            yield
        except SchemaError as error:
            self.meter.failed_once(f"gateway {gateway}: {error}")
            _LOG.warning("a message was refused", extra={"source": self._name, "gateway": gateway, "error": str(error)})

    def _offer(self, gateway: str, message: Message, *, met: bool = False) -> None:
        """Take the rows of a message that come next."""
        taken = self._acceptance.offer(gateway, message, met=met)
        if taken:
            self._accept(taken)
        else:
            # Had already, out of order or shed: the gateway learns what is missing.
            self._answer(gateway, message.token)

    def _accept(self, parts: list[Accepted]) -> None:
        if not parts:
            return
        self._received_ns = self._received_ns or time.time_ns()
        self._accepted += parts
        for gap in gaps_of(parts):
            self.meter.gap(gap, lost=True)
        rows = [part.content for part in parts if isinstance(part.content, Readings)]
        if rows:
            self.meter.received(sum(map(len, rows)), last_event_ns=max(int(one.times.max()) for one in rows))
        self._arrived()

    def _clock(self, gateway: str, sent: int) -> None:
        self._clocks.setdefault(gateway, ClockEstimate()).add(sent=sent, received=time.time_ns())
