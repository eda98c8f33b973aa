"""How well simulations of a twin foretell it: scored once for each span of history, and kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.twin.simulation.stored import StoredRunMethods

if TYPE_CHECKING:
    import numpy as np

    from twinlab.model.reader import TwinReader
    from twinlab.simulate.calibration.fidelity import Fidelity

__all__ = ["LONGEST_WINDOW", "ScoringMethods"]

#: At most this many days of history are calibrated from, if no model is given.
LONGEST_WINDOW = 365
Window = tuple[pd.Timestamp, pd.Timestamp]


class ScoringMethods(StoredRunMethods):
    """Score simulations of a twin."""

    def score_simulation(
        self,
        *,
        start: object = "now",
        days: int = 14,
        every: int = 2,
        horizon: str = "1d",
        replications: int = 50,
        known: object = None,
    ) -> Fidelity:
        """Score the model that `simulate` fits at an instant: on the days before it, with a model fitted to what was before these.

        The score is stored in the folder ``scores`` of the twin, and `simulate` shows it beside results from the same start until
        rows, the model or a mapping change.

        Parameters
        ----------
        start, known : as in `simulate`
        days : int
            Days before the start that the scored model isn't fitted to.
        every : int
            A start on each so many of these days.
        horizon : duration
        replications : int
            Futures of each start.

        Returns
        -------
        Fidelity
            As of `twinlab.simulate.fidelity`.

        Raises
        ------
        SchemaError
            If the history is too short, or has no trips planned in these days.
        """
        from twinlab.simulate.calibration.calibrated import calibrate  # noqa: PLC0415  (reading needs none)
        from twinlab.simulate.calibration.fidelity import fidelity  # noqa: PLC0415

        reader, (begin, stop) = self._window_until(start, known)
        held = stop - pd.Timedelta(days=days)
        if held <= begin:
            msg = f"score_simulation: expected a history that begins more than {days} days before {stop}, got one from {begin} on; give fewer `days`"
            raise SchemaError(msg)
        model = calibrate(reader, (begin, held))
        found = fidelity(reader, model, (held, stop), every=every, horizon=horizon, replications=replications)
        path = self._score_path((begin, stop), known)
        path.parent.mkdir(exist_ok=True)
        found.save(path)
        return found

    def _score_until(self, start: object, known: object) -> Fidelity | None:
        """Return the score of the model that is fitted at an instant, if it was scored."""
        from twinlab.simulate.calibration.fidelity import Fidelity  # noqa: PLC0415

        path = self._score_path(self._window_until(start, known)[1], known)
        return Fidelity.load(path) if path.is_file() else None

    def _score_path(self, window: Window, known: object) -> Path:
        """Return where the score of a window is: another file once rows, the model or a mapping are others."""
        facts = [*map(str, window), str(known), self._run_facts()]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return self.folder / "scores" / f"{digest[:20]}.parquet"

    def _window_until(self, start: object, known: object) -> tuple[TwinReader, Window]:
        """Return the view of the twin that is read, and the window that a model is fitted to at an instant."""
        from twinlab.simulate.calibration.start_state import latest_time  # noqa: PLC0415  (reading needs none)

        reader = cast("TwinReader", self if known is None else self.as_of(known))  # type: ignore[attr-defined]
        instant = latest_time(reader) if isinstance(start, str) and start == "now" else start
        stop = pd.Timestamp(cast("np.datetime64", instant))
        return reader, (max(pd.Timestamp(reader.model.origin), stop - pd.Timedelta(days=LONGEST_WINDOW)), stop)
