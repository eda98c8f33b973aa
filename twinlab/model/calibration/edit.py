"""Add entries to the text of ``calibration.yaml``, or remove them; comments and all other lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from twinlab.errors import SchemaError
from twinlab.model.calibration.pieces import Calibration, Calibrations
from twinlab.model.calibration.text import dump_calibrations, parse_calibrations
from twinlab.model.yamltext import read_yaml

__all__ = ["with_calibration", "without_calibrations"]

_EMPTY = re.compile(r"^calibrations:\s*(\[\s*\]|~|null)?\s*(#.*)?$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def with_calibration(text: str, added: Calibration, *, replace: bool = False, name: str = "calibration.yaml") -> str:
    r"""Return the text with one more entry at its end.

    Parameters
    ----------
    text : str
        The file as it is; may be empty.
    added : Calibration
    replace : bool
        Where entries of the same sensor overlap it, keep only what they say of other times: they end where it begins, and
        begin again where it ends. By default such entries are an error.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        If an entry overlaps the new one and ``replace`` is False; or the text is no ``calibration.yaml``.

    >>> first = Calibration(asset="room/3", signal="temperature", offset=-0.5, reason="reads too high")
    >>> print(with_calibration("# sensors of hall 2\n", first), end="")
    # sensors of hall 2
    calibrations:
    - asset: room/3
      signal: temperature
      offset: -0.5
      reason: reads too high
    """
    given = parse_calibrations(text if _has_keys(text) else "", name).calibrations
    kept: list[tuple[Calibration, ...]] = [_remainder(one, added) if one.overlaps(added) else (one,) for one in given]
    overlapping = [one for one in given if one.overlaps(added)]
    if overlapping and not replace:
        first = overlapping[0]
        msg = (
            f"expected no other calibration of {added.signal} of {added.asset} at that time, but {name} has one {_span(first)} "
            f"({first.reason!r}); give another span, or replace=True to end it where the new one begins"
        )
        raise SchemaError(msg)
    lines = _edited(text, given, kept, added) if given else _begun(text, added)
    return _checked(text, lines, (*(one for part in kept for one in part), added), name)


def without_calibrations(text: str, removed: Collection[Calibration], *, name: str = "calibration.yaml") -> str:
    r"""Return the text without some of its entries; the comments before them stay.

    >>> one, other = (Calibration(asset=f"room/{n}", signal="temperature", offset=1, reason="r") for n in (1, 2))
    >>> text = with_calibration(with_calibration("# hall 2\n", one), other)
    >>> print(without_calibrations(text, [one]), end="")
    # hall 2
    calibrations:
    - asset: room/2
      signal: temperature
      offset: 1
      reason: r
    """
    given = parse_calibrations(text, name).calibrations
    kept: list[tuple[Calibration, ...]] = [() if one in removed else (one,) for one in given]
    left = tuple(one for part in kept for one in part)
    lines = _edited(text, given, kept, None) if given else text.splitlines()
    if not left:
        lines = [f"{line} []" if re.fullmatch(r"calibrations:\s*", line) else line for line in lines]
    return _checked(text, lines, left, name)


def _checked(text: str, lines: list[str], wanted: tuple[Calibration, ...], name: str) -> str:
    """Return edited lines as a text, or entries that are written again if the lines say something else."""
    made = "\n".join(lines).rstrip("\n") + "\n"
    calibrations = Calibrations(calibrations=wanted)
    if _reads_as(made, calibrations, name):
        return made
    # Entries that aren't one below the other, such as those between brackets, are written again; comments go to the top.
    comments = [found[0].strip() for found in map(_COMMENT.search, text.splitlines()) if found]
    return "\n".join([*comments, dump_calibrations(calibrations)])


def _has_keys(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _span(one: Calibration) -> str:
    parts = [
        f"{word} {instant:%Y-%m-%dT%H:%M}Z"
        for word, instant in (("from", one.since), ("until", one.until))
        if instant is not None
    ]
    return " ".join(parts) or "at all times"


def _remainder(one: Calibration, added: Calibration) -> tuple[Calibration, ...]:
    """Return what is left of an entry before and after another one."""
    out = []
    if added.since is not None and (one.since is None or one.since < added.since):
        out.append(one.model_copy(update={"until": added.since}))
    if added.until is not None and (one.until is None or added.until < one.until):
        out.append(one.model_copy(update={"since": added.until}))
    return tuple(out)


def _begun(text: str, added: Calibration) -> list[str]:
    entry = dump_calibrations([added]).rstrip("\n")
    if _EMPTY.search(text):
        return _EMPTY.sub(lambda found: entry if not found[2] else f"{found[2]}\n{entry}", text, count=1).splitlines()
    return [*text.splitlines(), entry]


def _edited(
    text: str, given: tuple[Calibration, ...], kept: list[tuple[Calibration, ...]], added: Calibration | None
) -> list[str]:
    lines = text.splitlines()
    found = read_yaml(text, name="calibration.yaml").lines
    begins = [found["calibrations", number] - 1 for number in range(len(given))]
    pad = lines[begins[0]][: len(lines[begins[0]]) - len(lines[begins[0]].lstrip())]
    out = lines[: begins[0]]
    for number, (one, parts) in enumerate(zip(given, kept, strict=True)):
        stop = begins[number + 1] if number + 1 < len(given) else len(lines)
        entry = lines[begins[number] : stop]
        if parts == (one,):
            out += entry
            continue
        own = len(entry)
        # Comments and blank lines before the next entry are the next one's.
        while own > 1 and (not entry[own - 1].strip() or entry[own - 1].lstrip().startswith("#")):
            own -= 1
        for part in parts:
            out += _ended(entry[:own], pad, part.until) if part.since == one.since else _entry(part, pad)
        out += entry[own:]
    return out if added is None else [*out, *_entry(added, pad)]


def _entry(one: Calibration, pad: str) -> list[str]:
    return [pad + line for line in dump_calibrations([one]).splitlines()[1:]]


def _ended(entry: list[str], pad: str, until: datetime | None) -> list[str]:
    """Return an entry with another end; its comments stay."""
    line = f"{pad}  until: '{until:%Y-%m-%dT%H:%M:%S.%fZ}'".replace(".000000Z", "Z")
    for place, text in enumerate(entry):
        if re.match(r"\s*(- +)?until\s*:", text):
            dash = re.match(r"\s*- +", text)
            return [*entry[:place], (dash[0] + line.lstrip()) if dash else line, *entry[place + 1 :]]
    return [entry[0], line, *entry[1:]]


def _reads_as(text: str, wanted: Calibrations, name: str) -> bool:
    try:
        return parse_calibrations(text, name) == wanted
    except SchemaError:
        return False
