"""The kind `kafka`, as a mapping names it. Its source is imported when it is opened: it needs the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.kafka.options import KafkaOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["KAFKA"]


def _open(options: KafkaOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.kafka.source import KafkaSource  # noqa: PLC0415  (needs confluent_kafka)

    return KafkaSource(options, context)


KAFKA = LiveKind("kafka", _open, KafkaOptions, needs=("confluent_kafka",), extra="kafka", ends=True)
