"""Draft a twin from files without a description, for a person to edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinlab.errors import TwinlabError
from twinlab.harmonise.claims import NAT, Context
from twinlab.harmonise.drafting.mapping import mapping_yaml
from twinlab.harmonise.drafting.model import ModelPlan, model_yaml
from twinlab.harmonise.drafting.profiles import name_of
from twinlab.harmonise.drafting.samples import (
    Sample,
    file_pattern,
    joined,
    list_files,
    rows_of_each,
    samples_of,
    series_of,
)
from twinlab.harmonise.drafting.tables import TablePlan, plan_table
from twinlab.harmonise.drafting.times.zones import StatedZone, lines_above, zone_in_preamble
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
    sources: dict[str, _Source] = {}
    for found in _read(list(list_files(Path(file) for file in given)), evidence):
        sources[unique(name_of(found.name, fallback="source"), sources)] = found
    model = ModelPlan(name_of(name, fallback="twin"))
    model.first_year = _first_year([plan for one in sources.values() for plan in one.plans])
    texts: dict[str, str] = {}
    # Lists of assets first, so that the ids in other tables are recognised.
    order = sorted(sources, key=lambda key: all(plan.content != "assets" for plan in sources[key].plans))
    for source_name in order:
        one = sources[source_name]
        for plan in one.plans:
            evidence += [f"{one.shown}, {plan.sample.record_type}: {sentence}" for sentence in plan.evidence]
        texts[source_name] = mapping_yaml(source_name, one.files, one.plans, model, reading=one.format)
    done = Draft(model_yaml(model), {key: texts[key] for key in sources}, evidence)
    _harmonise_samples(done, sources)
    return done


@dataclass(frozen=True)
class _Source:
    """What was read of one source."""

    name: str
    # Names or patterns of the files.
    files: list[str]
    plans: list[TablePlan]
    # The format that the mapping has to state, if any.
    format: str | None = None

    @property
    def shown(self) -> str:
        """The files, as text for people."""
        return ", ".join(self.files)


def _stated_format(source: Source) -> str | None:
    """Return the format of a source if its mapping has to state it."""
    name = source.reading.format if isinstance(source, FileSource) else None
    return name if name is not None and FILE_FORMATS.get(name).signature else None


def _read(paths: Sequence[Path], evidence: list[str]) -> Iterator[_Source]:
    """Yield what was read of each file, or series of files; files that can't be read are added to the evidence."""
    rows = rows_of_each(len(paths))
    for group in series_of(paths):
        read: list[tuple[Path, Source, list[Sample], StatedZone | None]] = []
        for path in group:
            try:
                source = open_source(path)
                samples = samples_of(source, rows=rows)
                read.append((path, source, samples, zone_in_preamble(lines_above(path, samples))))
            except TwinlabError as error:
                evidence.append(f"{path.name}: left out, {error}")
        alike = {(repr(zone), _stated_format(source)) for _, source, _, zone in read}
        if len(read) > 1 and len(alike) == 1 and all(len(one[2]) == 1 for one in read):
            members = [path for path, _, _, _ in read]
            stem, files = file_pattern(members, [path for path in paths if path not in group])
            sample = joined(name_of(stem, fallback="source"), [samples[0] for _, _, samples, _ in read])
            if sample is not None:
                evidence.append(f"{', '.join(files)}: {len(read)} files with the same columns are one source")
                yield _Source(stem, files, [plan_table(sample, zone=read[0][3])], _stated_format(read[0][1]))
                continue
        for path, source, samples, zone in read:
            plans = [plan_table(sample, zone=zone) for sample in samples]
            yield _Source(source.name, [path.name], plans, _stated_format(source))


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


def _harmonise_samples(drafted: Draft, sources: dict[str, _Source]) -> None:
    """Harmonise the samples with the draft and add the result to the evidence."""
    model = parse_model(drafted.model_yaml)
    for source_name, one in sources.items():
        mapping = parse_mapping(drafted.mappings[source_name], f"{source_name}.yaml")
        for plan in one.plans:
            found = harmonise(plan.sample, mapping, Context(model))
            events = sum(part.table.num_rows for part in found.events)
            assets = sum(part.table.num_rows for part in found.assets)
            drafted.evidence.append(
                f"{one.shown}, {plan.sample.record_type}: the first {plan.sample.rows} rows give {len(found.claims)} values, {events} events, "
                f"{assets} assets; {found.missing} cells without a value, {found.problem_count} problems"
            )
            drafted.evidence.extend(f"{one.shown}: {term.message}" for term in found.unknown.values())
