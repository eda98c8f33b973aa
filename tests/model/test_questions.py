"""Open questions: what is written as unknown, and what a draft asks, until somebody states it."""

from pathlib import Path

import pytest

from twinlab.errors import UnitError, UnknownTermError
from twinlab.harmonise import Context, harmonise
from twinlab.harmonise.drafting.samples import samples_of
from twinlab.history.build.mapping_context import content_hash
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.model.questions import open_questions
from twinlab.model.units import canonical_unit, conversion
from twinlab.sources import open_source

MODEL = """\
twin: pilot
asset_types:
  room:
    signals:
      temp: {unit: unknown, resolution: 0.1}
      rh: {unit: "1", resolution: 0.1}
questions:
  - {at: asset_types.room.signals.temp.unit, ask: "Which unit?", evidence: "values 2..8", choices: [degC, degF], drafted: unknown}
  - {at: asset_types.room.signals.rh.kind, ask: "Is it a gauge?"}
"""
MAPPING = """\
source: log
tables:
  - time: {column: t, format: "%d/%m/%Y %H:%M", zone: unknown}
    asset: {type: room, id: a}
    columns:
      t1: {signal: temp}
questions:
  - {at: "tables[0].time.format", ask: "Day first?", choices: ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"], drafted: "%d/%m/%Y %H:%M"}
"""


def asked(model: str = MODEL, mapping: str = MAPPING) -> list[tuple[str, str]]:
    found = open_questions(parse_model(model), {"log": parse_mapping(mapping)})
    return [(one.file, one.path) for one in found]


def test_several_questions_may_be_about_one_value() -> None:
    more = '  - {at: "tables[0].ignore", ask: "Is a a time?"}\n  - {at: "tables[0].ignore", ask: "Is b a time?"}\n'
    assert len(asked(mapping=MAPPING + more)) == len(asked()) + 2


def test_each_question_names_its_file_its_path_and_the_evidence() -> None:
    assert asked() == [
        ("twin.yaml", "asset_types.room.signals.temp.unit"),
        ("twin.yaml", "asset_types.room.signals.rh.kind"),
        ("mapping/log.yaml", "tables[0].time.zone"),
        ("mapping/log.yaml", "tables[0].time.format"),
    ]
    first = open_questions(parse_model(MODEL), {})[0]
    assert (first.evidence, first.choices) == ("values 2..8", ("degC", "degF"))


def test_a_value_in_place_of_unknown_or_of_the_drafted_one_answers() -> None:
    model = MODEL.replace("unit: unknown", "unit: degC")
    mapping = MAPPING.replace("zone: unknown", "zone: Europe/Rome").replace(
        '{column: t, format: "%d/%m', '{column: t, format: "%m/%d'
    )
    # A question without a drafted value is open until its entry is removed.
    assert asked(model, mapping) == [("twin.yaml", "asset_types.room.signals.rh.kind")]


def test_a_rule_of_one_column_has_the_path_that_the_file_has() -> None:
    mapping = MAPPING.replace("t1: {signal: temp}", "t1: {signal: temp, unit: unknown}")
    assert ("mapping/log.yaml", "tables[0].columns.t1.unit") in asked(mapping=mapping)


def test_an_unknown_unit_converts_to_nothing_but_is_kept_as_written() -> None:
    assert canonical_unit("Unknown") == "unknown"
    assert conversion("unknown", "unknown").scale == 1.0
    with pytest.raises(UnitError, match="nobody has stated"):
        conversion("unknown", "degC")
    with pytest.raises(UnitError, match="nobody has stated"):
        check_mapping(
            parse_mapping(MAPPING.replace("{signal: temp}", "{signal: temp, unit: degC}")), parse_model(MODEL)
        )


def test_a_rule_may_compare_with_a_bare_number_but_not_with_a_unit() -> None:
    rule = "rules:\n  warm: {on: room, when: temp > 8, lasting: 10min}\n"
    parse_model(MODEL + rule)
    with pytest.raises(UnknownTermError, match="nobody has stated"):
        parse_model(MODEL + rule.replace("> 8", "> 8 degC"))


def test_a_clock_of_unknown_zone_is_read_as_utc(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("t,t1\n02/01/2026 10:00,4.5\n", encoding="utf-8")
    (sample,) = samples_of(open_source(path))
    found = harmonise(sample, parse_mapping(MAPPING), Context(parse_model(MODEL)))
    assert [str(time)[:16] for time in found.claims.event_time.astype("datetime64[ns]")] == ["2026-01-02T10:00"]


def test_questions_change_no_hash_so_that_nothing_is_built_anew() -> None:
    bare = MODEL[: MODEL.index("questions:")]
    assert content_hash(parse_model(bare)) == content_hash(parse_model(MODEL))


def test_a_drafted_value_that_is_a_default_is_open_until_it_is_changed() -> None:
    mapping = MAPPING.replace("%d/%m/%Y %H:%M", "iso")
    assert ("mapping/log.yaml", "tables[0].time.format") in asked(mapping=mapping)
    changed = mapping.replace('{column: t, format: "iso"', '{column: t, format: "%Y-%m-%d"')
    assert ("mapping/log.yaml", "tables[0].time.format") not in asked(mapping=changed)
