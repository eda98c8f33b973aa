"""COMMANDS BESIDE A MACHINE: devices that verify commands themselves, and the gateway of machines that can't.

In: envelopes from anybody over MQTT or TLS. Out: signed answers and reports; at most one change of one setpoint for each command.
Read in order: `records` (what is kept of each message), `device` (a guard with its key and its watchdog), `mqtt_device` and `tls_server`
(how messages come), `modbus_actuator` (old machines), `settings` and `command_gateway` (the program before them).
Never: a change that no guard has checked; an answer without a signature; a device that starts with an empty memory in an old folder.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "CommandGateway": "command_gateway",
        "CommandedDevice": "device",
        "ModbusActuator": "modbus_actuator",
        "MqttDevice": "mqtt_device",
        "Records": "records",
        "TlsServer": "tls_server",
        "read_gateway_settings": "settings",
    },
)
