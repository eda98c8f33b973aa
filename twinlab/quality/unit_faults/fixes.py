"""Fixes: the one line of a mapping by which a suspect is read in its right unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.basics import is_pattern
from twinlab.model.edits.yaml_edit import put
from twinlab.model.load import dump_mapping, parse_mapping
from twinlab.model.mapping import Mapping
from twinlab.model.terms import nearest
from twinlab.model.units import canonical_unit
from twinlab.model.yamltext import read_yaml, write_line
from twinlab.quality.unit_faults.suspects import Suspect, UnitFix

__all__ = ["MappingFix", "fix_text"]

Rule = dict[str, Any]


@dataclass(frozen=True)
class MappingFix:
    """A changed mapping."""

    line: str
    """The changed entry of the column or tag, one line of YAML."""
    text: str
    """The whole changed file; comments and order of the rest stay."""
    mapping: Mapping


def fix_text(fix: Suspect | UnitFix, mapping: Mapping | str, tag: str) -> MappingFix:
    """Return a mapping in which a suspect's values are read in their right unit.

    The rule of the column or tag gets a copy before it, with the right unit, for the suspect's asset and time. A tag that
    is about one asset only gets the right unit itself if all of its values are wrong; a tag of a family (a pattern) gets an
    entry of its own.

    Parameters
    ----------
    fix : Suspect or UnitFix
    mapping : Mapping or str
        The source's mapping, or the text of its file, whose comments then stay.
    tag : str
        Column or tag that the values came from.

    Raises
    ------
    UnknownTermError
        If the mapping has no rule of this tag for the signal.
    SchemaError
        If the rule states another unit than the suspect's declared one, or isn't valid in the suspect's time.

    >>> text = '''
    ... source: boxes
    ... tables:
    ...   - time: {column: at, zone: UTC}
    ...     asset: {type: truck, column: id}
    ...     columns:
    ...       kmh: {signal: speed, unit: km/h}  # as the maker says
    ... '''
    >>> fixed = fix_text(UnitFix("T7", "speed", "km/h", "mph", since=np.datetime64("2026-02-19")), text, "kmh")
    >>> print(fixed.line)
    kmh: [{signal: speed, unit: mph, assets: [T7], valid_from: '2026-02-19T00:00:00Z'}, {signal: speed, unit: km/h}]
    """
    wanted = fix.fix if isinstance(fix, Suspect) else fix
    text = mapping if isinstance(mapping, str) else dump_mapping(mapping)
    data: Any = deepcopy(read_yaml(text, name="mapping").data)
    changes: list[tuple[tuple[str | int, ...], str, object]] = []
    names: list[str] = []
    for path, tags, of_one in _places(data):
        names += tags
        key = tag if tag in tags else next((one for one in tags if is_pattern(one) and re.search(one[1:-1], tag)), None)
        if key is None:
            continue
        before: list[Rule] = tags[key] if isinstance(tags[key], list) else [tags[key]]
        after = _rules(before, wanted, key, tag, of_one=of_one)
        if after is not None:
            changes.append((path, tag, after[0] if len(after) == 1 else after))
    if not changes:
        msg = f"the mapping has no rule of {tag!r} for the signal {wanted.signal!r}{nearest(tag, names)}"
        raise UnknownTermError(msg)
    for path, key, value in changes:
        text = put(text, (*path, key), value)
    line = f"{write_line(changes[0][1])}: {write_line(changes[0][2])}"
    return MappingFix(line, text, parse_mapping(text))


def _places(data: Any) -> list[tuple[tuple[str | int, ...], dict[str, Any], bool]]:  # noqa: ANN401  (YAML)
    """Return path and content of each dictionary of columns or tags, and whether its rows are about one asset."""
    found: list[tuple[tuple[str | int, ...], dict[str, Any], bool]] = []
    for number, table in enumerate(data.get("tables") or []):
        of_one = (table.get("asset") or {}).get("id") is not None
        found += [(("tables", number, key), table[key], of_one) for key in ("columns", "tags") if table.get(key)]
    if (data.get("stream") or {}).get("tags"):
        found.append((("stream", "tags"), data["stream"]["tags"], False))
    return found


def _rules(before: list[Rule], fix: UnitFix, key: str, tag: str, *, of_one: bool) -> list[Rule] | None:
    """Return the rules of a tag after the fix; None if none of them is of the signal and its asset."""
    after: list[Rule] = []
    fixed = 0
    for rule in before:
        about = _literal(rule.get("asset"), key, tag)
        rule = rule if about is None else {**rule, "asset": about}  # noqa: PLW2901  (a family's rule for this tag)
        if rule.get("signal") != fix.signal or (about is not None and about.partition("/")[2] != fix.asset):
            after.append(rule)
            continue
        made = _right(rule, fix, named=about is not None or of_one)
        if made is None:
            after.append(rule)
            continue
        fixed += 1
        joined = _joined(after[-1], made) if after else None
        if joined is not None:
            after[-1] = joined
        else:
            after.append(made)
        # A rule that covers all of the tag's rows replaces the old one.
        if all(made.get(name) == rule.get(name) for name in ("assets", "valid_from", "valid_until")):
            continue
        after.append(rule)
    return after if fixed else None


def _right(rule: Rule, fix: UnitFix, *, named: bool) -> Rule | None:
    """Return a rule with the right unit, for the fix's asset and time; None if the rule isn't valid for them."""
    selected = [
        re.search(one[1:-1], fix.asset) if is_pattern(one) else one == fix.asset for one in rule.get("assets") or []
    ]
    if selected and not any(selected):
        return None
    stated = rule.get("unit")
    if stated is not None and canonical_unit(str(stated)) != fix.declared:
        if canonical_unit(str(stated)) == fix.unit:
            return None
        msg = (
            f"the rule of {fix.signal!r} states the unit {stated!r}, but the suspect {fix.asset!r} was declared as "
            f"{fix.declared!r}; check the data again with the mapping's unit"
        )
        raise SchemaError(msg)
    made = {key: value for key, value in rule.items() if key not in ("valid_from", "valid_until", "assets")}
    keys = fix.keys()
    made["signal"] = keys["signal"]
    if stated is not None or fix.unit != fix.declared:
        made["unit"] = fix.unit
    if fix.factor != 1.0:
        for key, default in (("scale", 1.0), ("offset", 0.0)):
            number = float(rule.get(key, default)) * fix.factor
            if number != default:
                made[key] = number
    if not named:
        made["assets"] = [fix.asset]
    for key, latest in (("valid_from", max), ("valid_until", min)):
        bounds = [str(one[key]) for one in (rule, keys) if one.get(key) is not None]
        if bounds:
            made[key] = latest(bounds, key=_instant)
    if "valid_from" in made and "valid_until" in made and _instant(made["valid_from"]) >= _instant(made["valid_until"]):
        return None
    return made


def _joined(first: Rule, second: Rule) -> Rule | None:
    """Return one rule for the assets of two that differ in nothing else; None if they differ."""
    if "assets" not in first or "assets" not in second:
        return None
    if {**first, "assets": None} != {**second, "assets": None}:
        return None
    return {**first, "assets": [*first["assets"], *second["assets"]]}


def _literal(asset: str | None, key: str, tag: str) -> str | None:
    """Return the asset of a tag, with the groups of its family's pattern filled in."""
    if asset is None or not is_pattern(key):
        return asset
    match = re.search(key[1:-1], tag)
    groups = {"tag": tag, **(match.groupdict() if match else {})}
    fill: Callable[[re.Match[str]], str] = lambda found: str(groups.get(found[1], found[0]))  # noqa: E731
    return re.sub(r"\{(\w+)\}", fill, asset)


def _instant(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "ns")
