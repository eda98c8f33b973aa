"""The report of an ingest counts each file by itself, and lists the empty rows that it left out."""

import openpyxl

import twinlab as tl


def twin_of(folder, **files):
    paths = []
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    twin = tl.create(folder / "twin", files=[paths[0]])
    mapping = folder / "twin" / "mapping" / f"{paths[0].stem}.yaml"
    text = mapping.read_text().replace(f"files: [{paths[0].name}]", 'files: ["*.csv"]')
    mapping.write_text(text.replace(f"table: {paths[0].stem}", 'table: "*"'))
    return tl.open(twin.folder), paths


def rows(day, cells):
    return "time,temp (degC)\n" + "".join(f"2025-03-0{day}T{i:02d}:00Z,{cell}\n" for i, cell in enumerate(cells))


def test_a_bad_cell_is_counted_once_and_in_its_own_file(tmp_path):
    good = [f"{i}.5" for i in range(8)]
    twin, paths = twin_of(tmp_path, a=rows(1, good), b=rows(2, [*good[:7], "1.5.5"]), c=rows(3, good[:5]))
    report = twin.ingest(*paths)
    assert [(part.name, part.rows_read, part.unparseable, part.values) for part in report.parts] == [
        ("a.csv", 8, 0, 8),
        ("b.csv", 8, 1, 7),
        ("c.csv", 5, 0, 5),
    ]
    assert (report.unparseable, [(one.row, one.text) for one in report.problems]) == (1, [(9, "1.5.5")])
    assert [part.start for part in report.parts] == [f"2025-03-0{day} 00:00:00" for day in (1, 2, 3)]


def test_late_values_are_counted_in_the_file_that_brought_them(tmp_path):
    good = [f"{i}.5" for i in range(8)]
    twin, (first, second, third) = twin_of(tmp_path, a=rows(5, good), b=rows(2, good), c=rows(6, good))
    twin.ingest(first)
    report = twin.ingest(second, third)
    assert [part.late for part in report.parts] == [8, 0]
    assert report.late == 8


def test_an_unknown_column_is_listed_with_its_file_only(tmp_path):
    good = [f"{i}.5" for i in range(8)]
    other = rows(2, [f"{cell},x" for cell in good]).replace("(degC)", "(degC),extra", 1)
    twin, paths = twin_of(tmp_path, a=rows(1, good), b=other)
    report = twin.ingest(*paths)
    assert [[term.term for term in part.unknown] for part in report.parts] == [[], ["column 'extra'"]]
    assert report.text().count("extra") == report.parts[1].unknown[0].hint.count("extra") + 1


def test_empty_rows_are_listed_with_their_numbers(tmp_path):
    text = rows(1, ["1.5", "2.5", "3.5"]) + ",\n\n" + "2025-03-01T05:00Z,4.5\n" + ",\n" * 12
    twin, paths = twin_of(tmp_path, a=text)
    report = twin.ingest(*paths)
    (part,) = report.parts
    assert (part.rows_read, part.empty_rows, part.empty) == (4, 14, (5, 6, 8, 9, 10, 11, 12, 13, 14, 15))
    assert "14 empty rows left out: 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, …" in report.text()
    assert "14 empty rows left out" in report._repr_html_()


def test_empty_rows_of_workbooks_and_json_lines_are_listed_too(tmp_path):
    book = openpyxl.Workbook()
    for row in (["time", "temp"], ["2025-03-01T01:00Z", 1.5], [None, None], ["", " "], ["2025-03-01T02:00Z", 2.5]):
        book.active.append(row)
    # A format makes rows without values below the last one, which aren't rows of the table.
    book.active["A9"].number_format = "0.0"
    book.save(tmp_path / "book.xlsx")
    lines = [
        '{"time": "2025-03-01T01:00Z", "temp": 1.5}',
        "",
        "  ",
        '{"time": "2025-03-01T02:00Z", "temp": 2.5}',
        "",
        "",
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    paths = [tmp_path / "book.xlsx", tmp_path / "lines.jsonl"]
    report = tl.create(tmp_path / "empties", files=paths).ingest(*paths)
    assert [(part.rows_read, part.empty_rows, part.empty) for part in report.parts] == [(2, 2, (3, 4)), (2, 2, (2, 3))]


def test_the_same_file_again_has_no_counts_of_other_files(tmp_path):
    good = [f"{i}.5" for i in range(8)]
    twin, (first, second) = twin_of(tmp_path, a=rows(1, good), b=rows(2, [*good[:7], "1.5.5"]))
    twin.ingest(first)
    report = twin.ingest(first, second)
    assert [(part.values, part.unparseable) for part in report.parts] == [(0, 0), (7, 1)]
