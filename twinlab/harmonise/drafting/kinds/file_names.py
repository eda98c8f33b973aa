"""Files (or sheets) of one layout whose names differ by the name of an asset."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from twinlab.model.quantities.names import name_parts

__all__ = ["NamedAssets", "assets_of_files", "assets_of_sheets"]

_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?[0-3]\d)?)?(?!\d)")
#: Placeholder of a date in a name.
_DATED = "\0"
_SEPARATORS = " _-.,()" + _DATED
_SHEET = re.compile(
    r"(?:sheet|tabelle|blatt|feuil|hoja|foglio|blad|table|page|data|daten)?[\s_]*\d*|q[1-4]|(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*[\s_.-]*\d*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(\D*[^\W\d_])[\s_-]*\d+")
_MAX_LISTED = 30


@dataclass(frozen=True)
class NamedAssets:
    """Assets that are named by their files, folders or sheets."""

    # "file", "folder" or "sheet", as in an AssetRule.
    name_of: str
    # One id for each file or sheet, in their order.
    ids: tuple[str, ...]
    # Name for the source, and for the type of the assets: what the names share; may be empty.
    shared: str = ""
    # Regular expression with the group "id", or None: the whole name is the id.
    pattern: str | None = None
    # Names or patterns for `files`.
    files: tuple[str, ...] = ()
    # Folder and name of the first file, or the name of the first sheet.
    example: str = ""


def assets_of_files(paths: Sequence[Path], others: Iterable[Path]) -> NamedAssets | None:
    r"""Return the assets that the names of files or of their folders state; None if they state none.

    Names that differ by a date name no asset, and names of quantities ("temperature", "humidity") are signals.

    >>> found = assets_of_files([Path("a/log_north_2020.csv"), Path("a/log_south_2021.csv")], [])
    >>> found.ids, found.pattern, found.files
    (('north', 'south'), '^log_(?P<id>.+?)_[\\d._-]+$', ('log_*_*.csv',))
    """
    names = {path.name for path in paths}
    folders = [path.resolve().parent.name for path in paths]
    example = f"{folders[0]}/{paths[0].name}"
    if len(names) == 1 and len(set(folders)) == len(paths):
        return NamedAssets("folder", tuple(folders), paths[0].stem, files=(paths[0].name,), example=example)
    found = _ids([path.stem for path in paths])
    if found is None or len(names) < len(paths):
        return None
    ids, before, after = found
    if sum(name_parts(one).quantity is not None for one in set(ids)) > len(set(ids)) / 2:
        return None
    pattern = f"{_glob(before)}*{_glob(after)}{paths[0].suffix}"
    unlike = any(fnmatch(path.name, pattern) for path in others)
    known = before or after or len(paths) > _MAX_LISTED
    files = (pattern,) if known and not unlike and "[" not in before + after else tuple(path.name for path in paths)
    return NamedAssets("file", tuple(ids), _shared(before, after, ids), _pattern(before, after), files, example)


def assets_of_sheets(sheets: Sequence[str]) -> NamedAssets | None:
    """Return the assets that the names of sheets state; None for names such as "Sheet1", "2019" or "Jan".

    >>> assets_of_sheets(["Boiler A", "Boiler B"]).ids, assets_of_sheets(["Jan", "Feb"])
    (('Boiler A', 'Boiler B'), None)
    """
    if any(_SHEET.fullmatch(sheet.strip()) or _DATE.search(sheet) for sheet in sheets):
        return None
    return NamedAssets("sheet", tuple(sheets), _shared("", "", sheets), example=sheets[0])


def _ids(stems: Sequence[str]) -> tuple[list[str], str, str] | None:
    """Return the part in which names differ, and what is before and after it, with a placeholder for dates."""
    bare = [_DATE.sub(_DATED, stem) for stem in stems]
    if len(set(bare)) < 2:
        return None
    before = _shared_start(bare)
    rest = [name[len(before) :] for name in bare]
    after = _shared_start([name[::-1] for name in rest])[::-1]
    ids = [name[: len(name) - len(after)] for name in rest]
    if not all(one and _DATED not in one for one in ids):
        return None
    return ids, before, after


def _shared_start(names: Sequence[str]) -> str:
    """Return what all names begin with, up to its last separator."""
    same = itertools.takewhile(lambda chars: len(set(chars)) == 1, zip(*names, strict=False))
    text = "".join(chars[0] for chars in same)
    return text[: max(text.rfind(mark) for mark in _SEPARATORS) + 1]


def _glob(text: str) -> str:
    return text.replace(_DATED, "*")


def _pattern(before: str, after: str) -> str | None:
    if not before and not after:
        return None
    one, other = (
        re.escape(part).replace(re.escape(_DATED), r"[\d._-]+").replace("\\ ", " ") for part in (before, after)
    )
    return f"^{one}(?P<id>.+?){other}$"


def _shared(before: str, after: str, ids: Sequence[str]) -> str:
    """Return the words that all names have, or the word before the number of each id."""
    words = f"{before} {after}".replace(_DATED, " ").strip(_SEPARATORS)
    matches = [_NUMBERED.fullmatch(one) for one in ids]
    kinds = {match[1].casefold() for match in matches if match}
    return words or (kinds.pop() if len(kinds) == 1 and all(matches) else "")
