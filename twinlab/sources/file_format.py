"""Definition of a file format: how its files are recognised, its options, and how they are opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.model.extensions.options import Options
from twinlab.sources.opening import kind_of, open_bytes, read_some

if TYPE_CHECKING:
    from twinlab.sources.base import Source
    from twinlab.sources.reading import Reading

__all__ = ["TEXT_KINDS", "FileFormat", "FileHead", "never"]

#: Kinds of `FileHead.kind` that may contain text: as it is, or compressed.
TEXT_KINDS = frozenset({"text", "gzip", "zip", "empty"})
_HEAD_BYTES = 1 << 16


class FileHead:
    """The start of a file, by which a format decides whether it can read the file.

    Parameters
    ----------
    path : Path
    reading : Reading
        The options given by the user.
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        self.path = path
        self.reading = reading

    @cached_property
    def kind(self) -> str:
        """The kind of file by its first bytes: "text" (also unknown binary), "gzip", "excel", "parquet", ..."""
        return kind_of(self.path)

    @cached_property
    def first_bytes(self) -> bytes:
        """The first 64 KiB: of the file, or of the one file in a gzip or zip archive."""
        with open_bytes(self.path) as stream:
            return read_some(stream, _HEAD_BYTES, self.path)

    @cached_property
    def suffixes(self) -> tuple[str, ...]:
        """The name's suffixes in lower case, the last one first."""
        return tuple(suffix.lower() for suffix in reversed(self.path.suffixes))


def never(head: FileHead) -> bool:
    """Return False: for a format that only a suffix or the option ``format`` chooses."""
    del head
    return False


@dataclass(frozen=True)
class FileFormat:
    """A format of files that `open_source` can choose.

    Parameters
    ----------
    name : str
        As in ``reading: {format: ...}`` of a mapping, and as the entry point is called.
    open : callable
        ``open(path=, name=, mapping=, reading=) -> Source``, and ``options=`` if the format has options. A class derived
        from `FileSource` will do. Called with a file that exists.
    suffixes : tuple of str
        Suffixes of such files in lower case, with the dot.
    recognises : callable
        ``recognises(head) -> bool``, given a `FileHead`: whether the first bytes, or an option that only this format has,
        prove the format. It counts more than a suffix, so it must be False for the files of every other format.
    resembles : callable
        ``resembles(head) -> bool``: whether the first bytes look like the format. Asked when no format recognises the
        file and no suffix decides.
    options : type of Options
        Options under ``reading: {format: ..., options: {...}}``.
    signature : bool
        A format of loggers or historians, which `recognises` finds by a signature: its reader names the columns in its own
        way, so a file with a mapping is read by it only if the mapping states ``reading: {format: ...}``.
    binary : bool
        Whether a suffix alone may choose the format for a file that isn't text.
    """

    name: str
    open: Callable[..., Source]
    suffixes: tuple[str, ...] = ()
    recognises: Callable[[FileHead], bool] = never
    resembles: Callable[[FileHead], bool] = never
    options: type[Options] = Options
    signature: bool = False
    binary: bool = False
