"""The registry of models by name: those that twinlab has, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.models`` that names a `ModelKind`: one module, and a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinlab.model.extensions.options import Options, checked_options
from twinlab.model.registry import Registry
from twinlab.simulate.protocol import Model

__all__ = ["MODELS", "ModelKind", "named_model"]


@dataclass(frozen=True)
class ModelKind:
    """A model that is used by name, with options.

    Parameters
    ----------
    name : str
        What it is called, and what the entry point is called.
    title : str
        What it is of, in words.
    build : callable
        ``build(options) -> Model``.
    options : type of Options
        Options of the kind.
    """

    name: str
    title: str
    build: Callable[[Any], Model]
    options: type[Options] = Options

    def parse(self, given: object) -> Options:
        """Return the options as their class validates them.

        Raises
        ------
        pydantic.ValidationError
            If an option is unknown, missing or of another type.
        """
        return checked_options(self.options, given, what=f"the model {self.name!r}", place=(self.name,))


def _fault(name: str, found: object) -> str:
    if not isinstance(found, ModelKind):
        return f"expected a twinlab.simulate.ModelKind, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the model is"


MODELS: Registry[ModelKind] = Registry("twinlab.models", kind="model", built_in={}, check=_fault)


def named_model(name: str, options: Mapping[str, object] | None = None) -> Model:
    """Return a model by its name in the registry.

    Parameters
    ----------
    name : str
        Name of the model.
    options : mapping, optional
        Its options.

    Raises
    ------
    UnknownTermError
        If no model has the name; shows the nearest one.
    SchemaError
        If the package that adds it can't be imported.
    pydantic.ValidationError
        If an option doesn't fit.
    """
    kind = MODELS.get(name)
    return kind.build(kind.parse(dict(options or {})))
