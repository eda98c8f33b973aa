"""Names of people in the tags and texts of readings are replaced by pseudonyms."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twinlab.edge.pseudonyms.rule import PseudonymRule
from twinlab.edge.pseudonyms.secrets_file import Secret, SecretsFile
from twinlab.edge.readings import MAX_TAGS, Readings
from twinlab.errors import SchemaError
from twinlab.signing.subjects.pseudonyms import Pseudonyms

__all__ = ["IdReplacer"]


class IdReplacer:
    """Replaces the ids of people in readings.

    The pseudonym of a person depends on the purpose, the secret of the time of the row and its epoch alone: rows that are written again
    have the same.

    Parameters
    ----------
    rule : PseudonymRule

    Raises
    ------
    SchemaError
        If the file of secrets can't be read.
    """

    def __init__(self, rule: PseudonymRule) -> None:
        self._rule, self._file = rule, SecretsFile(Path(rule.key))
        self._patterns = [re.compile(one) for one in rule.tags]
        self._id_in = lru_cache(maxsize=1 << 16)(self._find_id)
        self._names_in_texts = lru_cache(maxsize=1 << 16)(
            lambda tag: any(fnmatchcase(tag, pattern) for pattern in rule.texts)
        )
        self._secrets: tuple[Secret, ...] = ()
        self._pseudonyms: list[Pseudonyms] = []
        self._read()

    def names_person(self, tag: str) -> bool:
        """Return whether a tag names a person."""
        return self._id_in(tag) is not None

    def replace(self, rows: Readings) -> Readings:
        """Return readings without names.

        Raises
        ------
        SchemaError
            If the file of secrets can't be read, or there would be more than 65,536 tags.
        """
        named = [code for code, tag in enumerate(rows.tags) if self.names_person(tag)]
        spoken = [] if rows.texts is None else [c for c, tag in enumerate(rows.tags) if self._names_in_texts(tag)]
        if not named and not spoken:
            return rows
        self._read()
        periods = self._periods(rows.times)
        # Texts first: their patterns are of tags as the machine names them.
        texts = self._texts(rows, np.isin(rows.codes, spoken), periods) if spoken else rows.texts
        return self._tags(replace(rows, texts=texts), set(named), periods) if named else replace(rows, texts=texts)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _find_id(self, tag: str) -> tuple[int, int] | None:
        """Return where the id of a person is in a tag; None for a tag that names nobody."""
        for pattern in self._patterns:
            match = pattern.search(tag)
            if match is not None and match["id"]:
                return match.span("id")
        return None

    def _read(self) -> None:
        secrets = self._file.read()
        if secrets is not self._secrets:
            self._secrets, self._pseudonyms = secrets, [Pseudonyms(one.key) for one in secrets]

    def _periods(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the number of the secret and the epoch of each row, shape (rows, 2)."""
        starts = np.array([one.start for one in self._secrets], dtype=np.int64)
        secrets = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
        length = self._rule.epoch_ns
        epochs = np.zeros(len(times), dtype=np.int64) if length is None else times // length
        return np.stack([secrets.astype(np.int64), epochs], axis=1)

    def _name(self, name: str, secret: int, epoch: int) -> str:
        return self._pseudonyms[secret](self._rule.purpose, epoch, name.strip())

    def _texts(
        self, rows: Readings, mask: npt.NDArray[np.bool_], periods: npt.NDArray[np.int64]
    ) -> tuple[str | None, ...]:
        texts = list(rows.texts or ())
        for place in np.flatnonzero(mask).tolist():
            text = texts[place]
            if text is not None and text.strip():
                texts[place] = self._name(text, *periods[place].tolist())
        return tuple(texts)

    def _tags(self, rows: Readings, named: set[int], periods: npt.NDArray[np.int64]) -> Readings:
        places: dict[tuple[str, str | None], int] = {}
        codes = np.empty(len(rows), dtype=np.int64)
        for code, (tag, unit) in enumerate(zip(rows.tags, rows.units, strict=True)):
            mine = np.flatnonzero(rows.codes == code)
            if code not in named:
                codes[mine] = places.setdefault((tag, unit), len(places))
                continue
            start, stop = self._id_in(tag) or (0, 0)
            of_rows = periods[mine]
            for secret, epoch in np.unique(of_rows, axis=0).tolist():
                new = f"{tag[:start]}{self._name(tag[start:stop], secret, epoch)}{tag[stop:]}"
                at = mine[(of_rows == (secret, epoch)).all(axis=1)]
                codes[at] = places.setdefault((new, unit), len(places))
        if len(places) > MAX_TAGS:
            msg = f"expected at most {MAX_TAGS} tags in one group of rows, got {len(places)}; write fewer rows at once"
            raise SchemaError(msg)
        tags, units = zip(*places, strict=True)
        return replace(rows, tags=tags, units=units, codes=codes.astype(np.uint16))
