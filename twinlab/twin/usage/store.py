"""Counts of use in the twin's folder, a file a month, which several processes add to."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.errors import SourceError

__all__ = ["MOST_KEYS", "MOST_MONTHS", "Counts", "UsageStore"]

_LOG = logging.getLogger(__name__)
#: Day such as "2026-03-02" -> what, such as "page:now" -> how often.
Counts = dict[str, dict[str, int]]
#: Older months are removed: two years are enough to see whether a twin is used.
MOST_MONTHS = 24
#: Of one day; others are counted as "other".
MOST_KEYS = 100
_OTHER = "other:other"
_FILE = re.compile(r"\d{4}-\d{2}\.json")
_KEY = re.compile(r"[a-z]+:[a-z0-9_]{1,40}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class UsageStore:
    """Files with counts.

    Parameters
    ----------
    folder : Path
        ``usage/`` in the twin's folder; made with the first counts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Add counts to those that are there; either all of a month are added or none.

        Raises
        ------
        HistoryConflictError
            If another process is adding; the counts can be added later.
        SourceError
            If nothing can be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            lock = Lock(self.folder / "lock", what="the counts of use", wait=1.0, named=False)
        except OSError as error:
            msg = f"{self.folder} can't be written: {error.strerror or error}; use isn't counted meanwhile"
            raise SourceError(msg) from error
        with lock:
            for month in sorted({day[:7] for day in counts}):
                path = self.folder / f"{month}.json"
                there = self._read(path, repair=True)
                for day, added in counts.items():
                    if day[:7] == month:
                        there[day] = _sum(there.get(day, {}), added)
                text = json.dumps(there, sort_keys=True, separators=(",", ":"))
                write_atomically(path, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))  # type: ignore[misc]
            for old in self._months()[:-MOST_MONTHS]:
                old.unlink(missing_ok=True)

    def read(self) -> Counts:
        """Return all counts; a file that can't be read is left out, and logged."""
        found: Counts = {}
        for path in self._months():
            found |= self._read(path)
        return found

    def _months(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _FILE.fullmatch(path.name))

    def _read(self, path: Path, *, repair: bool = False) -> Counts:
        """Return the counts of a file; with ``repair`` a damaged one is put aside, so that a new one can begin."""
        try:
            return _checked(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _LOG.warning("%s can't be read (%s); its counts are left out", path, error)
            if repair and isinstance(error, ValueError):
                path.replace(path.with_suffix(".damaged"))
            return {}


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of counts, of at most so many names."""
    total = Counter(one)
    for key, number in other.items():
        known = key in total or (len(total) < MOST_KEYS and _KEY.fullmatch(key))
        total[key if known else _OTHER] += number
    return dict(total)


def _checked(data: object) -> Counts:
    """Return what a file contains if it is counts.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(data, dict):
        msg = f"expected days, got {type(data).__name__}"
        raise ValueError(msg)  # noqa: TRY004  (as json raises)
    for day, counts in data.items():
        right = _DAY.fullmatch(day) and isinstance(counts, dict)
        if not right or not all(type(one) is int and one >= 0 for one in counts.values()):
            msg = f"expected counts of a day, got {day!r}"
            raise ValueError(msg)
    return data
