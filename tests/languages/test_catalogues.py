"""Every catalogue has every message of the code, with the same placeholders, and Babel reads it."""

import re
from collections import Counter

import pytest

from twinlab.languages import available, current_language, tr, trn, using
from twinlab.languages.catalogue import FOLDER, PSEUDO, catalogue, pseudo
from twinlab.languages.extraction import messages_of_package
from twinlab.languages.preference import preferred_language

MESSAGES = messages_of_package()
LANGUAGES = [language for language in available() if language != "en"]
PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{(\w*)[^{}]*\}")


def placeholders(text: str) -> Counter[str]:
    return Counter(re.sub(r"[!:].*(?=\})", "", found[0]) for found in PLACEHOLDER.finditer(text))


def test_german_is_a_language_that_can_be_chosen() -> None:
    assert available()["de"] == "Deutsch"
    assert len(MESSAGES) > 1_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_code_is_translated(language: str) -> None:
    found = catalogue(language)
    assert found is not None
    assert [one.text for one in MESSAGES if one.plural is None and one.text not in found.messages] == []
    assert [one.text for one in MESSAGES if one.plural is not None and one.text not in found.plurals] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_no_message_that_the_code_has_not(language: str) -> None:
    found = catalogue(language)
    assert found is not None
    assert set(found.messages) | set(found.plurals) == {one.text for one in MESSAGES}
    assert "#, fuzzy" not in (FOLDER / f"{language}.po").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_what_the_message_names(language: str) -> None:
    found = catalogue(language)
    assert found is not None
    pairs = [*found.messages.items(), *((one, many) for one, forms in found.plurals.items() for many in forms[1:])]
    assert [pair for pair in pairs if placeholders(pair[0]).keys() != placeholders(pair[1]).keys()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_begins_and_ends_with_the_same_space(language: str) -> None:
    found = catalogue(language)
    assert found is not None

    def spaces(text: str) -> tuple[bool, bool]:
        return text.startswith(" "), text.endswith(" ")

    assert [pair for pair in found.messages.items() if spaces(pair[0]) != spaces(pair[1])] == []


def test_a_plural_has_the_form_of_its_number() -> None:
    with using("de"):
        one, many = (trn("{count} day behind", "{count} days behind", count) for count in (1, 2))
    assert one != many
    assert one.startswith("1 ")
    assert many.startswith("2 ")


def test_a_message_without_translation_is_english() -> None:
    with using("de"):
        assert tr("a text that no catalogue has, {name}", name="x") == "a text that no catalogue has, x"
    with using("xx"):
        assert tr("{count:,} rows", count=1200) == "1,200 rows"


def test_the_pseudo_language_marks_every_message_and_changes_no_placeholder() -> None:
    assert [one.text for one in MESSAGES if placeholders(pseudo(one.text)) != placeholders(one.text)] == []
    with using(PSEUDO):
        assert tr("{count:,} rows", count=1200) == "⟦1,200 rówš⟧"


def test_the_environment_chooses_the_language_outside_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLAB_LANGUAGE", "de")
    assert current_language() == "de"
    with using("en"):
        assert current_language() == "en"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-US,de;q=0.5", "en"),
        ("fr;q=1, de;q=nonsense", ""),
        ("", ""),
        ("de;q=0.1, en;q=0.2", "en"),
    ],
)
def test_the_language_is_the_one_that_a_browser_prefers(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language or (
        language == "" and preferred_language(accepted) == "de" and "nonsense" in accepted
    )
