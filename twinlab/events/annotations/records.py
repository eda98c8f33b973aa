"""What one person said of a target, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.annotations.targets import Target, exception_target
from twinlab.events.reading import instant_ns

__all__ = ["VERDICTS", "Annotation", "annotation", "as_payload", "from_payload"]

#: Verdicts; "" takes one back.
VERDICTS = ("accept", "reject", "")
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one person said of an exception (by its key) or of another target; None leaves the field as it was."""

    key: str
    note: str | None
    acknowledged: bool | None
    author: str
    # Nanoseconds since 1970, UTC.
    time: int
    verdict: str | None = None
    # None: the exception with this key.
    target: Target | None = None

    @property
    def about(self) -> Target:
        """What it is about."""
        return Target("exception", self.key) if self.target is None else self.target


def annotation(
    target: Target | str,
    *,
    note: object = None,
    acknowledged: object = None,
    verdict: object = None,
    author: object,
    time: object = None,
) -> Annotation:
    """Return a validated annotation of a target, or of the exception with a key.

    Raises
    ------
    SchemaError
        If it has no key or author, says nothing, or the note is longer than 10,000 characters.

    >>> annotation("late/P7/2026-01-01T00:00:00", verdict="reject", author="ann", time="2026-01-02").verdict
    'reject'
    """
    about = target if isinstance(target, Target) else exception_target(target)
    if not isinstance(author, str) or not author.strip():
        msg = f"expected who writes the note, got author {author!r}"
        raise SchemaError(msg)
    if note is None and acknowledged is None and verdict is None:
        msg = "expected a note, a verdict, or whether the exception is acknowledged, got neither"
        raise SchemaError(msg)
    if note is not None and (not isinstance(note, str) or len(note) > _LONGEST):
        msg = f"expected a note of at most {_LONGEST:,} characters, got {len(note) if isinstance(note, str) else repr(note)}"
        raise SchemaError(msg)
    if verdict is not None and verdict not in VERDICTS:
        msg = f"expected the verdict 'accept', 'reject' or '' (takes it back), got {verdict!r}"
        raise SchemaError(msg)
    if acknowledged is not None and not isinstance(acknowledged, (bool, np.bool_)):
        msg = f"expected acknowledged to be True, False or None, got {acknowledged!r}"
        raise SchemaError(msg)
    when = pd.Timestamp.now("UTC") if time is None else time
    return Annotation(
        about.key,
        None if note is None else note.strip(),
        None if acknowledged is None else bool(acknowledged),
        author.strip(),
        instant_ns(when),
        None if verdict is None else str(verdict),
        None if about.kind == "exception" else about,
    )


def as_payload(one: Annotation) -> dict[str, Any]:
    """Return an annotation as plain data; one of an exception without a verdict as earlier versions wrote it."""
    out = asdict(one)
    for name in ("verdict", "target"):
        if out[name] is None:
            del out[name]
    return out


def from_payload(payload: Mapping[str, Any]) -> Annotation:
    """Return the annotation that `as_payload`, of this version or an earlier one, made plain data of."""
    target = payload.get("target")
    return Annotation(
        str(payload["key"]),
        payload["note"],
        payload["acknowledged"],
        str(payload["author"]),
        int(payload["time"]),
        payload.get("verdict"),
        None if target is None else Target(**target),
    )
