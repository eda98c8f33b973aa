"""Each language has the same symbols, sentences and examples."""

import string

import pytest

from twinlab.ask.languages import LANGUAGES, load_language
from twinlab.errors import UnknownTermError

# Two of them say the same with one phrase in some languages.
OPTIONAL = {
    "highest wind_speed",
    "highest relative_humidity",
    "lowest speed",
    "clock am",
    "clock pm",
    "number 0",
    "measure mph",
    "measure mi",
}


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_a_language_says_all_that_english_says(code: str) -> None:
    ours, english = load_language(code), load_language("en")
    symbols = {symbol for found in ours.phrases.values() for symbol in found}

    assert {symbol for found in english.phrases.values() for symbol in found} - symbols <= OPTIONAL
    assert set(ours.sentences) == set(english.sentences)
    assert len(ours.examples) == len(english.examples)


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_a_sentence_names_what_the_english_one_names(code: str) -> None:
    for key, sentence in load_language("en").sentences.items():
        names = {field for _, field, _, _ in string.Formatter().parse(sentence) if field}
        other = {field for _, field, _, _ in string.Formatter().parse(load_language(code).sentences[key]) if field}
        assert names == other, key


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(UnknownTermError, match="language"):
        load_language("xx")
