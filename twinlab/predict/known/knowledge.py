"""Rules of what was known of a twin at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.known.truncated import TruncatedReader
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.events import EventColumns

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ByEventTime", "ByIngest", "Knowledge"]


@runtime_checkable
class Knowledge(Protocol):
    """A rule of what was known."""

    @property
    def lag(self) -> np.timedelta64:
        """Span after the end of a cell in which it is never known."""

    def view(self, twin: TwinReader, at: np.datetime64, *, columns: Mapping[str, EventColumns]) -> TwinReader:
        """Return the twin as it was known at an instant; ``columns`` says when columns of events become known, where the ledger doesn't."""


@dataclass(frozen=True)
class ByIngest:
    """What the twin's ledger had received: late rows, corrections and revised plans appear when they came.

    Parameters
    ----------
    mapping : "then" or "current"
        Mappings of then, or the current ones, as in `twinlab.Twin.as_of`.
    """

    mapping: Literal["then", "current"] = "then"

    @property
    def lag(self) -> np.timedelta64:
        """None: a cell is known when its rows are."""
        return np.timedelta64(0, "ns")

    def view(
        self,
        twin: TwinReader,
        at: np.datetime64,
        *,
        columns: Mapping[str, EventColumns],  # noqa: ARG002  (the ledger knows)
    ) -> TwinReader:
        """Return ``twin.as_of(at)``.

        Raises
        ------
        SchemaError
            If the reader has no ledger.
        """
        as_of = getattr(twin, "as_of", None)
        if as_of is None:
            msg = f"a {type(twin).__name__} has no `as_of`; pass knowledge=predict.ByEventTime(latency=…)"
            raise SchemaError(msg)
        found: TwinReader = as_of(at, mapping=self.mapping)
        return found


@dataclass(frozen=True)
class ByEventTime:
    """What had happened, and had arrived after a stated latency; for twins that were loaded from files long after.

    Parameters
    ----------
    latency : str
        Span from the end of a cell until it is known.
    """

    latency: str = "0s"

    @property
    def lag(self) -> np.timedelta64:
        """The latency."""
        return duration(self.latency, what="ByEventTime.latency")

    def view(self, twin: TwinReader, at: np.datetime64, *, columns: Mapping[str, EventColumns]) -> TwinReader:
        """Return the twin truncated at an instant."""
        return TruncatedReader(twin, at, latency=self.lag, columns=columns)
