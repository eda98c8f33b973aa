"""Where a partition is read on, and what is missing before it. Pure: no broker, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from twinlab.sources.live.protocol import Gap

__all__ = ["ANEW", "DELETED", "FEWER", "Extent", "Place", "begin", "stream_of"]

DELETED = "the broker has deleted messages that weren't read (retention)"
ANEW = "the topic was made anew: messages of the earlier one that weren't read are gone"
FEWER = "the broker has lost messages that were read; it gives their offsets again"


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition is read; it is stored with the rows before it.

    Examples
    --------
    >>> place = Place(17, topic_id="a", time_ms=5)
    >>> Place.from_json(place.to_json()) == place, Place.from_json(None) is None
    (True, True)
    """

    next: int
    """All messages with smaller offsets are durable."""
    topic_id: str = ""
    """Id of the topic, which another topic of the same name doesn't have; empty if the broker states none."""
    time_ms: int | None = None
    """Timestamp of the last message, milliseconds since 1970."""

    def to_json(self) -> dict[str, object]:
        """Return the place as an offset."""
        return {"next": self.next, "topic_id": self.topic_id, "time_ms": self.time_ms}

    @classmethod
    def from_json(cls, given: object) -> Place | None:
        """Return the place that an offset has; None if there is none."""
        return cls(**given) if isinstance(given, dict) else None


@dataclass(frozen=True, slots=True)
class Extent:
    """What a broker has of a partition."""

    low: int
    """Smallest offset."""
    high: int
    """Offset that the next message gets."""
    topic_id: str = ""


def stream_of(topic: str, partition: int) -> str:
    """Return the name of a partition among the streams of a source.

    >>> stream_of("telemetry", 2)
    'telemetry/2'
    """
    return f"{topic}/{partition}"


def begin(stream: str, place: Place, there: Extent) -> tuple[int, Gap | None]:
    """Return the offset from which a partition is read on, and what is missing before it.

    >>> begin("t/0", Place(5), Extent(0, 9)), begin("t/0", Place(5), Extent(7, 9))[1].stop_sequence
    ((5, None), 7)
    """
    same = not (place.topic_id and there.topic_id) or place.topic_id == there.topic_id
    known_same = bool(place.topic_id) and place.topic_id == there.topic_id
    after = None if place.time_ms is None else place.time_ms * 1_000_000
    if not same or (place.next > there.high and not known_same):
        return there.low, Gap(stream, ANEW, start_ns=after, first_sequence=place.next)
    if place.next > there.high:
        return there.high, Gap(stream, FEWER, start_ns=after, first_sequence=there.high, stop_sequence=place.next)
    if place.next < there.low:
        return there.low, Gap(stream, DELETED, start_ns=after, first_sequence=place.next, stop_sequence=there.low)
    return place.next, None
