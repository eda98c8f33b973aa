"""The kind `mqtt`, as a mapping names it. Its source is imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.mqtt.options import MqttOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["MQTT"]


def _open(options: MqttOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.mqtt.source import MqttSource  # noqa: PLC0415

    return MqttSource(options, context)


MQTT = LiveKind("mqtt", _open, MqttOptions, needs=("aiomqtt",), extra="mqtt")
