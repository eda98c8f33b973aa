"""The asset of a table's rows: a column, the name of the file, a family of columns; and lists of assets."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.kinds.file_names import NamedAssets
from twinlab.harmonise.drafting.kinds.lifetimes import lifetime_of
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.plans.plan import IDS, MIN_UNIQUE_SHARE, TablePlan, distinct, unique_column
from twinlab.harmonise.drafting.samples import FILE_NAME
from twinlab.harmonise.drafting.times.columns import CLOCK_NAME

__all__ = ["as_lifetimes", "asset_column_of", "best_asset", "find_family", "name_by_file"]

#: Names of columns that say where rows come from.
_ORIGIN = re.compile(r"file|data_?set|source|campaign", re.IGNORECASE)
#: Minimal mean number of rows of one id, where the rows of each are together.
_MIN_RUN = 20
#: Names of numbers that are ids.
_NUMBERED = re.compile(
    r"(unit|engine|subject|run|experiment|trial|batch|bearing|battery|cell|customer|client|household|house|home|building|turbine|well|node|unit_nr)"
    r"(_?(nr|no|num|number))?",
    re.IGNORECASE,
)
_FAMILY = re.compile(
    r"room|raum|zone|line|tank|fridge|freezer|truck|pump|unit|station|machine|halle|hall|bay|cell|chamber|kühl|cold",
    re.IGNORECASE,
)


def as_lifetimes(plan: TablePlan, rows: Rows) -> bool:
    """Plan a table as a list of assets if its only times are those of installation and removal."""
    times = (*plan.times.instants, *plan.times.unread)
    if not plan.times.instants or any(len(time.columns) > 1 for time in times) or plan.times.span or plan.times.clocks:
        return False
    found = lifetime_of([time.name for time in times])
    key = unique_column(plan, rows.count, named=True) or next(iter(plan.profiles))
    if found is None or key in plan.times.columns or plan.profiles[key].distinct < rows.count:
        return False
    plan.content, plan.key, plan.lifetime, plan.other_times = "assets", (key,), found, times
    plan.evidence.append(
        f"{key!r} is different in all {rows.count} rows, with dates of installation or removal: assets"
    )
    return True


def _is_id(name: str) -> bool:
    return IDS.search(spaced(name)) is not None or _NUMBERED.fullmatch(spaced(name)) is not None


def _tags_with_ids(plan: TablePlan, rows: Rows) -> list[str]:
    """Return the tags of line protocol that every row has, the one with the most values first."""
    found = [plan.profiles[name] for name in plan.sample.tags if name in plan.profiles]
    full = [one for one in found if one.filled == rows.count and one.kind in {"text", "number"}]
    return [one.name for one in sorted(full, key=lambda one: -one.distinct)]


def asset_column_of(plan: TablePlan, rows: Rows, wall: Ints) -> str | None:
    """Return the column of ids that separates rows of one instant, or one that has a single id."""
    used = {*plan.times.columns, plan.tag, plan.value}
    known = wall[wall != NAT]
    repeated = len(np.unique(known)) < len(known)
    for name in _tags_with_ids(plan, rows):
        if distinct((name, *plan.times.columns), rows) >= 0.98 * rows.count:
            plan.evidence.append(f"the tag {name!r} names the asset: {plan.profiles[name].distinct} of them")
            others = [tag for tag in plan.sample.tags if tag != name]
            plan.sample = replace(
                plan.sample, ignored={**plan.sample.ignored, **dict.fromkeys(others, "a tag of the row's source")}
            )
            return name
    for name, profile in plan.profiles.items():
        few = profile.kind == "text" or (profile.whole and _is_id(name))
        if CLOCK_NAME.fullmatch(name.strip()):
            # A clock in a spelling that isn't known is no asset.
            continue
        if name in used or not few or profile.filled < rows.count or profile.distinct > max(2, rows.count // 2):
            continue
        if not repeated:
            if profile.distinct == 1 and IDS.search(name):
                plan.evidence.append(f"column {name!r} has one id, {profile.terms[0]!r}")
                return name
            if profile.kind == "text" and _in_runs(name, profile.distinct, rows):
                many = f"{profile.distinct} different texts" if profile.distinct > 1 else "one text"
                plan.asset_doubt = (
                    f"{many} in {rows.count:,} rows, those of each together; no two rows share an instant"
                )
                plan.evidence.append(f"column {name!r} has {plan.asset_doubt}: it may name the asset")
                return name
            continue
        codes, terms = encode(rows.texts(name))
        if plan.tag is not None:
            tags, names = encode(rows.texts(plan.tag))
            codes = codes * (len(names) + 1) + tags
        pairs = np.unique(np.stack([codes, wall]), axis=1).shape[1]
        if (
            pairs >= 0.98 * len(wall)
            and (profile.distinct > 1 or plan.tag is not None)
            and (plan.tag is None or IDS.search(name))
        ):
            plan.evidence.append(
                f"times repeat, but not within one {name!r} ({len(terms)} of them): it identifies the asset"
            )
            return name
    return None


def _in_runs(name: str, different: int, rows: Rows) -> bool:
    """Return whether a column is named as where rows come from, and the rows of each of its texts are together."""
    if not (_ORIGIN.search(name) or IDS.search(name)):
        return False
    runs = 1 + int(np.count_nonzero(np.diff(encode(rows.texts(name))[0])))
    return runs <= 1.2 * different and rows.count >= _MIN_RUN * runs


def best_asset(plan: TablePlan, rows: Rows, wall: Ints) -> None:
    """Choose the column of ids that leaves the fewest rows at one instant, if it leaves clearly fewer than no column."""
    instants = len(np.unique(wall))
    found = [
        (np.unique(np.stack([encode(rows.texts(name))[0], wall]), axis=1).shape[1], name)
        for name, p in plan.profiles.items()
        if p.kind == "text" and p.filled == rows.count and IDS.search(name) and name not in plan.times.columns
    ]
    best, name = max(found, default=(0, ""))
    if name and (best > 1.2 * instants or plan.profiles[name].distinct == 1):
        plan.asset_column = name
        plan.evidence.append(f"{len(wall) - best} rows share their instant with another row of the same {name!r}")


def name_by_file(plan: TablePlan, rows: Rows, named: NamedAssets) -> None:
    """Take the asset from the name of the file, unless the rows of one file still share their instants."""
    keys = (
        (FILE_NAME, *plan.times.instants[0].columns, *([plan.tag] if plan.tag else [])) if plan.times.instants else ()
    )
    if not keys or distinct(keys, rows) < MIN_UNIQUE_SHARE * rows.count:
        plan.content = "nothing"
        return
    plan.named, plan.asset_column = named, FILE_NAME
    plan.evidence.append(f"the name of the {named.name_of} is the asset: {', '.join(named.ids[:3])} …")


def find_family(plan: TablePlan) -> None:
    """Find headers such as "Room 1 temp", "Room 2 temp", in which the number identifies the asset."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, profile in plan.profiles.items():
        match = re.match(r"^(\D*?)(\d+)(\D*)$", name)
        if match and profile.kind in {"number", "text", "bool"} and _FAMILY.search(match[1]):
            groups.setdefault((match[1], match[3]), []).append((name, match[2]))
    prefixes = {prefix for (prefix, _), members in groups.items() if len(members) >= 2}
    for (prefix, suffix), members in groups.items():
        if prefix not in prefixes:
            continue
        pattern = f"/^{re.escape(prefix)}(?P<id>\\d+){re.escape(suffix)}$/".replace("\\ ", " ")
        plan.family |= {name: (pattern, text) for name, text in members}
        plan.evidence.append(
            f"columns {', '.join(repr(name) for name, _ in members[:3])} … differ by a number: one asset each"
        )
