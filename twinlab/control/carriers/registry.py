"""The registry of kinds of carriers.

A package adds one with an entry point of the group ``twinlab.carriers`` that names a `CarrierKind`.
"""

from __future__ import annotations

from twinlab.control.carriers.carrier import CarrierKind
from twinlab.model.registry import Registry

__all__ = ["CARRIER_KINDS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, CarrierKind):
        return f"expected a twinlab.control.carriers.CarrierKind, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the kind is"


CARRIER_KINDS: Registry[CarrierKind] = Registry(
    "twinlab.carriers",
    kind="kind of carrier",
    built_in={
        "mqtt": "twinlab.control.carriers.mqtt:MQTT",
        "opcua": "twinlab.control.carriers.opcua:OPCUA",
        "modbus": "twinlab.control.carriers.modbus:MODBUS",
    },
    check=_fault,
)
