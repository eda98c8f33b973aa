"""Stored futures of a twin, which read like the twin again once they are opened."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab.errors import SourceError
from twinlab.simulate.catalogue.catalogue import Catalogue
from twinlab.simulate.runs.folder_store import FolderStore
from twinlab.simulate.timetable.parameters import model_of

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.simulate.calibration.fidelity import Fidelity
    from twinlab.simulate.runs.results import Results
    from twinlab.simulate.timetable.model import TimetableModel
    from twinlab.twin.simulation.results import TwinResults

__all__ = ["TwinCatalogue", "begins_in", "keep_fidelity"]

_FIDELITY = "fidelity.parquet"


class TwinCatalogue(Catalogue):
    """Stored runs of a twin; those of `Twin.simulate` are opened with the twin's KPIs, conditions, assumptions and fidelity.

    Parameters
    ----------
    path : path
    twin : Twin
    """

    def __init__(self, path: str | Path, twin: Any) -> None:  # noqa: ANN401  (a Twin, which has this as a property)
        super().__init__(path)
        self._twin = twin

    def open(self, name: str) -> Results | TwinResults:
        """Return a stored run; see `Catalogue.open`.

        KPIs and conditions take what happened before the start from the twin as it was known at the run's ``known=``, else as it is.
        """
        from twinlab.twin.simulation.results import TwinResults  # noqa: PLC0415  (it reads runs, too)

        found = super().open(name)
        facts, store = found.about["attrs"], found.store
        if "assumed" not in facts or not isinstance(store, FolderStore):
            # A run of `twin.scenarios.run`, or of an earlier version.
            return found
        known = facts.get("known")
        reader: TwinReader = self._twin if known is None else self._twin.as_of(known)
        return TwinResults.of(
            found, twin=reader, begins=begins_in(store), assumed=tuple(facts["assumed"]), fidelity=_fidelity_in(store)
        )


def begins_in(store: FolderStore) -> Any:  # noqa: ANN401  (as `TwinResults.begins`)
    """Return a function of a scenario that gives the model and the state that its stored futures begin with."""

    @cache
    def begin(scenario: str) -> tuple[TimetableModel, xr.Dataset]:
        stated = store.about["scenarios"][scenario]
        return model_of(store.parameters(stated["model_hash"])), store.state(scenario)

    return begin


def keep_fidelity(results: Results, fidelity: Fidelity) -> None:
    """Store the scores of the model beside a stored run."""
    assert isinstance(results.store, FolderStore)
    fidelity.save(results.store.path / _FIDELITY)


def _fidelity_in(store: FolderStore) -> Fidelity | None:
    from twinlab.simulate.calibration.fidelity import Fidelity  # noqa: PLC0415  (opening a run without scores needs none)

    try:
        return Fidelity.load(store.path / _FIDELITY)
    except SourceError:
        return None
