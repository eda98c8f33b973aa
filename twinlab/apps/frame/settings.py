"""Settings of one reader (columns, clock, dismissed introduction), stored in a file between visits."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from twinlab._files import file_name, replace_file
from twinlab._locks import Lock
from twinlab.apps.login.private_files import write_private
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.apps.login.access import User

__all__ = ["Settings", "config_folder", "settings_for"]

_LOG = logging.getLogger(__name__)
#: Largest settings file that is read, bytes.
_MAX_BYTES = 1_000_000


class Settings(MutableMapping[str, Any]):
    """Settings as a mapping of names to JSON values.

    Each assignment is written at once, under a lock, and merged into what other sessions have written meanwhile. A file
    that can't be read is renamed to ``….damaged``, and the settings start empty.

    Parameters
    ----------
    path : Path
        The file; created, with its folder, by the first assignment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        self._stamp: tuple[int, ...] | None = None

    def __getitem__(self, key: str) -> Any:
        # A copy: a list changed in place would not be written, and would be shared with other sessions.
        return copy.deepcopy(self._now()[key])

    def __setitem__(self, key: str, value: Any) -> None:
        try:
            value = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            msg = f"setting {key!r} must be made of text, numbers, booleans, lists and mappings: {error}"
            raise SchemaError(msg) from error
        self._change(lambda known: known.update({key: value}))

    def __delitem__(self, key: str) -> None:
        self._change(lambda known: known.pop(key))

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._now()))

    def __len__(self) -> int:
        return len(self._now())

    def __repr__(self) -> str:
        return f"Settings({str(self.path)!r}, {self._now()!r})"

    def _now(self) -> dict[str, Any]:
        """Return the content of the file; read again only if the file was replaced."""
        stamp = self._stamp_of_file()
        if stamp != self._stamp:
            self._known, self._stamp = self._read(), stamp
        return self._known

    def _stamp_of_file(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                found = json.loads(file.read(_MAX_BYTES + 1))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("the settings in %s can't be read (%s); they start empty", self.path, error)
            return {}
        if not isinstance(found, dict):
            _LOG.warning("the settings in %s are no mapping; they start empty", self.path)
            return {}
        return found

    def _change(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Apply a change to the current content of the file and write it, while other sessions wait."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The lock is a separate file, because each write replaces the settings file.
            with Lock(self.path.with_name(f"{self.path.name}.lock"), what="the settings", wait=None):
                self._rename_damaged_file()
                known = self._read()
                change(known)
                write_private(self.path, json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True))
        except OSError as error:
            # A full disk or a read-only home must not break the page: the setting then lasts for this session.
            _LOG.warning("the settings can't be saved in %s: %s", self.path, error)
            known = dict(self._now())
            change(known)
        self._known, self._stamp = known, self._stamp_of_file()

    def _rename_damaged_file(self) -> None:
        try:
            damaged = not isinstance(json.loads(self.path.read_bytes()), dict)
        except FileNotFoundError:
            return
        except (ValueError, RecursionError):
            damaged = True
        if damaged:
            renamed = self.path.with_name(f"{self.path.name}.damaged")
            replace_file(self.path, renamed)
            _LOG.warning("the damaged settings were renamed to %s", renamed)


def settings_for(user: User | None, twin_name: str) -> Settings:
    """Return a reader's settings for one twin.

    Parameters
    ----------
    user : User or None
        None is the reader of a page without login, whose settings are in the user's own configuration folder.
    twin_name : str
        ``twin.model.twin``.

    Returns
    -------
    Settings
        Empty at the first visit.
    """
    if user is not None and user.home is not None:
        return Settings(user.home / file_name(twin_name) / f"{file_name(user.name)}.json")
    name = "me" if user is None else f"@{file_name(user.name)}"
    return Settings(config_folder() / "settings" / file_name(twin_name) / f"{name}.json")


def config_folder() -> Path:
    """Return the user's configuration folder for twinlab: ``TWINLAB_CONFIG``, or the system's default."""
    named = os.environ.get("TWINLAB_CONFIG")
    return Path(named).expanduser() if named else platformdirs.user_config_path("twinlab")
