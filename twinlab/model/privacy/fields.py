"""The fields of a twin: every signal and property, every asset id, with what is declared about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from twinlab.model.privacy.classes import PERSONAL, Sensitivity
from twinlab.model.privacy.declarations import Declarations, Declared

__all__ = ["ID", "DataField", "fields_of"]

#: Name of the field with the ids of the assets of a type.
ID = "id"
Part = Literal["asset_types", "event_types"]


@dataclass(frozen=True, slots=True)
class DataField:
    """One field of an asset type or an event type."""

    part: Part
    owner: str
    """Asset type or event type."""
    kind: Literal["signal", "property", "id"]
    name: str
    sensitivity: Sensitivity
    declared: bool
    """Whether ``twin.yaml`` states the sensitivity."""
    purposes: tuple[str, ...] | None
    """Purposes it is shown for; None if nothing is stated."""
    subject: str | None = None
    """Property with the name of the person; None: the value itself, and for signals the asset."""
    title: str | None = None

    @property
    def path(self) -> str:
        """The place in ``twin.yaml``."""
        places = {"signal": f".signals.{self.name}", "property": f".properties.{self.name}", "id": ""}
        return f"{self.part}.{self.owner}{places[self.kind]}"

    @property
    def personal(self) -> bool:
        """Whether it is read for a stated purpose only."""
        return self.sensitivity in PERSONAL


def fields_of(model: Declarations) -> Iterator[DataField]:
    """Yield all fields of a model, in the order of ``twin.yaml``.

    >>> from twinlab.model.load import parse_model
    >>> text = "{twin: a, event_types: {trip: {properties: {driver: {sensitivity: personal}, tour: {}}}}}"
    >>> [(field.name, field.sensitivity, field.declared) for field in fields_of(parse_model(text))]
    [('driver', 'personal', True), ('tour', 'internal', False)]
    """
    for name, kind in model.asset_types.items():
        yield _field("asset_types", name, "id", ID, kind)
        for signal, spec in kind.signals.items():
            yield _field("asset_types", name, "signal", signal, spec)
        for prop, one in kind.properties.items():
            yield _field("asset_types", name, "property", prop, one, subject=one.subject)
    for name, event in model.event_types.items():
        for prop, one in event.properties.items():
            yield _field("event_types", name, "property", prop, one, subject=one.subject)


def _field(
    part: Part,
    owner: str,
    kind: Literal["signal", "property", "id"],
    name: str,
    spec: Declared,
    *,
    subject: str | None = None,
) -> DataField:
    declared = "sensitivity" in spec.model_fields_set
    purposes = None if spec.purposes is None else tuple(spec.purposes)
    return DataField(part, owner, kind, name, spec.sensitivity, declared, purposes, subject, spec.title)
