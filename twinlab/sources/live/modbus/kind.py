"""The kind `modbus`, as a mapping names it. Its source is imported when it is opened: it needs the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.modbus.options import ModbusOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["MODBUS"]


def _open(options: ModbusOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.modbus.source import ModbusSource  # noqa: PLC0415  (needs pymodbus)

    return ModbusSource(options, context)


MODBUS = LiveKind("modbus", _open, ModbusOptions, needs=("pymodbus",), extra="modbus")
