"""Options of reading: given, written in a mapping, detected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab import sources
from twinlab.errors import SchemaError
from twinlab.sources import Reading

READINGS = st.builds(
    Reading,
    format=st.none() | st.sampled_from(["csv", "excel"]),
    encoding=st.none() | st.just("cp1252"),
    delimiter=st.none() | st.sampled_from(";,\t"),
    decimal=st.none() | st.sampled_from(".,"),
    thousands=st.none() | st.sampled_from(["", "'"]),
    header_rows=st.none() | st.lists(st.integers(1, 9), max_size=3).map(tuple),
    units_row=st.none() | st.integers(0, 9),
    missing=st.lists(st.sampled_from(["NA", "-"]), max_size=2).map(tuple),
    widths=st.none() | st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
)


@given(READINGS)
def test_a_reading_comes_back_from_its_plain_form(reading: Reading) -> None:
    assert Reading.from_dict(reading.to_dict()) == reading


@given(READINGS, READINGS)
def test_laying_one_reading_over_another_keeps_what_it_sets(below: Reading, over: Reading) -> None:
    try:
        merged = below.merged(over)
    except SchemaError:
        return  # the two together contradict themselves, and say so
    assert merged.merged(over) == merged
    assert over.to_dict().items() <= merged.to_dict().items()


def test_an_unknown_key_shows_the_nearest_known_one() -> None:
    with pytest.raises(SchemaError, match="unknown key 'delimeter'; did you mean 'delimiter'"):
        Reading.from_dict({"delimeter": ";"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delimiter": ";;"}, "one character"),
        ({"delimiter": "\n"}, "ends rows"),
        ({"decimal": ";"}, "expected one of"),
        ({"decimal": ",", "thousands": ","}, "are both"),
        ({"format": "exel"}, "did you mean 'excel'"),
        ({"header_rows": "1"}, "list of numbers"),
        ({"header_rows": [0]}, "numbers from 1"),
        ({"missing": [1]}, "list of texts"),
        ({"skip_rows": -1}, "number from 0"),
        ({"encoding": 1252}, "expected text"),
    ],
)
def test_a_wrong_option_says_what_was_expected(options: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        Reading.from_dict(options)


def test_a_mappings_reading_section_is_used_and_given_options_win(tmp_path: Path) -> None:
    data, mapping = tmp_path / "x.csv", tmp_path / "x.yaml"
    data.write_bytes(b"a|b\n1|1,234\n2|2,345\n")
    mapping.write_text("source: x\nreading:\n  decimal: ','\n  text_columns: [a]\n")
    [batch] = sources.csv(data, mapping=mapping).batches()
    assert batch.rows.to_pydict() == {"a": ["1", "2"], "b": [1.234, 2.345]}
    [batch] = sources.open_source(data, mapping=mapping, reading={"text_columns": ["b"]}).batches()
    assert batch.rows.to_pydict() == {"a": [1, 2], "b": ["1,234", "2,345"]}
    assert sources.csv(data, mapping=mapping).mapping == mapping


def test_a_broken_mapping_names_its_file(tmp_path: Path) -> None:
    data, mapping = tmp_path / "x.csv", tmp_path / "x.yaml"
    data.write_bytes(b"a,b\n1,2\n")
    mapping.write_text("reading: {delimitr: ';'}")
    with pytest.raises(SchemaError, match=r"x\.yaml: reading: unknown key 'delimitr'; did you mean 'delimiter'"):
        sources.csv(data, mapping=mapping)
    mapping.write_text("reading: [")
    with pytest.raises(SchemaError, match=r"x\.yaml: not valid YAML"):
        sources.csv(data, mapping=mapping)
    mapping.write_text("reading: 3")
    with pytest.raises(SchemaError, match="expected keys and values"):
        sources.csv(data, mapping=mapping)


def test_the_words_of_a_mapping_are_text_as_everywhere_in_a_twin(tmp_path: Path) -> None:
    data, mapping = tmp_path / "x.csv", tmp_path / "x.yaml"
    data.write_bytes(b"a,b\nno,1\n2,no\n")
    # YAML 1.1 would take these words for the boolean false.
    mapping.write_text("source: x\nreading: {missing: [no, off]}\n")
    [batch] = sources.csv(data, mapping=mapping).batches()
    assert batch.rows.to_pydict() == {"a": [None, 2], "b": [1, None]}


def test_sniffing_gives_its_evidence(tmp_path: Path) -> None:
    path = tmp_path / "fridge.csv"
    path.write_bytes("Kühlraum 3\nZeit;Temp;Druck\n;°C;hPa\n1;12,5;1.013,2\n2;13,5;1.014,2\n".encode("cp1252"))
    found = sources.sniff(path)
    assert found.reading == Reading(
        format="csv",
        encoding="cp1252",
        delimiter=";",
        decimal=",",
        thousands=".",
        quote='"',
        header_rows=(2,),
        units_row=3,
        skip_rows=1,
    )
    assert found.names == ("Zeit", "Temp", "Druck")
    assert found.layout.units == ("", "°C", "hPa")
    text = "\n".join(found.evidence)
    for word in ("cp1252", "0xfc", "';'", "title", "row 2", "°C, hPa", "'12,5'", "'1.013,2'"):
        assert word in text
    # What was detected, given back, reads the same.
    first = next(iter(sources.csv(path).batches()))
    again = next(iter(sources.open_source(path, reading=found.reading.to_dict()).batches()))
    assert first.rows.equals(again.rows)
    assert first.units == again.units


def test_every_format_is_chosen_by_content_before_suffix(tmp_path: Path) -> None:
    for name, content in {
        "a.txt": b"a\tb\n1\t2\n",
        "b.dat": b'{"a": 1, "b": 2}\n',
        "c.log": b"a;b\n1;2\n",
        "d": b"a,b\n1,2\n",
        "e.tsv": b"a\tb\n1\t2\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        [batch] = sources.open_source(tmp_path / name).batches()
        assert batch.rows.to_pydict() == {"a": [1], "b": [2]}, name
        assert batch.table == name.split(".")[0]


def test_the_name_of_a_source_is_not_the_name_of_its_tables(tmp_path: Path) -> None:
    (tmp_path / "legs.csv").write_bytes(b"a,b\n1,2\n")
    source = sources.csv(tmp_path / "legs.csv", name="depot")
    assert source.name == "depot"
    assert source.files() == (tmp_path / "legs.csv",)
    assert [batch.table for batch in source.batches()] == ["legs"]


def test_no_module_has_the_name_of_a_public_function() -> None:
    # Importing it would put the module in the function's place.
    modules = {path.stem for path in Path(sources.__path__[0]).glob("*.py")}
    assert not modules & set(sources.__all__)
    assert all(callable(getattr(sources, name)) for name in sources.__all__)
