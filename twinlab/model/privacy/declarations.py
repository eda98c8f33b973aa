"""The part of a `twinlab.model.TwinModel` that privacy refers to, as protocols: the model itself is above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twinlab.model.privacy.classes import Sensitivity
from twinlab.model.privacy.purpose import Purpose
from twinlab.model.privacy.section import PrivacyRule

__all__ = ["Declarations", "Declared", "DeclaredAssets", "DeclaredEvents", "DeclaredProperty"]


class Declared(Protocol):
    """A signal, a property or an asset type."""

    @property
    def sensitivity(self) -> Sensitivity:
        """How sensitive its values are; those of an asset type are the ids."""

    @property
    def purposes(self) -> list[str] | None:
        """Purposes it is shown for."""

    @property
    def title(self) -> str | None:
        """Name for people."""

    @property
    def model_fields_set(self) -> set[str]:
        """Keys that are written in the file."""


class DeclaredProperty(Declared, Protocol):
    """A property."""

    @property
    def subject(self) -> str | None:
        """Property with the name of the person."""


class DeclaredEvents(Protocol):
    """An event type."""

    @property
    def properties(self) -> Mapping[str, DeclaredProperty]:
        """Properties by name."""


class DeclaredAssets(Declared, Protocol):
    """An asset type."""

    @property
    def signals(self) -> Mapping[str, Declared]:
        """Signals by name."""

    @property
    def properties(self) -> Mapping[str, DeclaredProperty]:
        """Properties by name."""


class Declarations(Protocol):
    """A model."""

    @property
    def asset_types(self) -> Mapping[str, DeclaredAssets]:
        """Asset types by name."""

    @property
    def event_types(self) -> Mapping[str, DeclaredEvents]:
        """Event types by name."""

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Purposes by name."""

    @property
    def privacy(self) -> PrivacyRule | None:
        """The section ``privacy:``."""
