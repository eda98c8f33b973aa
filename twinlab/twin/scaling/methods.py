"""The method of `Twin` that plans how it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twinlab.errors import SchemaError
from twinlab.twin.retention.methods import RetentionMethods

if TYPE_CHECKING:
    from twinlab.history.retention.storage_use import StorageUse
    from twinlab.history.store.view import View
    from twinlab.model.questions import Question
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.scaling.forecast import Densities
    from twinlab.twin.scaling.pilot import Pilot
    from twinlab.twin.scaling.plan import ScalePlan
    from twinlab.twin.scaling.workload import Workload

__all__ = ["ScalingMethods"]

#: Days and cells of a history from which bytes are taken; of a smaller one metadata would count too much.
_LEAST_DAYS, _LEAST_CELLS = 1.0, 100_000


class ScalingMethods(RetentionMethods):
    """What a twin's storage costs, and what the twin would need if it grew."""

    folder: Path

    if TYPE_CHECKING:
        _model: TwinModel

        def open_questions(self) -> list[Question]:
            """Return the questions that nobody has answered."""

    def plan_scale(
        self,
        factors: Sequence[float] = (1, 10, 100, 1000),
        *,
        assets: Mapping[str, int] | None = None,
        charts: int = 1000,
        pilot: Pilot | None = None,
    ) -> ScalePlan:
        """Return bytes, requests, seconds, workers and money for a twin with more assets, and which part breaks first.

        Rates come from the model, bytes of a value from the twin's own history if it has a day and 100,000 cells, else from the
        pilot: small twins with the same signals that are built and read in a temporary folder, which takes half a minute or so.

        Parameters
        ----------
        factors : sequence of float
            Sizes, as multiples of today's assets; each at least 1.
        assets : mapping, optional
            Asset type -> number of assets that count as today's; by default those that the history has.
        charts : int
            Charts that people look at in a day.
        pilot : Pilot, optional
            A pilot that was run before, `twinlab.twin.scaling.pilot.run_pilot`.

        Returns
        -------
        ScalePlan
            Its ``table()`` and ``limit_table()`` are DataFrames, ``first`` says what breaks first.

        Raises
        ------
        SchemaError
            If a factor isn't a number of at least 1, a cadence is an open question, the twin has neither assets nor ``assets``, or
            prices have different currencies.
        UnknownTermError
            If ``assets`` names an asset type that the model doesn't have.
        """
        from twinlab.history.retention.storage_use import storage_use  # noqa: PLC0415  (few plan)
        from twinlab.history.store.opening import open_history, repository_path  # noqa: PLC0415
        from twinlab.twin.scaling.costs import fit_costs  # noqa: PLC0415
        from twinlab.twin.scaling.forecast import Forecast  # noqa: PLC0415
        from twinlab.twin.scaling.machine import Machine  # noqa: PLC0415
        from twinlab.twin.scaling.money import Prices  # noqa: PLC0415
        from twinlab.twin.scaling.pilot import run_pilot  # noqa: PLC0415
        from twinlab.twin.scaling.plan import ScalePlan  # noqa: PLC0415
        from twinlab.twin.scaling.workload import checked_factor, workload_of  # noqa: PLC0415

        sizes = tuple(dict.fromkeys(checked_factor(factor) for factor in factors))
        if not sizes:
            msg = "expected at least one factor, such as factors=(1, 10), got none"
            raise SchemaError(msg)
        if not charts >= 0:
            msg = f"expected charts as a number of at least 0, got {charts!r}"
            raise SchemaError(msg)
        prices = Prices.of(self._model.storage)
        history = self.folder / "history"
        view = open_history(history) if repository_path(history).is_dir() else None
        workload = workload_of(
            self._model, _assets(view), given=assets, rows_per_cell=1.0, questions=tuple(self.open_questions())
        )
        use = storage_use(self.folder, view)
        done = pilot or run_pilot(
            self._model, sorted({one.asset_type for one in workload.streams}), cast("Any", type(self))
        )
        forecast = Forecast(
            workload, fit_costs(done.timings), _densities(use, view, done, workload), Machine.of(self.folder, use.total), done.text,
            charts,
        )  # fmt: skip
        return ScalePlan(self._model.twin, forecast, prices, sizes)


def _assets(view: View | None) -> dict[str, int]:
    """Return the number of assets of each type that a history has."""
    found: dict[str, int] = {}
    for group in view.groups() if view is not None else ():
        number = view.catalog.entry(group).n_assets  # type: ignore[union-attr]  # there are groups
        found[group.asset_type] = max(found.get(group.asset_type, 0), number)
    return found


def _densities(use: StorageUse, view: View | None, pilot: Pilot, workload: Workload) -> Densities:
    """Return bytes of rows and cells: of the twin's own history if it is large enough, else of the pilot."""
    from twinlab.twin.scaling.forecast import Densities  # noqa: PLC0415

    cells = workload.cells_a_day * use.days
    manifest = pilot.manifest_bytes
    if view is not None and use.days >= _LEAST_DAYS and cells >= _LEAST_CELLS:
        source = f"this twin's history: {use.days:,.0f} days, {cells:,.0f} cells"
        return Densities((use.ledger + use.files) / cells, use.cells / cells, use.rollups / cells, manifest, source)
    made = pilot.workload.cells_a_day * pilot.days
    source = f"pilot: {made:,.0f} cells"
    return Densities(
        pilot.use.ledger / made, pilot.use.cells / made, pilot.use.rollups / made, manifest, source, spread=0.5
    )
