"""The section ``synthetic`` of ``twin.yaml``: the data were made from those of another twin, nobody observed them."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

from twinlab.model.basics import Model, Term

__all__ = ["Declared", "SyntheticData", "synthetic_faults"]


class SyntheticData(Model):
    """Where synthetic data come from."""

    source: Term
    """Name of the twin whose history they were made from."""
    start: str
    """First day of that history that was used, UTC."""
    stop: str
    """The day after its last one."""
    seed: int
    """The same call with the same seed gives the same data."""
    block: int
    """Days that follow each other in the original, too."""
    mix: float
    """Share of the variance of gauges that comes from other days."""

    @property
    def sentence(self) -> str:
        """What every face of the twin says."""
        return f"Synthetic: made from {self.source}, {self.start} to {self.stop}, seed {self.seed}; nobody observed these values."


class Declared(Protocol):
    """The parts of a model that synthetic data restrict."""

    @property
    def twin(self) -> str:
        """Name of the twin."""

    @property
    def title(self) -> str | None:
        """Name for people."""

    @property
    def synthetic(self) -> SyntheticData | None:
        """That the data are synthetic."""

    @property
    def commands(self) -> Sized:
        """What may be set."""

    @property
    def alerts(self) -> Sized:
        """What people are notified of."""

    @property
    def channels(self) -> Sized:
        """How people are notified."""


def synthetic_faults(model: Declared) -> list[str]:
    """Return what a model with synthetic data states that it can't have, a line each."""
    if model.synthetic is None:
        return []
    faults = []
    if not model.twin.endswith("_synthetic"):
        faults.append(f"twin: expected a name that ends with '_synthetic', because the data are, got {model.twin!r}")
    if "synthetic" not in (model.title or "").casefold():
        faults.append(
            f"title: expected a title with 'synthetic' in it, because pages and reports show it, got {model.title!r}"
        )
    for key, stated in (("commands", model.commands), ("alerts", model.alerts), ("channels", model.channels)):
        if stated:
            faults.append(
                f"{key}: expected none in a twin with synthetic data: nothing is sent, and nobody is notified, because of them"
            )
    return faults
