"""What was learnt of an asset type, with all that later rows need to give the same events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twinlab.predict.anomaly.limits import Budget
from twinlab.predict.anomaly.scoring import AnomalyModel, Detector
from twinlab.predict.anomaly.tracking import Hysteresis

__all__ = ["FittedAnomalies"]


@dataclass(frozen=True, repr=False)
class FittedAnomalies:
    """A model of anomalies with its limit, its hysteresis and where it comes from; of `twinlab.Twin.fit_anomalies`."""

    asset_type: str
    step: str | None
    """Step of the rollups that it is of; None: of cells."""
    model: AnomalyModel
    """Its state is the one after the usual span."""
    hysteresis: Hysteresis
    per_100_asset_weeks: float
    """False alarms that are allowed per 100 weeks of an asset."""
    budget: Budget
    usual: tuple[str, str]
    """Span that was learnt from, UTC."""
    cant_tell: Mapping[str, str]
    """Signals and assets that nothing could be learnt of -> why."""
    detector: Detector | None = None
    """Parameters of the detector; None of what was stored before they were kept beside it."""

    def __repr__(self) -> str:
        facts = self.attrs()
        signals = ", ".join(self.model.signals)
        return (
            f"<FittedAnomalies: {signals} of {len(self.model.assets)} {self.asset_type}, usual {facts['usual']}, "
            f"limit {self.model.limit:.4g}, false alarms {facts['false_alarms']}>"
        )

    def attrs(self) -> dict[str, object]:
        """Return facts for the attributes of a table of events."""
        budget = self.budget
        return {
            "signals": list(self.model.signals),
            "assets": list(self.model.assets),
            "limit": self.model.limit,
            "usual": f"{self.usual[0]} to {self.usual[1]}",
            "false_alarms": f"{budget.alarms} in {budget.asset_weeks:.3g} asset-weeks, {budget.allowed:.3g} allowed",
            "proven": budget.proven,
            "cant_tell": dict(self.cant_tell),
        }
