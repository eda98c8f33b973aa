"""The registry of rules for intrusions: twinlab's own, and those that other packages add as ``twinlab.intrusions``."""

from __future__ import annotations

from twinlab.events.intrusion.rule import IntrusionRule
from twinlab.model.registry import Registry

__all__ = ["INTRUSION_RULES"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, IntrusionRule):
        return f"expected a twinlab.events.intrusion.IntrusionRule, got a {type(found).__name__}"
    return found.fault() or (
        "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the rule is"
    )


INTRUSION_RULES: Registry[IntrusionRule] = Registry(
    "twinlab.intrusions",
    kind="rule for intrusions",
    built_in={
        "new_client": "twinlab.events.intrusion.connections:NEW_CLIENT",
        "shared_certificate": "twinlab.events.intrusion.connections:SHARED_CERTIFICATE",
        "certificate_failure": "twinlab.events.intrusion.connections:CERTIFICATE_FAILURE",
        "access_refused": "twinlab.events.intrusion.connections:ACCESS_REFUSED",
        "many_connections": "twinlab.events.intrusion.connections:MANY_CONNECTIONS",
        "unproven_message": "twinlab.events.intrusion.messages:UNPROVEN_MESSAGE",
        "sequence_regression": "twinlab.events.intrusion.messages:SEQUENCE_REGRESSION",
        "epoch_change": "twinlab.events.intrusion.messages:EPOCH_CHANGE",
        "rate": "twinlab.events.intrusion.traffic:RATE",
        "command_out_of_hours": "twinlab.events.intrusion.commanding:COMMAND_OUT_OF_HOURS",
        "command_refused": "twinlab.events.intrusion.commanding:COMMAND_REFUSED",
        "command_outside_rules": "twinlab.events.intrusion.commanding:COMMAND_OUTSIDE_RULES",
        "device_record": "twinlab.events.intrusion.commanding:DEVICE_RECORD",
        "login_refused": "twinlab.events.intrusion.commanding:LOGIN_REFUSED",
        "false_sensor": "twinlab.events.intrusion.sensors.rule:FALSE_SENSOR",
    },
    check=_fault,
)
