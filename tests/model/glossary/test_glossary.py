"""The glossary: one source, found by the words of both sides and in German, and the page that is made of it."""

import re
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.errors import UnknownTermError
from twinlab.model.glossary import all_terms, glossary_page

PAGE = Path(__file__).parents[3] / "notebooks" / "reference" / "glossary.md"


def test_the_page_is_the_one_that_the_terms_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == glossary_page(), "run: python -m twinlab.model.glossary.markdown"


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("tag", "tag"), ("point", "tag"), ("topic", "tag"), ("setpoint", "setpoint, reported"), ("desired", "setpoint, reported"), ("SP", "setpoint, reported"),
        ("historian", "historian"), ("time-series store", "history"), ("Scan Rate", "cadence"), ("polling interval", "cadence"), ("Abtastrate", "cadence"),
        ("Kennzahl", "KPI"), ("dead letter queue", "quarantine"), ("watermark", "watermark, settled_until"), ("<signal>_qc", "quality flag, `<signal>_qc`"),
    ],
)  # fmt: skip
def test_a_term_is_found_by_the_words_of_both_sides_and_in_german(word: str, term: str) -> None:
    assert tl.glossary(word).terms[0].term == term


def test_every_word_of_a_term_finds_it() -> None:
    for term in all_terms():
        for name in term.names:
            assert term in tl.glossary(name), name


def test_an_unknown_word_gets_the_nearest_ones() -> None:
    with pytest.raises(UnknownTermError, match="the glossary doesn't have 'setpiont'; did you mean 'setpoint"):
        tl.glossary("setpiont")
    with pytest.raises(UnknownTermError):
        tl.glossary("  ")


def test_terms_are_whole_and_each_is_there_once() -> None:
    terms = all_terms()
    assert len({one.term for one in terms}) == len(terms) > 60
    for one in terms:
        assert one.term and one.meaning
        # Both sides or none, and then in German too.
        assert bool(one.ot) == bool(one.it) == bool(one.de), one.term
        assert not re.search(r"[|\n]", f"{one.term}{one.meaning}{one.origin}{one.unused}{one.ot}{one.it}{one.de}")


def test_the_table_of_a_notebook_escapes_its_texts() -> None:
    shown = tl.glossary("<signal>_qc")._repr_html_()
    assert "&lt;signal&gt;_qc" in shown
    assert shown.count("<tr>") == 2
    assert len(tl.glossary()) == len(list(all_terms()))
