"""Search for assets by id or label, over all types at once; quick at hundreds of thousands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader

__all__ = ["AssetIndex", "find_assets"]

_COLUMNS = ("asset_type", "asset", "label", "match")
#: End of each key; not part of any id that people type.
_END = "\n"
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_CANDIDATES = 2_000


class AssetIndex:
    """The ids and labels of a twin's assets, prepared for `find_assets`.

    Parameters
    ----------
    twin : TwinReader
    asset_types : sequence of str, optional
        All by default.
    """

    def __init__(self, twin: TwinReader, asset_types: Sequence[str] | None = None) -> None:
        kinds: dict[str, pd.Series] = {}
        for kind in twin.model.asset_types if asset_types is None else asset_types:
            frame = twin.assets(kind)
            label = twin.model.asset_types[kind].label
            names = frame[label] if label is not None and label in frame else pd.Series("", index=frame.index)
            kinds[kind] = names.fillna("").astype("str")
        self._fill(kinds, {kind: twin.model.asset_types[kind].title or "" for kind in kinds})

    @classmethod
    def of(cls, labels: Mapping[str, Mapping[str, str]]) -> AssetIndex:
        """Return an index of plain mappings: asset type -> asset -> label."""
        out = cls.__new__(cls)
        out._fill({kind: pd.Series(dict(part), dtype="str") for kind, part in labels.items()}, {})  # noqa: SLF001  (another way to make one)
        return out

    def _fill(self, kinds: Mapping[str, pd.Series], titles: Mapping[str, str]) -> None:
        self._words = {
            word: kind
            for kind in kinds
            for name in (kind.replace("_", " "), titles.get(kind, ""))
            for word in (name.casefold(), name.casefold().removesuffix("s"))
            if word
        }
        self._ids: list[str] = []
        self._labels: list[str] = []
        self._first: dict[str, int] = {}
        for kind, names in kinds.items():
            self._first[kind] = len(self._ids)
            self._ids += [str(one) for one in names.index]
            self._labels += names.tolist()
        self._keys = [_Keys([one.casefold() for one in part]) for part in (self._ids, self._labels)]
        self._numbers = _Keys([_ZEROS.sub("", one.casefold()) if "0" in one else one.casefold() for one in self._ids])

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, text: str, *, limit: int = 20) -> pd.DataFrame:
        """Return the assets that match a text; see `find_assets`."""
        kind, wanted = self._meant(text.strip().casefold())
        if not wanted:
            return _frame([])
        span = self._span(kind)
        found: dict[int, str] = {}
        for how, place in self._hits(wanted, limit, span):
            if len(found) >= limit:
                break
            found.setdefault(place, how)
        if not found:
            found = dict.fromkeys(self._near(wanted, min(limit, 5), span), "nearest")
        return _frame([(self._kind(place), self._ids[place], self._labels[place], how) for place, how in found.items()])

    def _meant(self, text: str) -> tuple[str | None, str]:
        """Split "parcel 48213" or "parcel/48213" into the asset type and what is searched for."""
        for word in sorted(self._words, key=len, reverse=True):
            rest = text.removeprefix(word)
            if rest != text and rest[:1] in (" ", "/", "#") and rest.strip(" /#"):
                return self._words[word], rest.strip(" /#")
        return None, text

    def _span(self, kind: str | None) -> tuple[int, int]:
        if kind is None:
            return 0, len(self._ids)
        firsts = [*self._first.values(), len(self._ids)]
        place = list(self._first).index(kind)
        return firsts[place], firsts[place + 1]

    def _kind(self, place: int) -> str:
        kinds = list(self._first)
        return kinds[bisect_right(list(self._first.values()), place) - 1] if kinds else ""

    def _hits(self, wanted: str, limit: int, span: tuple[int, int]) -> Iterator[tuple[str, int]]:
        number = _ZEROS.sub("", wanted)
        for keys in self._keys:
            yield from (("exact", place) for place in keys.places(_END + wanted + _END, limit, span))
        yield from (("exact", place) for place in self._numbers.places(_END + number + _END, limit, span))
        if number.isdecimal():
            # "48213" is P0048213: the whole number within an id.
            for place in self._numbers.places(number, limit * 50, span):
                if re.search(rf"(?<!\d){number}(?!\d)", self._numbers.text(place)):
                    yield "number", place
        for keys in self._keys:
            yield from (("prefix", place) for place in keys.places(_END + wanted, limit, span))
        yield from (("prefix", place) for place in self._numbers.places(_END + number, limit, span))
        for keys in self._keys:
            yield from (("contains", place) for place in keys.places(wanted, limit, span))

    def _near(self, wanted: str, limit: int, span: tuple[int, int]) -> list[int]:
        """The nearest by spelling, among those that share the longest beginning (else the end)."""
        places: dict[str, int] = {}
        for size in range(len(wanted) - 1, 0, -1):
            for part in (_END + wanted[:size], wanted[-size:] + _END):
                for keys in self._keys:
                    for place in keys.places(part, _CANDIDATES, span):
                        places.setdefault(keys.text(place), place)
            if len(places) >= 50:
                break
        if not places:
            places = {key: span[0] + k for k, key in enumerate(self._keys[0].some(span, _CANDIDATES))}
        close = get_close_matches(wanted, places, n=limit, cutoff=0.6)
        return list(dict.fromkeys(places[one] for one in close))


def find_assets(labels: AssetIndex | Mapping[str, Mapping[str, str]], text: str, *, limit: int = 20) -> pd.DataFrame:
    """Return the assets that match a text by id or label; case is ignored.

    Parameters
    ----------
    labels : AssetIndex, or mapping of asset type to mapping of asset to label
        Reuse an index for repeated searches of many assets.
    text : str
        An id, a label, a part of one, or a number within an id without its leading zeros; with the asset type before it
        only that type is searched: ``"parcel 48213"``.
    limit : int
        Most rows.

    Returns
    -------
    DataFrame
        ``asset_type, asset, label, match``: "exact" first, then "number", "prefix", "contains". If nothing fits, the
        nearest by spelling, as "nearest".

    >>> find_assets({"parcel": {"P0048213": "", "P0148213": ""}}, "parcel 48213")["asset"].tolist()
    ['P0048213', 'P0148213']
    """
    index = labels if isinstance(labels, AssetIndex) else AssetIndex.of(labels)
    return index.find(text, limit=limit)


class _Keys:
    """Texts joined to one long text, so that one search in C goes through all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        clean = [key.replace(_END, " ") for key in keys]
        self._all = _END + _END.join(clean) + _END if clean else _END
        sizes = np.fromiter(map(len, clean), dtype=np.int64, count=len(clean))
        # Start of each key, after its `_END`.
        self._starts: NDArray[np.int64] = 1 + np.concatenate([[0], np.cumsum(sizes + 1)])

    def text(self, place: int) -> str:
        return self._all[self._starts[place] : self._starts[place + 1] - 1]

    def some(self, span: tuple[int, int], count: int) -> list[str]:
        return [self.text(place) for place in range(span[0], min(span[1], span[0] + count))]

    def places(self, part: str, limit: int, span: tuple[int, int]) -> Iterator[int]:
        """Yield the keys that contain a text, in order; each once."""
        at, stop = int(self._starts[span[0]]) - 1, int(self._starts[span[1]])
        for _ in range(limit):
            at = self._all.find(part, at, stop)
            if at < 0:
                return
            inside = at + 1 if part.startswith(_END) else at
            place = int(np.searchsorted(self._starts, inside, side="right")) - 1
            if place >= span[1]:
                return
            yield place
            at = int(self._starts[place + 1]) - 1


def _frame(rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype("str")
