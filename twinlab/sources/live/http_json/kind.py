"""The kind `http`, as a mapping names it. Its source is imported when it is opened: it needs the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.http_json.options import HttpOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["HTTP"]


def _open(options: HttpOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.http_json.source import HttpSource  # noqa: PLC0415  (needs httpx)

    return HttpSource(options, context)


HTTP = LiveKind("http", _open, HttpOptions, needs=("httpx",), extra="http")
