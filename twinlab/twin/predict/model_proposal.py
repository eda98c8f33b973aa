"""A proposed version of a model: what it changes, and the decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.predict.models.diff import CURRENT, ModelDiff, changes, compared
from twinlab.predict.models.evaluation import held_out
from twinlab.predict.models.store import SHORT, ModelStore
from twinlab.predict.models.stored import ModelRecord
from twinlab.predict.protocol.predictor import CantTell, Fitted, Predictor

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ModelProposal"]


@dataclass(frozen=True, repr=False)
class ModelProposal:
    """Another version of a model, beside the one in use; made by `twinlab.Twin.models`.

    Parameters
    ----------
    store : ModelStore
    twin : TwinReader
    name : str
    version : str
    """

    store: ModelStore
    twin: TwinReader
    name: str
    version: str

    @property
    def state(self) -> str:
        """``proposed``, ``current`` (promoted), ``earlier`` or ``discarded``."""
        return self.store.state(self.name, self.version)

    @property
    def record(self) -> ModelRecord:
        """What is known of it."""
        return self.store.record(self.name, self.version)

    @property
    def fitted(self) -> Any:  # noqa: ANN401  (any kind of model)
        """The fitted model."""
        return self.store.read(self.name, self.version).fitted

    def diff(self) -> ModelDiff:
        """Compare it with the version in use: window, inputs, parameters, scores on the same issue times after both trainings, and cost.

        Returns
        -------
        ModelDiff
            Its ``verdict`` says whether it is better, by a paired test.
        """
        store, name = self.store, self.name
        old, new = store.read(name), store.read(name, self.version)
        before, after = store.record(name), self.record
        settings = changes(before, after, (old.predictor, new.predictor))
        sizes = (store.size(name, before.version), store.size(name, after.version))
        if not isinstance(old.fitted, Fitted) or not isinstance(new.fitted, Fitted):
            found: Any = CantTell("a model of anomalies has no true values to be compared with")
        else:
            recipe = new.predictor if isinstance(new.predictor, Predictor) else None
            start = np.datetime64(max(before.stop, after.stop), "ns")
            found = held_out(
                self.twin, new.fitted, recipe, beside={CURRENT: old.fitted}, start=start, knowledge=new.knowledge,
            )  # fmt: skip
        return compared(name, before, after, settings, sizes=sizes, found=found)

    def promote(self, *, author: str = "", reason: str = "") -> None:
        """Use this version from now on; who, when and why is recorded, and `rollback` takes it back.

        Raises
        ------
        SchemaError
            If it was promoted or discarded already.
        HistoryConflictError
            If another process decides about the model for more than 30 s.
        """
        self.store.promote(self.name, self.version, author=author, reason=reason)

    def discard(self, *, author: str = "", reason: str = "") -> None:
        """Remove this version; the version in use stays.

        Raises
        ------
        SchemaError
            If it was promoted or discarded already.
        """
        self.store.discard(self.name, self.version, author=author, reason=reason)

    def __repr__(self) -> str:
        state = self.state
        if state == "discarded":
            return f"<ModelProposal {self.name} {self.version[:SHORT]} (discarded)>"
        one = self.record
        return f"<ModelProposal {self.name} {self.version[:SHORT]} ({state})> trained from {one.start[:16]} to {one.stop[:16]}"
