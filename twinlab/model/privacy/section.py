"""The section ``privacy:`` of ``twin.yaml``: personal columns of sources, keys, retention, limits of releases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from twinlab.model.basics import Duration, Model, parse_duration
from twinlab.model.privacy.classes import Sensitivity

__all__ = ["PersonalColumn", "PrivacyRule", "ReleaseRule"]


class PersonalColumn(Model):
    """What a column of a source is, if no field of the model that it feeds says so."""

    sensitivity: Sensitivity
    """``personal`` or ``sensitive``; ``open`` or ``internal`` says that it isn't personal."""
    subject: str | None = None
    """Column of the same rows that names the person; by default this column does."""
    store: Literal["encrypted", "pseudonym", "no"] = "encrypted"
    """How a personal column is stored: encrypted under the person's key of the month, as a pseudonym (nobody reads the value again
    without the request of two people), or not at all."""


def _column(value: object) -> object:
    return {"sensitivity": value} if isinstance(value, str) else value


class ReleaseRule(Model):
    """Limits of what is released; see `twinlab.Twin.release`."""

    group_size: Annotated[int, Field(ge=2)] = 10
    """Least number of people that any released row is about."""
    risk: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Largest share of people whom an attacker with four known points finds in the released file."""
    epsilon: Annotated[float, Field(gt=0)] = 1.0
    """Privacy loss of one release with noise."""
    budget: Annotated[float, Field(gt=0)] = 10.0
    """Largest privacy loss of all releases for one purpose together."""
    terms: str = "Only for the stated purpose. No re-identification. Not to be passed on."
    """What the recipient may do; it is in each file."""


class PrivacyRule(Model):
    """What the operator has decided about personal data. A twin with this section refuses undeclared personal columns."""

    controller: str | None = None
    """Who decides about purposes: name and address, for the records of processing."""
    contact: str | None = None
    """Whom people ask about their data."""
    keys: str | None = None
    """Folder of the keys, outside of the twin's; a relative one is beside the twin's folder. By default
    ``$TWINLAB_KEYS/<name>``, else ``<folder>.keys`` beside the twin's folder."""
    columns: dict[
        str, Annotated[PersonalColumn, BeforeValidator(_column, json_schema_input_type=str | PersonalColumn)]
    ] = Field(default_factory=dict)
    """Columns of sources that no field takes or whose field doesn't say it: ``column`` or ``source.column`` -> class."""
    retention: dict[Literal["personal", "sensitive"], Duration] = Field(default_factory=dict)
    """Class -> how long after its arrival it can be read; keys of older months are destroyed."""
    release: ReleaseRule = ReleaseRule()
    """Limits of releases."""

    def column(self, source: str, name: str) -> PersonalColumn | None:
        """Return what is stated about a column of a source."""
        return self.columns.get(f"{source}.{name}", self.columns.get(name))

    @property
    def retention_ns(self) -> dict[str, int]:
        """Class -> longest age in nanoseconds."""
        return {name: parse_duration(age) for name, age in self.retention.items()}
