"""New complete lines of a growing log, from where a search stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Tail", "read_tail"]

#: Bytes that are read at once; further ones come with the next round.
_AT_ONCE = 16 << 20
#: A log that is larger is moved to ``<name>.1`` once it is searched.
_LARGE = 64 << 20
#: Bytes from the beginning by which a file is recognised.
_HEAD = 200


@dataclass(frozen=True)
class Tail:
    """Lines, and where the next ones begin."""

    lines: tuple[str, ...]
    offset: int
    head: str
    """Beginning of the file: another file with the same name begins differently."""


def read_tail(path: Path, offset: int, head: str) -> Tail:
    """Return the complete lines after an offset; of another file than before, all.

    Parameters
    ----------
    path : Path
        It needn't exist.
    offset : int
        Of `Tail`; 0 at first.
    head : str
        Of `Tail`; empty at first.
    """
    try:
        with path.open("rb") as log:
            begins = log.read(_HEAD).decode("utf-8", errors="replace").partition("\n")[0]
            size = log.seek(0, 2)
            if size < offset or (head and not begins.startswith(head)):
                offset = 0
            log.seek(offset)
            part = log.read(_AT_ONCE)
    except FileNotFoundError:
        return Tail((), 0, "")
    whole = part[: part.rfind(b"\n") + 1]
    offset += len(whole)
    if offset == size and size > _LARGE:
        path.replace(path.with_name(f"{path.name}.1"))
        offset, begins = 0, ""
    return Tail(tuple(whole.decode("utf-8", errors="replace").splitlines()), offset, begins)
