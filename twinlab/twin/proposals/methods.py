"""The methods of `Twin` that propose changes of its model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.twin.proposals.proposal import Proposal, pending_proposals, write_proposal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from twinlab.model.twinmodel import TwinModel

__all__ = ["ProposalMethods"]


class _Twin(Protocol):
    """What the methods need of a twin."""

    folder: Path

    @property
    def model(self) -> TwinModel:
        """The twin's model."""

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type."""


class ProposalMethods:
    """Methods of `Twin`: learn from the history, propose, list what is proposed."""

    def learn_limits(
        self: _Twin,
        asset_type: str,
        signal: str,
        *,
        start: object = None,
        stop: object = None,
        by: Collection[Literal["month", "season", "hour"]] = ("month", "hour"),
        hours: int = 4,
        quantiles: tuple[float, float] = (0.05, 0.95),
        margin: float = 3.0,
        least: int = 100,
        zone: str = "UTC",
    ) -> Proposal:
        """Learn what is normal for a signal by season and hour of day, and write it down as a proposal.

        Parameters
        ----------
        asset_type, signal : str
            A gauge of the model.
        start, stop : str, datetime, numpy.datetime64, optional
            The period to learn from, half-open; it should be free of faults, but for a few percent.
        by, hours, quantiles, margin, least, zone
            As for `twinlab.quality.learn_limits`. Values that are suspect or fail aren't learnt from.

        Returns
        -------
        Proposal
            ``proposals/….yaml`` in the twin's folder, with the evidence. ``proposal.approve()`` writes it into
            ``twin.yaml``, as the options of the quality test ``climatology``.

        Raises
        ------
        UnknownTermError
            If the model has no such asset type or signal.
        SchemaError
            If the signal isn't a gauge, a parameter doesn't fit, or there are too few values.
        """
        from twinlab.quality import learn_limits  # noqa: PLC0415  (loads numba, which few twins need here)

        data = self.history(asset_type, signals=[signal], start=start, stop=stop)
        kind = self.model.asset_types[asset_type].signals[signal].kind
        if kind != "gauge":
            msg = f"expected a gauge to learn limits of, got {asset_type}.{signal}, which is a {kind}"
            raise SchemaError(msg)
        found = learn_limits(
            data[signal],
            by=by,
            hours=hours,
            quantiles=quantiles,
            margin=margin,
            least=least,
            zone=zone,
            flags=data[f"{signal}_qc"],
        )
        at = ("asset_types", asset_type, "signals", signal, "tests", "climatology")
        return write_proposal(self.folder, at, found.options(), evidence=found.evidence)

    def learn_relation(
        self: _Twin,
        asset_type: str,
        signal: str,
        given: Sequence[str],
        *,
        start: object = None,
        stop: object = None,
        margin: float = 6.0,
        least: int = 100,
    ) -> Proposal:
        """Learn how a signal follows from other signals of the same asset, and write it down as a proposal.

        Parameters
        ----------
        asset_type, signal : str
            A gauge of the model.
        given : sequence of str
            The other signals, of the same asset type and cadence.
        start, stop : str, datetime, numpy.datetime64, optional
            The period to learn from, half-open.
        margin, least
            As for `twinlab.quality.learn_relation`. Values that are suspect or fail aren't learnt from.

        Returns
        -------
        Proposal
            ``proposals/….yaml`` in the twin's folder, with the evidence. ``proposal.approve()`` writes it into
            ``twin.yaml``, as the options of the quality test ``multivariate``.

        Raises
        ------
        UnknownTermError
            If the model has no such asset type or signal.
        SchemaError
            If a signal isn't a gauge or has another cadence, or there are too few rows.
        """
        from twinlab.quality import learn_relation  # noqa: PLC0415  (loads numba, which few twins need here)

        data = self.history(asset_type, signals=[signal, *given], start=start, stop=stop)
        signals = self.model.asset_types[asset_type].signals
        for name in (signal, *given):
            if signals[name].kind != "gauge":
                msg = (
                    f"expected gauges to learn a relation of, got {asset_type}.{name}, which is a {signals[name].kind}"
                )
                raise SchemaError(msg)
        # What is flagged in another signal says nothing about this one.
        others = data[list(given)]
        for name in given:
            others[name] = others[name].where(data[f"{name}_qc"] <= Flag.NOT_EVALUATED.value)
        found = learn_relation(data[signal], others, margin=margin, least=least, flags=data[f"{signal}_qc"])
        at = ("asset_types", asset_type, "signals", signal, "tests", "multivariate")
        return write_proposal(self.folder, at, found.options(), evidence=found.evidence)

    def proposals(self: _Twin) -> list[Proposal]:
        """Return the proposed changes of the model that are neither approved nor discarded."""
        return pending_proposals(self.folder)
