"""The dictionaries of a segment: each distinct tag, unit, file and name is written once and has a number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numcodecs import blosc

__all__ = ["DOMAINS", "Tables"]

#: Dictionary columns of observations, and the names in frame heads (record types, file ids).
DOMAINS = ("tag", "unit", "origin_file", "time_basis", "name")


class Tables:
    """Numbers the distinct texts of a segment, in order of their first occurrence; numbers never change."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {d: [] for d in DOMAINS}
        self._codes: dict[str, dict[str, int]] = {d: {} for d in DOMAINS}
        self._arrays: dict[str, pa.Array] = {}
        self._maps: dict[str, tuple[pa.Array, npt.NDArray[np.int32], bool]] = {}
        self._usual: list[int] = []
        self._usual_array: npt.NDArray[np.int32] | None = None
        self._written = dict.fromkeys(DOMAINS, 0)

    def code(self, domain: str, text: str) -> int:
        """Return the number of a text; a new text gets the next number."""
        codes = self._codes[domain]
        found = codes.get(text)
        if found is None:
            found = codes[text] = len(codes)
            self._texts[domain].append(text)
        return found

    def find(self, domain: str, texts: Iterable[str]) -> list[int]:
        """Return the numbers of those texts that are known."""
        codes = self._codes[domain]
        return [codes[t] for t in texts if t in codes]

    def texts(self, domain: str) -> Sequence[str]:
        """Return all texts in the order of their numbers; not to be changed."""
        return self._texts[domain]

    def text(self, domain: str, code: int) -> str | None:
        """Return the text of a number; None for -1."""
        return None if code < 0 else self._texts[domain][code]

    def size(self, domain: str) -> int:
        """Return how many texts are known."""
        return len(self._texts[domain])

    def array(self, domain: str) -> pa.Array:
        """Return all texts of a domain; the same object until one is added."""
        known = self._arrays.get(domain)
        texts = self._texts[domain]
        if known is None or len(known) != len(texts):
            known = self._arrays[domain] = pa.array(texts, pa.string())
        return known

    def codes(self, domain: str, column: pa.DictionaryArray) -> npt.NDArray[Any]:
        """Translate a dictionary column to this segment's numbers, shape (n,); -1 means null."""
        last = self._maps.get(domain)
        if last is None or not last[0].equals(column.dictionary):
            known = self._codes[domain]
            texts = column.dictionary.to_pylist()
            # The last element is for index -1, which nulls become below; -2 is a text that has no number yet.
            numbers = np.array([-1 if t is None else known.get(t, -2) for t in texts] + [-1], dtype=np.int32)
            last = self._maps[domain] = (column.dictionary, numbers, _is_identity(numbers))
        indices = column.indices
        if last[2] and not indices.null_count:
            same: npt.NDArray[Any] = indices.to_numpy()
            return same
        rows = (indices.fill_null(-1) if indices.null_count else indices).to_numpy()
        codes: npt.NDArray[Any] = last[1][rows]
        if len(codes) and codes.min() == -2:
            # Only texts that occur get a number: a shared dictionary may have many others.
            for place in np.unique(rows[codes == -2]).tolist():
                last[1][place] = self.code(domain, last[0][place].as_py())
            self._maps[domain] = (last[0], last[1], _is_identity(last[1]))
            codes = last[1][rows]
        return codes

    def usual_units(self, tags: npt.NDArray[Any], units: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Return the usual unit code of each row's tag, which is that of the tag's first row."""
        known, total = len(self._usual), self.size("tag")
        if known < total:
            fresh = np.full(total - known, -1, dtype=np.int32)
            rows = np.flatnonzero(tags >= known)[::-1]  # so that the first row of a tag is written last
            fresh[tags[rows] - known] = units[rows]
            self._usual.extend(fresh.tolist())
        return self.usual.take(tags)

    @property
    def usual(self) -> npt.NDArray[np.int32]:
        """Usual unit code of each tag, shape (tags,)."""
        if self._usual_array is None or len(self._usual_array) != len(self._usual):
            self._usual_array = np.array(self._usual, dtype=np.int32)
        return self._usual_array

    def pack_new(self) -> bytes | None:
        """Pack the texts added since the last call; None if there are none."""
        body: dict[str, list[str] | list[int]] = {}
        for domain, done in self._written.items():
            if done < len(self._texts[domain]):
                body[domain] = self._texts[domain][done:]
        if not body:
            return None
        if "tag" in body:
            done = self._written["tag"]
            # Tags without a unit have no usual unit.
            self._usual.extend([-1] * (self.size("tag") - len(self._usual)))
            body["usual"] = self._usual[done:]
        self._written = {d: len(t) for d, t in self._texts.items()}
        return bytes(
            blosc.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), b"zstd", 3, 0)
        )

    def load_new(self, payload: bytes) -> None:
        """Add the texts that `pack_new` packed."""
        body = json.loads(blosc.decompress(payload))
        for domain in DOMAINS:
            for text in body.get(domain, ()):
                self.code(domain, text)
        self._usual.extend(body.get("usual", ()))
        self._written = {d: len(t) for d, t in self._texts.items()}

    def mark(self) -> dict[str, int]:
        """Return the sizes of the dictionaries, for `roll_back`."""
        return dict(self._written)

    def roll_back(self, mark: dict[str, int]) -> None:
        """Remove all texts that were added since `mark`: they weren't written."""
        for domain, size in mark.items():
            for text in self._texts[domain][size:]:
                del self._codes[domain][text]
            del self._texts[domain][size:]
        del self._usual[mark["tag"] :]
        self._usual_array = None
        self._arrays.clear()
        self._maps.clear()
        self._written = dict(mark)


def _is_identity(numbers: npt.NDArray[np.int32]) -> bool:
    """Return whether a map, apart from its last element, maps each number to itself."""
    return bool(np.array_equal(numbers[:-1], np.arange(len(numbers) - 1)))
