"""Channels on this machine: Python's log, and a file with a line of JSON for each message."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from twinlab.errors import SourceError
from twinlab.model.alerts.channel import ChannelKind, Message
from twinlab.model.extensions.options import Options

__all__ = ["FILE", "LOG", "FileOptions", "LogOptions", "append_line", "write_log"]

_LOG = logging.getLogger("twinlab.alerts")


class LogOptions(Options):
    """Options of a channel that writes to Python's log; there are none."""


class FileOptions(Options):
    """Options of a channel that appends to a file."""

    path: str = "alerts.jsonl"
    """The file; a relative path is one in the twin's folder."""


def write_log(options: LogOptions, message: Message, folder: Path) -> None:
    """Write a message to the logger ``twinlab.alerts``, as a warning."""
    del options, folder
    _LOG.warning("%s\n%s", message.subject, message.text)


def append_line(options: FileOptions, message: Message, folder: Path) -> None:
    """Append a message as one line of JSON; it is on the disk when this returns.

    Raises
    ------
    SourceError
        If the file can't be written.
    """
    path = folder / options.path
    line = json.dumps({"subject": message.subject, "text": message.text, **message.data}, ensure_ascii=False) + "\n"
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        msg = f"{path} can't be written: {error.strerror or error}; correct the path of the channel or its rights"
        raise SourceError(msg) from error


LOG = ChannelKind("log", write_log, LogOptions)
FILE = ChannelKind("file", append_line, FileOptions)
