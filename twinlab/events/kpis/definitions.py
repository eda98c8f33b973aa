"""Which KPI a name means: one of ``twin.yaml``, or a kind of KPI that is used directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.kpis.registry import KPI_KINDS
from twinlab.model.extensions.options import fault_text
from twinlab.model.kpis.definition import Kpi
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.twinmodel import TwinModel

__all__ = ["definition_of"]


def definition_of(model: TwinModel, name: str | Kpi, on: str | None) -> tuple[str, Kpi]:
    """Return a KPI's name and its definition, with what its kind says where it says nothing itself.

    Parameters
    ----------
    name : str or Kpi
        A key of ``kpis:`` in ``twin.yaml``; a kind of KPI, without options; or a definition that isn't in ``twin.yaml``.
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
    if name in model.kpis:
        found = model.kpis[name]
        if on not in (None, found.on):
            msg = f"the KPI {name!r} of twin.yaml is on {found.on!r}, got on={on!r}; leave `on` out, or define another KPI"
            raise SchemaError(msg)
        return _fitting(model, name, found)
    if name not in KPI_KINDS:
        msg = (
            f"there is no KPI {name!r} in twin.yaml, nor such a kind{nearest(name, [*model.kpis, *KPI_KINDS.names()])}"
        )
        raise UnknownTermError(msg)
    if on is None:
        what = KPI_KINDS.get(name).on
        msg = f"expected on= with the {what} that the KPI {name!r} is of; or define it in `kpis:` of twin.yaml"
        raise SchemaError(msg)
    try:
        return _fitting(model, name, Kpi.model_validate({"on": on, name: {}}))
    except ValidationError as error:
        lines = "; ".join(fault_text(details) for details in error.errors())
        msg = f"{lines}. Define the KPI with its options in `kpis:` of twin.yaml"
        raise SchemaError(msg) from None


def _fitting(model: TwinModel, name: str, found: Kpi) -> tuple[str, Kpi]:
    faults = found.faults(model)
    if faults:
        msg = f"KPI {name!r}: " + "; ".join(f"{key}: {text}" for key, text in faults)
        raise SchemaError(msg)
    return name, found.complete(name)
