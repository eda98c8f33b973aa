"""What a draft reads: long tables to their end, files of one series together, codes for no value."""

import pytest

from twinlab.harmonise import draft
from twinlab.harmonise.drafting.samples import MAX_ROWS, rows_of_each, samples_of
from twinlab.model.load import parse_mapping, parse_model
from twinlab.sources import Reading, open_source


def written(folder, name, header, rows):
    path = folder / name
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def hours(year, count=24):
    return [f"{year}-06-01T{i:02d}:00Z,{i}.5" for i in range(count)]


def test_a_long_table_sorted_by_tag_is_drafted_from_all_of_its_tags(tmp_path):
    tags = ["temp_a", "rh_b", "pressure_c"]
    rows = [f"{tag},2025-01-{1 + i // 1440 % 28:02d}T{i // 60 % 24:02d}:{i % 60:02d}Z,{i % 90}.5" for tag in tags for i in range(40_000)]  # fmt: skip
    path = written(tmp_path, "log.csv", "tag,time,value", rows)
    (sample,) = samples_of(open_source(path))
    assert MAX_ROWS <= sample.rows < MAX_ROWS + 1000
    made = draft([path], name="x")
    mapping = parse_mapping(made.mappings["log"])
    assert sorted(mapping.tables[0].tags) == sorted(tags)


def test_no_more_is_read_of_a_file_than_the_rows_that_a_draft_needs(tmp_path):
    rows = [f"2025-01-{1 + i // 1440:02d}T{i // 60 % 24:02d}:{i % 60:02d}Z,{i}.5,x" for i in range(40_000)]
    path = written(tmp_path, "log.csv", "time,temp (°C),note", rows)
    reads = []

    class Counted(type(open_source(path))):
        def batches(self):
            for batch in super().batches():
                reads.append(batch.rows.num_rows)
                yield batch

    (sample,) = samples_of(Counted(path, "log", None, Reading(format="csv")), rows=2000)
    assert sample.rows == 2000
    assert len(reads) == 1 < sum(reads) < 20_000


def test_a_column_whose_first_rows_are_empty_has_the_type_of_its_later_rows(tmp_path):
    rows = [f"2025-01-01T00:00:{i % 60:02d}Z,{'' if i < 2000 else i % 7},,{'x' * 300}" for i in range(3000)]
    (sample,) = samples_of(open_source(written(tmp_path, "log.csv", "time,late,never,note", rows)), rows=2500)
    kinds = [str(sample.rows_.schema.field(name).type) for name in ("late", "never")]
    assert (kinds, sample.rows) == (["int64", "string"], 2500)


@pytest.mark.parametrize(
    ("names", "source", "files"),
    [
        (["site_2019.csv", "site_2020.csv"], "site", ["site_*.csv"]),
        (["site-2019-05.csv", "site-2019-06.csv", "site-2019-07.csv"], "site", ["site-*.csv"]),
        (["Halle 2019 Q1.csv", "Halle 2019 Q2.csv"], "halle", ["Halle *.csv"]),
        (["log20190531.csv", "log20190601.csv"], "log", ["log*.csv"]),
    ],
)
def test_files_whose_names_differ_by_a_date_are_one_source_of_one_asset(tmp_path, names, source, files):
    paths = [written(tmp_path, name, "time,temp (°C)", hours(2019 + i)) for i, name in enumerate(names)]
    made = draft(paths, name="x")
    model, mapping = parse_model(made.model_yaml), parse_mapping(made.mappings[source])
    assert (list(made.mappings), mapping.files, mapping.tables[0].table) == ([source], files, "*")
    assert len(model.asset_types) == 1
    assert model.origin.startswith("201")


def test_files_of_a_series_with_other_columns_stay_apart(tmp_path):
    one = written(tmp_path, "site_2019.csv", "time,temp (°C)", hours(2019))
    two = written(tmp_path, "site_2020.csv", "time,temp (°F)", hours(2020))
    assert list(draft([one, two], name="x").mappings) == ["site_2019", "site_2020"]


def test_a_pattern_never_takes_in_another_file(tmp_path):
    paths = [written(tmp_path, f"site_{year}.csv", "time,temp (°C)", hours(year)) for year in (2019, 2020)]
    other = written(tmp_path, "site_notes.csv", "time,rh (%)", hours(2020))
    made = draft([*paths, other], name="x")
    assert parse_mapping(made.mappings["site"]).files == ["site_2019.csv", "site_2020.csv"]
    assert sorted(made.mappings) == ["site", "site_notes"]


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        (lambda i: -200 if i in (3, 9) else 5 * i, [-200]),
        (lambda i: -99.9 if i == 3 else i, [-99.9]),
        (lambda i: {3: 9999, 5: -9999}.get(i, i), [-9999, 9999]),
        (lambda i: -200 + 20 * i, []),
        (lambda i: 999 + i, []),
    ],
)
def test_a_code_far_outside_all_other_values_is_proposed_as_missing(tmp_path, value, missing):
    path = written(tmp_path, "log.csv", "time,x (°C)", [f"2025-01-01T{i:02d}:00Z,{value(i)}" for i in range(24)])
    mapping = parse_mapping(draft([path], name="x").mappings["log"])
    assert sorted(mapping.tables[0].columns["x (°C)"][0].missing) == missing


def test_many_files_are_sampled_more_thinly():
    assert [rows_of_each(count) for count in (1, 8, 200, 10_000)] == [50_000, 50_000, 2_000, 1_000]
