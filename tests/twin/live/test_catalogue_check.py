"""What a source declares when it connects is compared with its mapping."""

from __future__ import annotations

import pytest

from twinlab.model.load import parse_mapping, parse_model
from twinlab.sources.live import Catalogue, DeclaredTag
from twinlab.twin.live.catalogue_check import catalogue_findings

MODEL = parse_model("""
twin: site
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      pressure: {unit: bar, resolution: 0.01, cadence: 1min}
""")
MAPPING = parse_mapping(r"""
source: cold
stream:
  tags:
    '/^(?P<id>\w+)[.]temp$/': {signal: temperature, asset: 'room/{id}', unit: degF}
    r7.temp: {signal: temperature, asset: room/7}
    r1.p: {signal: pressure, asset: room/1}
tables:
  - table: log
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature}, p: {signal: pressure, unit: kPa}}
""")


@pytest.mark.parametrize(
    ("declared", "finding"),
    [
        (DeclaredTag("r1.temp", "°F"), ""),
        (DeclaredTag("r1.temp", None), ""),
        (DeclaredTag("r1.temp", "Celsius"), "cold: tag 'r1.temp' declares 'Celsius', but the mapping reads it as degF"),
        # The exact name applies, not the pattern; without a unit it is the signal's.
        (DeclaredTag("r7.temp", "degC"), ""),
        (DeclaredTag("r7.temp", "F"), "tag 'r7.temp' declares 'F', but the mapping reads it as degC"),
        (DeclaredTag("r1.p", "flurbs"), "declares the unit 'flurbs', which isn't known"),
        (DeclaredTag("unmapped", "K"), ""),
        (DeclaredTag("p", "bar", "log"), "tag 'p' declares 'bar', but the mapping reads it as kPa"),
        (DeclaredTag("p", "bar", "other"), ""),
    ],
)
def test_a_unit_that_differs_is_reported(declared: DeclaredTag, finding: str) -> None:
    found = catalogue_findings(Catalogue((declared,)), MAPPING, MODEL)
    assert len(found) == bool(finding)
    assert finding in "".join(found)


def test_tags_that_the_source_does_not_have_are_reported_if_its_list_is_complete() -> None:
    tags = (
        DeclaredTag("r1.temp"),
        DeclaredTag("r7.temp"),
        DeclaredTag("r1.P"),
        DeclaredTag("time", table="log"),
        DeclaredTag("t", table="log"),
    )
    assert catalogue_findings(Catalogue(tags), MAPPING, MODEL) == []
    found = catalogue_findings(Catalogue(tags, complete=True), MAPPING, MODEL)
    assert [line.split(":")[1] for line in found] == [
        " no tag 'r1.p' at the source; did you mean 'r1.P'?",
        " table 'log' has no column 'p'; known",
    ]
