"""Which KPI a name means: one of ``twin.yaml``, or a kind of KPI that is used directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.kpis.registry import KPI_KINDS
from twinlab.model.extensions.options import fault_text
from twinlab.model.kpis.definition import Kpi
from twinlab.model.kpis.subjects import Subjects
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.extensions.kpi_kind import KpiKind
    from twinlab.model.twinmodel import TwinModel

__all__ = ["definition_of"]


def definition_of(model: TwinModel, name: str | Kpi, on: str | None) -> tuple[str, Kpi]:
    """Return a KPI's name and its definition, with what its kind says where it says nothing itself.

    Parameters
    ----------
    name : str or Kpi
        A key of ``kpis:`` in ``twin.yaml``; a kind of KPI, together with `on`: the KPI of ``twin.yaml`` of that kind on that type,
        else the kind without options; or a definition that isn't in ``twin.yaml``.
    on : str, optional
        Asset type or event type; needed with a kind.

    Raises
    ------
    UnknownTermError
        If there is no such KPI.
    SchemaError
        If a kind is used without ``on`` or needs options, a KPI is on something else than ``on``, or it doesn't fit the model.
    """
    if isinstance(name, Kpi):
        return _fitting(model, "kpi", name)
    if name in model.kpis and on in (None, model.kpis[name].on):
        return _fitting(model, name, model.kpis[name])
    if name not in model.kpis and name not in KPI_KINDS:
        msg = (
            f"there is no KPI {name!r} in twin.yaml, nor such a kind{nearest(name, [*model.kpis, *KPI_KINDS.names()])}"
        )
        raise UnknownTermError(msg)
    alike = _alike(model, name)
    having = [key for key, one in alike.items() if one.on == on]
    if len(having) == 1:
        return _fitting(model, having[0], alike[having[0]])
    if having:
        msg = f"several KPIs of twin.yaml are of the kind {name!r} on {on!r}: name one of {', '.join(having)}"
        raise SchemaError(msg)
    if on is None:
        raise SchemaError(_without_type(name, alike))
    if name in model.kpis:
        raise SchemaError(_on_another(model, name, on, alike))
    kind = KPI_KINDS.get(name)
    if on not in _types(model, kind):
        msg = f"the KPI {name!r} ({kind.title}) is of an {kind.on}, got on={on!r}{nearest(on, _types(model, kind))}"
        raise SchemaError(msg)
    try:
        return _fitting(model, name, Kpi.model_validate({"on": on, name: {}}))
    except ValidationError as error:
        raise SchemaError(_lacking_options(name, on, error)) from None


def _alike(model: TwinModel, name: str) -> dict[str, Kpi]:
    """Return the KPIs of ``twin.yaml`` of a kind, or of the kind of the KPI of that name."""
    kind = model.kpis[name].kind if name in model.kpis else KPI_KINDS.get(name)
    return {key: one for key, one in model.kpis.items() if kind is not None and one.kind is kind}


def _defined_on(alike: Mapping[str, Kpi]) -> str:
    return ", ".join(f"{one.on} ({key!r})" for key, one in alike.items())


def _without_type(name: str, alike: Mapping[str, Kpi]) -> str:
    kind = KPI_KINDS.get(name)
    defined = f", twin.yaml has it on {_defined_on(alike)}" if alike else ""
    return f"expected on= with the {kind.on} that the KPI {name!r} ({kind.title}) is of{defined}; or define it in `kpis:` of twin.yaml"


def _types(model: TwinModel, kind: KpiKind | None) -> Mapping[str, object]:
    events = Subjects(model).event_types
    if kind is None:
        return {**model.asset_types, **events}
    return model.asset_types if kind.on == "asset type" else events


def _on_another(model: TwinModel, name: str, on: str, alike: Mapping[str, Kpi]) -> str:
    found = model.kpis[name].complete(name)
    kind = found.kind
    others = {key: one for key, one in alike.items() if key != name}
    also = f", and others of its kind on {_defined_on(others)}" if others else ""
    said = f"the KPI {name!r} of twin.yaml ({found.title}: {(found.definition or found.formula or '').rstrip('.')}) is on {found.on!r}{also}"
    types = _types(model, kind)
    if on not in types:
        what = kind.on if kind is not None else "asset type or event type"
        return f"{said}, got on={on!r}, which is no {what}{nearest(on, types)}; leave `on` out"
    example = f"{{on: {on}, formula: …}}" if kind is None else _example(kind, on)
    return (
        f"{said}, got on={on!r}; leave `on` out, or define one in `kpis:` of twin.yaml, such as {on}_{name}: {example}"
    )


def _example(kind: KpiKind, on: str) -> str:
    needed = [key for key, field in kind.options.model_fields.items() if field.is_required()]
    return f"{{on: {on}, {kind.name}: {{{', '.join(f'{key}: …' for key in needed)}}}}}"


def _lacking_options(name: str, on: str, error: ValidationError) -> str:
    kind = KPI_KINDS.get(name)
    needed = [key for key, field in kind.options.model_fields.items() if field.is_required()]
    if not needed:
        return "; ".join(fault_text(details) for details in error.errors())
    options = f"option {needed[0]}" if len(needed) == 1 else f"options {', '.join(needed[:-1])} and {needed[-1]}"
    about = kind.definition.rstrip(".")
    return (
        f"the KPI {name!r} ({kind.title}: {about}) needs the {options}; define it in `kpis:` of twin.yaml, such as "
        f"{on}_{name}: {_example(kind, on)}"
    )


def _fitting(model: TwinModel, name: str, found: Kpi) -> tuple[str, Kpi]:
    faults = found.faults(model)
    if faults:
        msg = f"KPI {name!r}: " + "; ".join(f"{key}: {text}" for key, text in faults)
        raise SchemaError(msg)
    return name, found.complete(name)
