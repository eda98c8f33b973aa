"""One purpose of ``twin.yaml``: for what data are read, on which legal basis, how exactly and how long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twinlab.model.basics import Duration, Model, parse_duration
from twinlab.model.privacy.precision import Precision

__all__ = ["LegalBasis", "Purpose"]

#: Article 6(1) of the GDPR, (a) to (f).
LegalBasis = Literal[
    "consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interests"
]


class Purpose(Model):
    """For what data are read. A field says which purposes it is shown for."""

    title: str | None = None
    """Name for people."""
    description: str = Field(min_length=1)
    """What is done with the data, one sentence."""
    legal_basis: LegalBasis
    """On which basis of article 6(1) GDPR personal data are processed."""
    retention: Duration | None = None
    """Personal data that are older aren't shown for this purpose."""
    precision: Precision = Precision()
    """How exactly personal data are shown."""
    identity: Literal["pseudonym", "plain", "none"] = "pseudonym"
    """How people appear: under a pseudonym of this purpose, under their own name, or not at all."""
    epoch: Duration | None = None
    """After this time people get another pseudonym; without it, never. In properties of events the time of the event counts, for
    ids of assets that of the reading, so that they are the same in all tables."""
    recipients: list[str] = Field(default_factory=list)
    """Who receives the data: teams and companies, for the records of processing."""

    @property
    def retention_ns(self) -> int | None:
        """The longest age in nanoseconds."""
        return None if self.retention is None else parse_duration(self.retention)

    @property
    def epoch_ns(self) -> int | None:
        """How long a pseudonym lasts, in nanoseconds."""
        return None if self.epoch is None else parse_duration(self.epoch)
