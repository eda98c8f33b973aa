"""Draft a twin from files without a description, for a person to edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinlab.errors import TwinlabError
from twinlab.harmonise.claims import NAT, Context
from twinlab.harmonise.drafting.mapping import mapping_yaml
from twinlab.harmonise.drafting.model import ModelPlan, model_yaml
from twinlab.harmonise.drafting.profiles import list_files, name_of, samples_of
from twinlab.harmonise.drafting.tables import TablePlan, plan_table
from twinlab.harmonise.drafting.times.zones import lines_above, zone_in_preamble
from twinlab.harmonise.drafting.yaml_text import unique
from twinlab.harmonise.frames import harmonise
from twinlab.model.load import parse_mapping, parse_model
from twinlab.sources.base import FileSource, Source
from twinlab.sources.detect import open_source
from twinlab.sources.registry import FILE_FORMATS

__all__ = ["Draft", "draft"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed model and mappings, as text; nothing is written to disk."""

    # Text of ``twin.yaml``.
    model_yaml: str
    # Source -> text of its mapping.
    mappings: dict[str, str]
    # Findings and reasons, one sentence each, for people.
    evidence: list[str]


def draft(files: Sequence[Path | str] | Path | str, *, name: str) -> Draft:
    """Draft ``twin.yaml`` and one mapping per file.

    Parameters
    ----------
    files : Path, or sequence of Path
        Files that `twinlab.sources.open_source` can read, or directories of such files.
    name : str
        The twin's name.

    Returns
    -------
    Draft
        Valid without edits. Units come only from headers and units rows, and a zone is never guessed: where the files
        don't state them, a comment asks for them. The same files give the same text.

    Raises
    ------
    SchemaError
        If a drafted text is invalid, which is a bug of twinlab; the message names the line.
    """
    given = [files] if isinstance(files, (str, Path)) else list(files)
    evidence: list[str] = []
    sources: dict[str, tuple[Path, list[TablePlan]]] = {}
    formats: dict[str, str | None] = {}
    for path in list_files(Path(file) for file in given):
        try:
            source = open_source(path)
            samples = samples_of(source)
            zone = zone_in_preamble(lines_above(path, samples))
            plans = [plan_table(sample, zone=zone) for sample in samples]
        except TwinlabError as error:
            evidence.append(f"{path.name}: left out, {error}")
            continue
        source_name = unique(name_of(source.name, fallback="source"), sources)
        sources[source_name], formats[source_name] = (path, plans), _stated_format(source)
    model = ModelPlan(name_of(name, fallback="twin"))
    model.first_year = _first_year([plan for _, plans in sources.values() for plan in plans])
    texts: dict[str, str] = {}
    # Lists of assets first, so that the ids in other tables are recognised.
    order = sorted(sources, key=lambda key: all(plan.content != "assets" for plan in sources[key][1]))
    for source_name in order:
        path, plans = sources[source_name]
        for plan in plans:
            evidence += [f"{path.name}, {plan.sample.record_type}: {sentence}" for sentence in plan.evidence]
        texts[source_name] = mapping_yaml(source_name, path.name, plans, model, reading=formats[source_name])
    done = Draft(model_yaml(model), {key: texts[key] for key in sources}, evidence)
    _harmonise_samples(done, sources)
    return done


def _stated_format(source: Source) -> str | None:
    """Return the format of a source if its mapping has to state it."""
    name = source.reading.format if isinstance(source, FileSource) else None
    return name if name is not None and FILE_FORMATS.get(name).signature else None


def _first_year(plans: Sequence[TablePlan]) -> int | None:
    firsts = [
        int(time.wall[time.wall != NAT].min())
        for plan in plans
        for time in (*plan.times.instants, *(plan.times.span or ()))
        if (time.wall != NAT).any()
    ]
    for plan in plans:
        if plan.times.clocks and "year" in plan.times.parts:
            year = int(plan.profiles[plan.times.parts["year"]].low)
            firsts.append(int(np.datetime64(f"{year:04d}-01-01", "ns").astype(np.int64)))
    if not firsts:
        return None
    # In a zone east of Greenwich, the first hours of a year are in the previous year in UTC.
    return int((np.datetime64(min(firsts), "ns") - np.timedelta64(1, "D")).astype("M8[Y]").astype(int)) + 1970


def _harmonise_samples(drafted: Draft, sources: dict[str, tuple[Path, list[TablePlan]]]) -> None:
    """Harmonise the samples with the draft and add the result to the evidence."""
    model = parse_model(drafted.model_yaml)
    for source_name, (path, plans) in sources.items():
        mapping = parse_mapping(drafted.mappings[source_name], f"{source_name}.yaml")
        for plan in plans:
            found = harmonise(plan.sample, mapping, Context(model))
            events = sum(part.table.num_rows for part in found.events)
            assets = sum(part.table.num_rows for part in found.assets)
            drafted.evidence.append(
                f"{path.name}, {plan.sample.record_type}: the first {plan.sample.rows} rows give {len(found.claims)} values, {events} events, "
                f"{assets} assets; {found.missing} cells without a value, {found.problem_count} problems"
            )
            drafted.evidence.extend(f"{path.name}: {term.message}" for term in found.unknown.values())
