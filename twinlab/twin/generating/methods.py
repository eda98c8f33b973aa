"""The method of twins that makes a synthetic twin of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.twin.generating.generated import GeneratedTwin

__all__ = ["GenerateMethods"]


class GenerateMethods:
    """Make synthetic twins."""

    def _in_folder(self, folder: Path) -> Any:  # noqa: ANN401  (a Twin, which has these methods)
        """Open a twin in a folder."""
        raise NotImplementedError

    def _synthetic_notes(self) -> list[str]:
        """Return the sentence of a twin with synthetic data; nothing of another one."""
        about = cast("TwinReader", self).model.synthetic
        return [] if about is None else [about.sentence]

    def _labelled(self, data: xr.Dataset) -> xr.Dataset:
        """Return a history with the sentence in its attributes, if the data are synthetic."""
        notes = self._synthetic_notes()
        return data.assign_attrs(synthetic=notes[0]) if notes else data

    def generate(
        self,
        folder: str | Path,
        *,
        start: object = None,
        stop: object = None,
        begin: object = None,
        days: int | None = None,
        block: int = 3,
        mix: float = 0.6,
        faults: int | Mapping[str, int] = 3,
        pseudonyms: bool = False,
        seed: int = 0,
    ) -> GeneratedTwin:
        """Make a twin with synthetic data like those of this one, for tests and training, with faults planted.

        Days of the history are put together anew in blocks that begin on the right weekday; all assets and signals use the same days, so
        that they stay correlated. Gauges are the usual value of the time of the week and deviations mixed from several days, so that no day
        is copied; states and events are those of a day, with the delays of its events changed about. Personal signals and properties are
        left out. The twin says everywhere that it is synthetic, and can't send commands or notify people.

        Parameters
        ----------
        folder : path
            New folder of the twin; ``truth.csv`` in it lists what was planted.
        start, stop : instant, optional
            Whole days of the history that are used, UTC; all by default.
        begin : instant, optional
            First synthetic day; by default ``start``.
        days : int, optional
            Number of synthetic days; by default as many as are used.
        block : int
            Days that follow each other as in the history.
        mix : float
            Share of the variance of gauges that comes from other days than the one of the events and states, 0.1 to 0.75. More is more
            private, and gauges go less with events.
        faults : int or mapping
            How many of each kind are planted: stuck, drift, spike, gap, wrong_unit, and excursion (a rare event, not a fault).
        pseudonyms : bool
            Name assets by shuffled numbers, ``cold_room_07``.
        seed : int
            The same call with the same seed gives the same data.

        Returns
        -------
        GeneratedTwin
            ``twin``, ``truth``, ``fidelity`` and ``privacy`` (figures by signal), ``detection()`` (how many faults the flags find).

        Raises
        ------
        SchemaError
            If the history has fewer than 14 whole days, or an argument doesn't fit.
        SourceError
            If the folder isn't empty.
        UnknownTermError
            If a kind of fault isn't known.
        """
        from twinlab.twin.generating.generate import generate  # noqa: PLC0415  (import twinlab stays quick)

        return generate(
            cast("TwinReader", self), folder, opened=self._in_folder, start=start, stop=stop, begin=begin, days=days, block=block, mix=mix, faults=faults,
            pseudonyms=pseudonyms, seed=seed,
        )  # fmt: skip
