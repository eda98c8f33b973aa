"""The methods of `Twin` about what its storage costs and what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history
from twinlab.twin.retention.forecast import StorageForecast

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["RetentionMethods"]


class _Twin(Protocol):
    """What the methods need of a twin."""

    folder: Path
    # The model in the twin's folder.
    _model: TwinModel

    @property
    def reader(self) -> HistoryReader:
        """The reader of the twin's history."""


class RetentionMethods:
    """Methods of `Twin`: forecast of its storage."""

    def forecast_storage(self: _Twin) -> StorageForecast:
        """Return what the twin's storage amounts to now, in 1 month, 1 year and 5 years, and what that costs.

        The price is stated in ``twin.yaml``: ``storage: {price: 0.02 EUR/GB/month}``.

        Returns
        -------
        StorageForecast
            Its ``table()`` has the bytes by part; ``line`` says it in one sentence, which the twin's repr shows, too.
        """
        self.reader.position()  # builds a history again that doesn't open
        history = self.folder / "history"
        view = open_history(history) if history.exists() else None
        return StorageForecast(storage_use(self.folder, view), self._model.storage)
