"""Draft a twin from files without a description, for a person to edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinlab.errors import SchemaError, TwinlabError
from twinlab.harmonise.claims import NAT, Context
from twinlab.harmonise.drafting.kinds.file_names import NamedAssets, assets_of_files, assets_of_sheets
from twinlab.harmonise.drafting.mapping import mapping_yaml
from twinlab.harmonise.drafting.model import ModelPlan, model_yaml, propose_limits
from twinlab.harmonise.drafting.plans.plan import TablePlan
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
from twinlab.harmonise.drafting.tables import plan_table
from twinlab.harmonise.drafting.times.zones import StatedZone, lines_above, zone_in_preamble
from twinlab.harmonise.drafting.yaml_text import unique
from twinlab.harmonise.frames import harmonise
from twinlab.model.load import parse_mapping, parse_model
from twinlab.sources.base import FileSource, Source
from twinlab.sources.detect import open_source
from twinlab.sources.registry import FILE_FORMATS

__all__ = ["Draft", "draft"]

#: YAML's limit for a key is 1,024 characters, quotes and escapes included.
_LONGEST_NAME = 200


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
    model.questions += propose_limits(model)
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


@dataclass(frozen=True)
class _File:
    """What was read of one file, or of a series of files whose names differ by a date."""

    paths: list[Path]
    source: Source
    samples: list[Sample]
    zone: StatedZone | None
    # Name of the source, and its `files`.
    name: str
    files: list[str]

    @property
    def layout(self) -> str:
        """What files of one source have in common; "" for several tables, which are no part of a series."""
        if len(self.samples) != 1:
            return ""
        (sample,) = self.samples
        return repr((sample.layout, self.zone, _stated_format(self.source), self.paths[0].suffix.lower()))


def _read(paths: Sequence[Path], evidence: list[str]) -> Iterator[_Source]:
    """Yield what was read of each source: a file, a series of files, or files of one layout."""
    alike: dict[str, list[_File]] = {}
    for one in _files(paths, evidence):
        alike.setdefault(one.layout or repr(one.paths), []).append(one)
    for group in alike.values():
        together = _named_by_files(group, [path for path in paths if not any(path in one.paths for one in group)])
        if together is not None:
            evidence.append(f"{', '.join(together.files)}: {len(group)} files with the same columns are one source")
            yield together
            continue
        for one in group:
            yield _Source(one.name, one.files, list(_plans(one)), _stated_format(one.source))


def _files(paths: Sequence[Path], evidence: list[str]) -> Iterator[_File]:
    """Yield each file, or series of files; files that can't be read are added to the evidence."""
    rows = rows_of_each(len(paths))
    for group in series_of(paths):
        read: list[_File] = []
        for path in group:
            try:
                source = open_source(path)
                samples = samples_of(source, rows=rows)
                _check_samples(samples)
                zone = zone_in_preamble(lines_above(path, samples))
                read.append(_File([path], source, samples, zone, source.name, [path.name]))
            except TwinlabError as error:
                evidence.append(f"{path.name}: left out, {error}")
        if len(read) > 1 and read[0].layout and len({one.layout for one in read}) == 1:
            members = [path for one in read for path in one.paths]
            stem, files = file_pattern(members, [path for path in paths if path not in group])
            sample = joined(name_of(stem, fallback="source"), [one.samples[0] for one in read])
            if sample is not None:
                evidence.append(f"{', '.join(files)}: {len(read)} files with the same columns are one source")
                yield _File(members, read[0].source, [sample], read[0].zone, stem, files)
                continue
        yield from read


def _named_by_files(group: Sequence[_File], others: Sequence[Path]) -> _Source | None:
    """Return files of one layout as one source; None if it is one file, or if the files don't fit together."""
    if len(group) < 2:
        return None
    first = group[0]
    named = assets_of_files([one.paths[0] for one in group], others)
    if named is None:
        return None
    name = named.shared if name_of(named.shared, fallback="") else first.paths[0].resolve().parent.name
    samples = [one.samples[0] for one in group]
    plan = _plan_together(name_of(name, fallback="source"), samples, first.zone, named)
    if plan is None:
        return None
    files = list(named.files) if len(named.files) == 1 else [name for one in group for name in one.files]
    return _Source(name, files, [plan], _stated_format(first.source))


def _plans(one: _File) -> Iterator[TablePlan]:
    """Yield the plans of a file's tables; sheets of one layout are one table."""
    alike: dict[str, list[Sample]] = {}
    for sample in one.samples:
        alike.setdefault(sample.layout, []).append(sample)
    for group in alike.values():
        if len(group) > 1:
            named = assets_of_sheets([sample.record_type for sample in group])
            together = _plan_together(one.name, group, one.zone, named)
            if together is not None:
                together.evidence.append(f"{len(group)} sheets with the same columns are one table")
                yield together
                continue
        for sample in group:
            yield plan_table(sample, zone=one.zone)


def _plan_together(
    name: str, samples: Sequence[Sample], zone: StatedZone | None, named: NamedAssets | None
) -> TablePlan | None:
    """Return the plan of files or sheets as one table; None if they don't fit together, or mean nothing so."""
    sample = joined(name, samples, names=named.ids if named else ())
    plan = None if sample is None else plan_table(sample, zone=zone, named=named)
    return None if plan is None or plan.content == "nothing" else plan


def _check_samples(samples: Sequence[Sample]) -> None:
    """Raise SchemaError if there is nothing to draft from, or a name that YAML can't have as a key."""
    if not samples:
        msg = "it has a header but no row; a draft needs some"
        raise SchemaError(msg)
    for sample in samples:
        for name in sample.rows_.schema.names:
            if len(name) > _LONGEST_NAME:
                msg = f"the name of a column has {len(name):,} characters ({name[:20]}…), expected at most {_LONGEST_NAME}; shorten it"
                raise SchemaError(msg)


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
            sample = plan.checked
            found = harmonise(sample, mapping, Context(model))
            events = sum(part.table.num_rows for part in found.events)
            assets = sum(part.table.num_rows for part in found.assets)
            drafted.evidence.append(
                f"{one.shown}, {plan.sample.record_type}: the first {sample.rows} rows give {len(found.claims)} values, {events} events, "
                f"{assets} assets; {found.missing} cells without a value, {found.problem_count} problems"
            )
            drafted.evidence.extend(f"{one.shown}: {term.message}" for term in found.unknown.values())
