"""Recognise what a table has: signals over time, events with a start and an end, or a list of assets."""

from __future__ import annotations

import numpy as np

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.kinds.file_names import NamedAssets
from twinlab.harmonise.drafting.plans.assets import as_lifetimes, asset_column_of, find_family, name_by_file
from twinlab.harmonise.drafting.plans.beside import find_events_beside
from twinlab.harmonise.drafting.plans.events import as_events, as_log, as_moments, as_scans
from twinlab.harmonise.drafting.plans.plan import MIN_UNIQUE_SHARE, TablePlan, unique_column
from twinlab.harmonise.drafting.profiles import name_of, profiles_of
from twinlab.harmonise.drafting.samples import FILE_NAME, TAG, VALUE, Sample
from twinlab.harmonise.drafting.times.find import times_of
from twinlab.harmonise.drafting.times.roles import duration_column
from twinlab.harmonise.drafting.times.zones import StatedZone

__all__ = ["cadence_of", "plan_table", "type_of"]

_CADENCES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)


def plan_table(sample: Sample, *, zone: StatedZone | None = None, named: NamedAssets | None = None) -> TablePlan:
    """Return the recognised content of a table, with the evidence.

    ``zone`` is the one stated above the table; ``named`` are the assets whose names are in the column `FILE_NAME`.
    """
    profiles = profiles_of(sample)
    profiles.pop(FILE_NAME, None)
    rows = Rows(sample)
    plan = TablePlan(
        sample,
        profiles,
        times_of({name: one for name, one in profiles.items() if name not in sample.facts}, rows, zone=zone),
    )
    _recognise(plan, rows, named)
    find_events_beside(plan, rows)
    if named is not None and plan.named is None:
        plan.sample = sample.without(FILE_NAME)
    return plan


def _recognise(plan: TablePlan, rows: Rows, named: NamedAssets | None) -> None:
    """Find what the rows of a table are."""
    sample, profiles = plan.sample, plan.profiles
    if as_lifetimes(plan, rows):
        return
    many = [time for time in plan.times.instants if "parts" not in time.rule]
    several = len(many) >= 2 or len(plan.times.clocks) >= 2 or plan.times.span is not None
    if len(many) == 1 and not plan.times.clocks and unique_column(plan, sample.rows, named=True) is not None:
        plan.duration = duration_column(profiles, taken=plan.times.columns)
        several = several or plan.duration is not None
    if several and as_events(plan, many, rows):
        return
    plan.duration = None
    times = plan.times.instants
    if not times and plan.times.unread and unique_column(plan, sample.rows, ids=True) is None:
        # Without its times the table means nothing, so the column is drafted as the time, with a question.
        times = plan.times.unread
    if times:
        if plan.times.instants and (as_scans(plan, rows) or as_log(plan, rows)):
            return
        plan.time = times[0]
        plan.content = "signals"
        _find_tags(plan)
        plan.asset_column = asset_column_of(plan, rows, plan.time.wall) or next(iter(sample.facts), None)
        if plan.asset_column is None and named is not None:
            name_by_file(plan, rows, named)
        elif plan.content == "signals" and plan.asset_column is None:
            if plan.times.instants and as_moments(plan, rows):
                return
            find_family(plan)
        return
    unique = unique_column(plan, sample.rows, share=MIN_UNIQUE_SHARE)
    if unique is not None:
        plan.content, plan.key = "assets", (unique,)
        distinct = profiles[unique].distinct
        uniqueness = (
            f"is different in all {sample.rows} rows"
            if distinct == sample.rows
            else f"has {distinct} values in {sample.rows} rows (the last row of an id counts)"
        )
        plan.evidence.append(f"no column of times; {unique!r} {uniqueness}: a list of assets")


def _find_tags(plan: TablePlan) -> None:
    tags = [p for p in plan.profiles.values() if p.kind == "text" and TAG.fullmatch(p.name.strip())]
    values = [p for p in plan.profiles.values() if p.kind == "number" and VALUE.fullmatch(p.name.strip())]
    if len(tags) == 1 and len(values) == 1:
        plan.content, plan.tag, plan.value = "long", tags[0].name, values[0].name
        plan.evidence.append(f"a tag ({plan.tag!r}) and a value ({plan.value!r}) a row: {tags[0].distinct} tags")


def cadence_of(wall: Ints, groups: Ints | None = None) -> tuple[str, float | None]:
    """Return the largest usual cadence up to the median step between rows, and this step in seconds.

    >>> cadence_of(np.arange(4) * 601 * 10**9)
    ('10min', 601.0)
    """
    known = wall != NAT
    order = np.lexsort((wall[known], groups[known])) if groups is not None else np.argsort(wall[known], kind="stable")
    times = wall[known][order]
    steps = np.diff(times)
    if groups is not None:
        steps = steps[np.diff(groups[known][order]) == 0]
    steps = steps[steps > 0]
    if not len(steps):
        return "1min", None
    step = float(np.median(steps)) / 1e9
    fitting = [seconds for seconds in _CADENCES if seconds <= step * 1.01]
    seconds = fitting[-1] if fitting else 1
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}", step
    return f"{seconds}s", step


def type_of(text: str) -> str:
    """Return the name of an asset type for a column, a table or a file: without numbers, singular.

    >>> type_of("fridge_7"), type_of("Stations")
    ('fridge', 'station')
    """
    words = [word for word in name_of(text, fallback="asset").split("_") if not word.isdigit()]
    name = "_".join(words) or "asset"
    name = name.removesuffix("_id").removesuffix("_name").removesuffix("_code").removesuffix("_no")
    name = name.removesuffix("s") if len(name) > 3 and not name.endswith(("ss", "series")) else name
    return (
        "asset"
        if name in {"data", "log", "export", "id", "name", "sheet", "table", "file", "id_number", "serial"}
        else name
    )
