"""The rights of one reader: the access policy with the reader's roles and purpose filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twinlab.model.access.policy import AccessPolicy
from twinlab.model.access.questions import Decision, Question, ReadAsset, ReadField, SeePage, SendCommand
from twinlab.model.privacy.classes import PERSONAL, Sensitivity
from twinlab.model.signal import Signal
from twinlab.model.twinmodel import AssetType, PropertySpec, TwinModel

__all__ = ["FieldClass", "Rights", "field_class", "id_class", "is_personal"]

#: What of a field the policy looks at: its sensitivity and its purposes. Fields of one class are seen alike.
FieldClass = tuple[Sensitivity, tuple[str, ...] | None]
_OPEN: FieldClass = ("open", None)


def field_class(spec: Signal | PropertySpec | AssetType) -> FieldClass:
    """Return what of a field the policy looks at."""
    return spec.sensitivity, None if spec.purposes is None else tuple(spec.purposes)


def id_class(kind: AssetType) -> FieldClass:
    """Return what the policy looks at for the ids of assets: whoever sees a group sees its ids, unless assets are people."""
    return field_class(kind) if kind.sensitivity in PERSONAL else _OPEN


def is_personal(looked_at: FieldClass) -> bool:
    """Return whether fields of a class are read through the reader of a purpose only, which records it."""
    return looked_at[0] in PERSONAL


@dataclass(frozen=True)
class Rights:
    """What somebody may do. Every question goes to `AccessPolicy.decide`.

    Examples
    --------
    >>> from twinlab.model.access.policy import DEFAULT_POLICY
    >>> rights = Rights(DEFAULT_POLICY, roles=("viewer",))
    >>> rights.sees_page("now", stated=("viewer",)), rights.sees_page("quality", stated=("steward",))
    (True, False)
    """

    policy: AccessPolicy
    roles: tuple[str, ...] = ()
    # Purpose for which the reader reads; None: none was chosen.
    purpose: str | None = None

    def decide(self, question: Question) -> Decision:
        """Decide a question."""
        return self.policy.decide(self.roles, question)

    def sees_page(self, page: str, *, stated: tuple[str, ...] = ()) -> bool:
        """Return whether a page is open; ``stated`` are the roles that the page names itself."""
        return bool(self.decide(SeePage(page, stated)))

    def sees_field(self, owner: str, name: str, spec: Signal | PropertySpec) -> bool:
        """Return whether a signal, a property or a field of an event is seen, of any asset."""
        sensitivity, purposes = field_class(spec)
        return bool(self.decide(ReadField(owner, name, sensitivity, purposes, self.purpose)))

    def sees_type(self, asset_type: str, kind: AssetType) -> bool:
        """Return whether assets of a type can be seen."""
        sensitivity, purposes = id_class(kind)
        field = ReadField(asset_type, "id", sensitivity, purposes, self.purpose)
        rules = self.policy.rules(self.roles).items()
        return any(rule.covers(asset_type) and rule.allows(role, field) for role, rule in rules)

    def sees_class_of(self, asset: ReadAsset, looked_at: FieldClass) -> bool:
        """Return whether the fields of a class are seen of an asset."""
        sensitivity, purposes = looked_at
        return bool(self.decide(ReadField(asset.asset_type, "", sensitivity, purposes, self.purpose, asset)))

    def sees_class_of_all(self, asset_type: str, looked_at: FieldClass) -> bool:
        """Return whether one role alone sees the fields of a class of every asset of a type."""
        sensitivity, purposes = looked_at
        field = ReadField(asset_type, "", sensitivity, purposes, self.purpose)
        return any(
            rule.sees_all(asset_type) and rule.allows(role, field)
            for role, rule in self.policy.rules(self.roles).items()
        )

    def sends(self, asset_type: str, asset: str, parameter: str, properties: Mapping[str, object]) -> Decision:
        """Decide whether a command may be sent."""
        return self.decide(SendCommand(parameter, ReadAsset(asset_type, asset, properties)))

    def see_whole(self, model: TwinModel) -> bool:
        """Return whether every asset and every signal of a twin is seen, and none of them is personal."""
        return all(
            not is_personal(looked_at) and self.sees_class_of_all(name, looked_at)
            for name, kind in model.asset_types.items()
            for looked_at in {field_class(spec) for spec in kind.signals.values()} | {id_class(kind)}
        )

    def see_everything(self, model: TwinModel) -> bool:
        """Return whether there is nothing in a twin that isn't seen, and nothing personal."""
        fields = [spec for kind in model.asset_types.values() for spec in kind.properties.values()]
        fields += [spec for kind in model.event_types.values() for spec in kind.properties.values()]
        classes = {field_class(spec) for spec in fields} | {_OPEN}
        names = [*model.asset_types, ""]
        return self.see_whole(model) and all(
            not is_personal(looked_at) and self.sees_class_of_all(name, looked_at)
            for looked_at in classes
            for name in names
        )
