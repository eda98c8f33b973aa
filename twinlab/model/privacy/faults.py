"""What of ``purposes``, ``privacy`` and the declared fields doesn't fit together."""

from __future__ import annotations

from collections.abc import Mapping

from twinlab.model.basics import parse_duration
from twinlab.model.privacy.declarations import Declarations, DeclaredProperty
from twinlab.model.privacy.fields import DataField, fields_of
from twinlab.model.terms import nearest

__all__ = ["privacy_faults"]

_DAY = 86_400 * 10**9


def privacy_faults(model: Declarations) -> list[str]:
    """Return the faults, a line each, which begins with the place in ``twin.yaml``."""
    faults: list[str] = []
    for field in fields_of(model):
        for purpose in field.purposes or ():
            if purpose not in model.purposes:
                known = nearest(purpose, model.purposes)
                faults.append(f"{field.path}.purposes: there is no purpose {purpose!r}{known}")
        if field.kind == "property":
            faults += _subject_faults(model, field)
    for name, age in (model.privacy.retention if model.privacy else {}).items():
        if parse_duration(age) < _DAY:
            faults.append(f"privacy.retention.{name}: expected at least 1d, got {age!r}")
    return faults


def _subject_faults(model: Declarations, field: DataField) -> list[str]:
    if field.subject is None:
        return []
    owners = model.asset_types if field.part == "asset_types" else model.event_types
    properties: Mapping[str, DeclaredProperty] = owners[field.owner].properties
    where = f"{field.path}.subject"
    if not field.personal:
        return [f"{where}: only personal or sensitive properties have a subject; {field.name!r} is {field.sensitivity}"]
    if field.subject not in properties:
        return [f"{where}: there is no property {field.subject!r} of {field.owner}{nearest(field.subject, properties)}"]
    spec = properties[field.subject]
    if spec.sensitivity not in ("personal", "sensitive"):
        return [f"{where}: expected a personal property, got {field.subject!r}, which is {spec.sensitivity}"]
    return []
