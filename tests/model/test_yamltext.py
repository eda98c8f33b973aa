"""YAML is read alike by both of PyYAML's parsers, the fast one and the one with the better messages."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import yamltext
from twinlab.model.yamltext import read_yaml

PIECES = (
    ["a", "b: ", "- ", "\n", "  ", '"', "'", ": ", "#", " #", "{", "}", "[", "]", ",", "&x ", "*x", "|\n", ">\n"]
    + ["12", "1.5", "0x1", "true", "~", "<<: ", "é", "\t", "---\n", "...\n", "? ", "a? ", "%", "@", "\\", "\u2028"]
    + ["\x85", "\r\n", "key: v\n", "- x\n", "😀", "\ufeff", "|-\n", "/^(?P<id>.+)$/", "a:b", "-1", "null", "!!str "]
    + ['"a\n  b"', "'it''s'"]
)


def read(text):
    try:
        found = read_yaml(text, name="x.yaml")
    except SchemaError as error:
        return str(error)
    return repr(found.data), found.lines, found.problems


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_as_the_parser_in_python_reads_it(text):
    found = read(text)
    fast, yamltext._FastLoader = yamltext._FastLoader, yamltext._Loader
    try:
        assert found == read(text)
    finally:
        yamltext._FastLoader = fast


def test_the_fast_parser_is_used_where_pyyaml_has_it():
    assert issubclass(yamltext._FastLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert yamltext._DIFFERS.search("tables:\n- {columns: {/^T(?P<id>.+)$/: {signal: t}}}  # which unit?\n") is None


def test_nesting_without_end_is_an_error_and_no_crash():
    for text in ("[" * 100_000, "- " * 100_000, "a: " + "{b: " * 5000):
        assert "x.yaml" in read(text)


def test_a_lone_surrogate_is_an_error_with_its_line():
    with pytest.raises(SchemaError, match="a.yaml:2: expected Unicode text, got the lone surrogate"):
        read_yaml("a: b\nc: \ud800", name="a.yaml")
