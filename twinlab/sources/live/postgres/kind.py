"""The kind `postgres`, as a mapping names it. Its source is imported when it is opened: it needs the client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live.postgres.options import PostgresOptions

if TYPE_CHECKING:
    from twinlab.sources.live.protocol import LiveContext, LiveSource

__all__ = ["POSTGRES"]


def _open(options: PostgresOptions, context: LiveContext) -> LiveSource:
    from twinlab.sources.live.postgres.source import PostgresSource  # noqa: PLC0415  (needs psycopg)

    return PostgresSource(options, context)


POSTGRES = LiveKind("postgres", _open, PostgresOptions, needs=("psycopg",), extra="postgres", ends=True)
