"""Which tags and texts of a gateway name people."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, Model, parse_duration

__all__ = ["PseudonymRule"]


class PseudonymRule(Model):
    """Ids of people in a gateway's rows, which are replaced before rows are stored and sent."""

    key: str
    """File of secrets that ``twinlab pseudonym-key`` made. It stays on this machine."""
    purpose: Annotated[str, Field(min_length=1)]
    """What the rows are for: a person has another pseudonym for each purpose."""
    epoch: Duration | None = None
    """After this time, by the time of the row, people get another pseudonym; without it, with another secret only."""
    tags: tuple[str, ...] = ()
    """Regular expressions with a group ``id``, which names a person in a tag: ``"^wrist/(?P<id>[^/]+)/"``."""
    texts: tuple[str, ...] = ()
    """Patterns of tags whose texts name people: ``"*/driver_card"``."""

    @model_validator(mode="after")
    def _names_people(self) -> PseudonymRule:
        if not self.tags and not self.texts:
            msg = "expected tags or texts that name people, got none"
            raise ValueError(msg)
        for pattern in self.tags:
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                msg = f"tags: expected a regular expression, got {pattern!r} ({error})"
                raise ValueError(msg) from error
            if "id" not in groups:
                msg = f"tags: expected a group named id, as in '^wrist/(?P<id>[^/]+)/', got {pattern!r}"
                raise ValueError(msg)
        return self

    @property
    def epoch_ns(self) -> int | None:
        """How long a pseudonym lasts, in nanoseconds."""
        return None if self.epoch is None else parse_duration(self.epoch)
