"""The kind `opcua`, as a mapping names it. Its source is imported when it is opened: it needs the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.opcua.options import OpcuaOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["OPCUA"]


def _open(options: OpcuaOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.opcua.source import OpcuaSource  # noqa: PLC0415  (needs asyncua)

    return OpcuaSource(options, context)


OPCUA = LiveKind("opcua", _open, OpcuaOptions, needs=("asyncua",), extra="opcua")
