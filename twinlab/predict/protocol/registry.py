"""The registry of predictors by name: those that twinlab has, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.predictors`` that names a `PredictorKind`: one module, and a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinlab.model.extensions.options import Options, checked_options
from twinlab.model.registry import Registry
from twinlab.predict.protocol.predictor import Predictor

__all__ = ["PREDICTORS", "PredictorKind", "named_predictor"]


@dataclass(frozen=True)
class PredictorKind:
    """A predictor that is used by name, with options.

    Parameters
    ----------
    name : str
        What it is called, and what the entry point is called.
    title : str
        What it predicts and how, in words.
    build : callable
        ``build(options) -> Predictor``.
    options : type of Options
        Options of the kind.
    """

    name: str
    title: str
    build: Callable[[Any], Predictor]
    options: type[Options] = Options

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"the predictor {self.name!r}", place=(self.name,))


def _fault(name: str, found: object) -> str:
    if not isinstance(found, PredictorKind):
        return f"expected a twinlab.predict.PredictorKind, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the predictor is"


#: A group of its own: ``twinlab.models`` has models of systems, which `simulate` runs, and a name is checked to be one kind of thing.
PREDICTORS: Registry[PredictorKind] = Registry(
    "twinlab.predictors",
    kind="predictor",
    built_in={
        "failure": "twinlab.predict.failure.named:KIND",
        "forecast": "twinlab.predict.forecasting.forecaster:KIND",
        "seasonal_naive": "twinlab.predict.baselines.seasonal:KIND",
    },
    check=_fault,
)


def named_predictor(name: str, options: Mapping[str, object] | None = None) -> Predictor:
    """Return a predictor by its name in the registry.

    Parameters
    ----------
    name : str
    options : mapping, optional

    Raises
    ------
    UnknownTermError
        If no predictor has the name; shows the nearest one.
    SchemaError
        If the package that adds it can't be imported.
    pydantic.ValidationError
        If an option doesn't fit.
    """
    kind = PREDICTORS.get(name)
    return kind.build(kind.parse(dict(options or {})))
