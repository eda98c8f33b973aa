"""What the number of a KPI can be grouped by."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError
from twinlab.events.kpis.groups import Path, group_path
from twinlab.model.kpis.formulas import TimeAggregate
from twinlab.model.kpis.subjects import Subjects

if TYPE_CHECKING:
    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.twinmodel import TwinModel

__all__ = ["groups_of"]


def groups_of(model: TwinModel, kpi: Kpi) -> list[str]:
    """Return what a KPI can be grouped by: what `groups` of the KPI states first, then assets, relationships, links, texts.

    Numbers and times are left out: each value of one would be a group.
    """
    subjects = Subjects(model)
    aggregates = kpi.bound(model).aggregates
    kinds = list(
        dict.fromkeys(one.asset_type if isinstance(one, TimeAggregate) else one.event_type for one in aggregates)
    )
    known = [
        *kpi.groups,
        "asset",
        *(name for name, spec in subjects.relationships.items() if spec.source == kpi.on),
        *(target for target in model.asset_types if target != kpi.on),
    ]
    for kind in kinds:
        spec = model.asset_types.get(kind) or subjects.event_types[kind]
        known += getattr(spec, "links", {})
        known += [name for name, one in spec.properties.items() if one.dtype in ("text", "boolean")]
    # Several names may lead the same way: the first is offered.
    ways: dict[tuple[Path, ...], str] = {}
    for name in dict.fromkeys(known):
        with suppress(TwinlabError):
            ways.setdefault(tuple(group_path(subjects, kind, name, kpi.groups) for kind in kinds), name)
    return list(ways.values())
