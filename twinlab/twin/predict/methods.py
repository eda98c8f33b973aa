"""The methods of twins that predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.twin.predict.stored import TwinPredictions

__all__ = ["PredictMethods"]


class PredictMethods:
    """Predictions of a twin."""

    folder: Path

    @property
    def predictions(self) -> TwinPredictions:
        """Stored predictions, in the folder ``predictions`` of the twin: ``table()``, ``issue``, ``open``, ``score``, ``compare``, ``delete``."""
        from twinlab.twin.predict.stored import TwinPredictions  # noqa: PLC0415  (reading needs none)

        return TwinPredictions(self.folder / "predictions", cast("TwinReader", self))
