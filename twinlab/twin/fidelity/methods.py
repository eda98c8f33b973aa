"""The method of a twin that compares it with the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.history import HistoryReader

__all__ = ["FidelityMethods"]


class FidelityMethods:
    """Compare a twin with the truth."""

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The twin's reader."""

    def fidelity(
        self,
        truth: Mapping[str, pd.DataFrame],
        *,
        start: object = None,
        stop: object = None,
        assets: Sequence[str] | None = None,
        tolerances: Mapping[str, float] | None = None,
        by_asset: bool = False,
    ) -> pd.DataFrame:
        r"""Return how well the twin's signals match their true values: errors with units, coverage, flags and latency.

        How well simulations of a twin foretell it is another question: see `score_simulation`.

        Parameters
        ----------
        truth : mapping of str to DataFrame
            Asset type -> true values: ``time`` (naive is UTC), ``asset``, and a column for each signal (states by their codes), such as
            a reference instrument's or a plant's (`twinlab.plant.run.true_signals`). ``attrs["units"]`` states units of signals
            that aren't the model's. A column ``recorded`` says when a row happened by this machine's clock, for latencies of a plant
            that runs faster than it. Signals that no mapping has are left out.
        start, stop : instants, optional
            Compare the whole cells of this half-open span only; naive is UTC.
        assets : sequence of str, optional
            Compare these only.
        tolerances : mapping of str to float, optional
            Signal -> largest error that isn't wrong, in the signal's unit; by default its resolution.
        by_asset : bool
            Return a row for each asset of a signal, to see which ones are wrong.

        Returns
        -------
        DataFrame
            Index ``asset_type, signal`` (and ``asset``). ``cells`` with a true value; ``compared`` and ``coverage``: those that the
            twin has up to its sources' watermarks; ``bias, mae, rmse, p99, max`` of the error, in ``unit``, NaN for states;
            ``wrong``: share of cells that are off by more than ``tolerance``; ``flagged``: share that is flagged suspect or
            fail; ``wrong_flagged``: share of the wrong ones that is flagged; ``max_unflagged``: largest error of those that
            aren't flagged; ``latency_p50, latency_p99``: seconds from a true row to the ingest of its first observation.

        Raises
        ------
        UnknownTermError
            If the twin has no such asset type or signal.
        SchemaError
            If a table of the truth has no ``time`` or ``asset``.
        UnitError
            If a unit of the truth can't be converted.

        Examples
        --------
        >>> import tempfile, pandas as pd, twinlab as tl
        >>> from pathlib import Path
        >>> folder = Path(tempfile.mkdtemp())
        >>> text = "time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.6\n2026-03-01T00:02Z,2.3\n2026-03-01T00:03Z,2.4\n"
        >>> _ = (folder / "gauge.csv").write_text(text)
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> _ = twin.ingest(folder / "gauge.csv")
        >>> times = pd.date_range("2026-03-01", periods=4, freq="1min")
        >>> asset = twin.assets("gauge").index[0]
        >>> truth = pd.DataFrame({"time": times, "asset": asset, "level": [2.1, 2.2, 2.3, 2.4]})
        >>> twin.fidelity({"gauge": truth})[["unit", "compared", "coverage", "max"]].round(2).values.tolist()
        [['m', 3, 1.0, 0.4]]
        """
        from twinlab.twin.fidelity.comparison import compare_with_truth  # noqa: PLC0415  (reading needs none)

        return compare_with_truth(
            self.reader, truth, span=(start, stop), assets=assets, tolerances=tolerances, by_asset=by_asset
        )
