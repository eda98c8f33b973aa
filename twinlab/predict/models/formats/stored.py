"""Format of stored models: a fitted model with what its check and its next fit need."""

from __future__ import annotations

from twinlab.predict.known.knowledge import ByEventTime, ByIngest
from twinlab.predict.models.drift import Reference
from twinlab.predict.models.format import dataclass_format
from twinlab.predict.models.outcomes import Outcomes
from twinlab.predict.models.stored import StoredModel

__all__ = ["FORMAT"]

FORMAT = dataclass_format("stored", "stored models", ByEventTime, ByIngest, Outcomes, Reference, StoredModel)
