"""Carriers: bring signed commands to devices and signed answers back, over MQTT 5, OPC UA or a gateway of old machines.

In: ``control.yaml`` of a twin's folder, and envelopes. Out: the answers of the devices that they were for, verified.
Read in order: `carrier` (what each implements), `registry`, `settings` (``control.yaml``), `verifying`, one module for each: `mqtt` (in `turns`),
`opcua`, `modbus`; `endpoints` (all of a twin, as other rooms call them).
Never: a command that is sent a second time by itself; an answer that isn't signed by the device of its target; a secret in YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.control.carriers.carrier import Carrier, CarrierContext, CarrierKind, Reported
    from twinlab.control.carriers.endpoints import Endpoints, open_endpoints
    from twinlab.control.carriers.registry import CARRIER_KINDS
    from twinlab.control.carriers.settings import ControlSettings, read_control

__all__ = [
    "CARRIER_KINDS",
    "Carrier",
    "CarrierContext",
    "CarrierKind",
    "ControlSettings",
    "Endpoints",
    "Reported",
    "open_endpoints",
    "read_control",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "CARRIER_KINDS": "registry",
        "Carrier": "carrier",
        "CarrierContext": "carrier",
        "CarrierKind": "carrier",
        "ControlSettings": "settings",
        "Endpoints": "endpoints",
        "Reported": "carrier",
        "open_endpoints": "endpoints",
        "read_control": "settings",
    },
)
