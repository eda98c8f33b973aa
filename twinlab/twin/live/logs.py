"""Logs as JSON, a line each, for journald and log shippers."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

__all__ = ["JsonFormatter", "log_as_json"]

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, and the record's own fields.

    >>> record = logging.makeLogRecord({"name": "twinlab.live", "levelname": "INFO", "msg": "ready", "created": 0.0, "port": 9})
    >>> JsonFormatter().format(record)
    '{"time": "1970-01-01T00:00:00.000Z", "level": "info", "logger": "twinlab.live", "message": "ready", "port": 9}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{whole}.{int(record.created * 1000) % 1000:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Write the logs of twinlab, and the warnings of all other packages, to a stream, stderr by default."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("twinlab").setLevel(level)
    logging.captureWarnings(capture=True)
