"""The file of keys, which is read again whenever somebody signs: a revocation counts at once."""

from __future__ import annotations

from pathlib import Path

from twinlab.errors import SchemaError
from twinlab.model.load import parse_as
from twinlab.signing.keys.ring import KeyRing

__all__ = ["KeyRingFile"]


class KeyRingFile:
    """A key ring in a YAML file.

    Parameters
    ----------
    path : Path or str
        The file.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        #: Set at once: another thread never sees the bytes of one state with the ring of another.
        self._known: tuple[bytes, KeyRing] | None = None

    def read(self) -> KeyRing:
        """Return the ring as the file states it now. Several threads may read at once.

        The bytes are compared each time, because two changes within a tick of the file system's clock have the same time.

        Raises
        ------
        SchemaError
            If the file can't be read or isn't valid. An earlier state of it isn't used instead.
        """
        try:
            found = self._path.read_bytes()
            text = found.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{self._path}: expected a file of keys in UTF-8, got: {error}; without it nobody can send a command"
            raise SchemaError(msg) from error
        known = self._known
        if known is None or known[0] != found:
            known = self._known = found, parse_as(KeyRing, text, str(self._path), first="people:")
        return known[1]
