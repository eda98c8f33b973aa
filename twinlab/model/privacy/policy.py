"""Which fields a purpose shows: one decision for pages, exports, releases and readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import UnknownTermError
from twinlab.model.privacy.classes import RANKS, Sensitivity
from twinlab.model.privacy.fields import ID, DataField, fields_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.privacy.purpose import Purpose
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Policy", "shown_for"]


def shown_for(field: DataField, purpose: str) -> bool:
    """Return whether a field is shown for a purpose.

    A field that lists its purposes is shown for these alone. Of the others, what is open or internal is shown for each purpose, what is
    personal for none.
    """
    return not field.personal if field.purposes is None else purpose in field.purposes


class Policy:
    """The fields that one purpose shows.

    Parameters
    ----------
    model : TwinModel
    purpose : str
        A key of ``purposes:``.
    highest : str
        Fields of a higher class aren't shown, whatever the purpose: the limit of a role.

    Raises
    ------
    UnknownTermError
        If the model has no such purpose.

    >>> from twinlab.model.load import parse_model
    >>> model = parse_model('''
    ... twin: a
    ... purposes: {payroll: {description: Pays drivers., legal_basis: contract}, planning: {description: Plans., legal_basis: contract}}
    ... event_types: {trip: {properties: {driver: {sensitivity: personal, purposes: [payroll]}, tour: {}}}}
    ... ''')
    >>> Policy(model, "planning").withheld("event_types", "trip")
    {'driver': ('payroll',)}
    """

    def __init__(self, model: TwinModel, purpose: str, *, highest: Sensitivity = "sensitive") -> None:
        if purpose not in model.purposes:
            msg = f"there is no purpose {purpose!r} in twin.yaml{nearest(purpose, model.purposes)}"
            raise UnknownTermError(msg)
        self.name, self._model = purpose, model
        self._fields: dict[tuple[str, str, bool], dict[str, DataField]] = {}
        for one in fields_of(model):
            self._fields.setdefault((one.part, one.owner, one.kind == "signal"), {})[one.name] = one
        self._highest = RANKS[highest]

    @property
    def purpose(self) -> Purpose:
        """The purpose."""
        return self._model.purposes[self.name]

    def shows(self, field: DataField) -> bool:
        """Return whether a field is shown."""
        return shown_for(field, self.name) and RANKS[field.sensitivity] <= self._highest

    def purposes_of(self, field: DataField) -> tuple[str, ...]:
        """Return the purposes that show a field."""
        return tuple(name for name in self._model.purposes if shown_for(field, name))

    def fields(self, part: str, owner: str, *, signals: bool = False) -> dict[str, DataField]:
        """Return the signals, or the properties and the id, of one type, those that aren't shown included."""
        return dict(self._fields.get((part, owner, signals), ()))

    def field(self, part: str, owner: str, name: str, *, signals: bool = False) -> DataField | None:
        """Return one signal, property or id; None if there is no such field."""
        return self._fields.get((part, owner, signals), {}).get(name)

    def withheld(self, part: str, owner: str, *, signals: bool = False) -> dict[str, tuple[str, ...]]:
        """Return the fields of one type that aren't shown, each with the purposes that show it."""
        found = self.fields(part, owner, signals=signals)
        return {name: self.purposes_of(one) for name, one in found.items() if not self.shows(one)}

    def shown(self, part: str, owner: str, *, signals: bool = False) -> dict[str, DataField]:
        """Return the fields of one type that are shown."""
        found = self.fields(part, owner, signals=signals)
        return {name: one for name, one in found.items() if self.shows(one)}

    def people(self, asset_type: str | None) -> bool:
        """Return whether the assets of a type are people, so that their ids are personal."""
        found = self.field("asset_types", asset_type or "", ID)
        return found is not None and found.personal
