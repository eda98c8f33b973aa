"""Encryption of a ledger: which columns of which source, with which keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.ledger.encryption.columns import UNKNOWN, Part, decrypt_columns, encrypt_columns, subject_texts
from twinlab.ledger.format.records import KEY, Records
from twinlab.signing.subjects.ciphers import decrypt_name, encrypt_name
from twinlab.signing.subjects.key_folder import KeyFolder, file_subject

__all__ = ["NAMES", "Encryption", "PersonalRule", "period_of", "this_month"]

#: The "month" of the keys of pseudonyms, which stay the same as long as the person isn't forgotten.
NAMES = "names"


class PersonalRule(Protocol):
    """What is known about a personal column; see `twinlab.model.privacy.personal_columns`."""

    @property
    def subject(self) -> str | None:
        """Column that names the person."""

    @property
    def person(self) -> str | None:
        """The person, if all rows are about the same."""

    @property
    def pattern(self) -> str | None:
        """Regular expression over the subject's text."""

    @property
    def sensitivity(self) -> str:
        """``personal`` or ``sensitive``."""

    @property
    def store(self) -> str:
        """``encrypted``, ``pseudonym`` or ``no``."""


#: (source, table, its columns) -> its personal columns.
RulesOf = Callable[[str, str, Sequence[str]], Mapping[str, PersonalRule]]


def this_month() -> str:
    """Return the present month, UTC: ``"2026-03"``."""
    return datetime.now(UTC).strftime("%Y-%m")


def period_of(month: str, sensitivity: str) -> str:
    """Return the period of a key: what is sensitive has keys of its own, which may be destroyed earlier.

    >>> period_of("2026-03", "personal"), period_of("2026-03", "sensitive")
    ('2026-03', '2026-03 sensitive')
    """
    return month if sensitivity == "personal" else f"{month} {sensitivity}"


class Encryption:
    """Encrypts personal columns before rows are written, and decrypts them when they are read.

    Parameters
    ----------
    keys : KeyFolder
    rules_of : callable
        Returns the personal columns of a table.
    check : callable
        Gets rows of a table with columns that weren't seen before; raises an error if some are personal and not declared.
    personal_tag : callable
        Returns the field of ``twin.yaml`` that a tag of a source feeds, if it is personal; else None.
    month : callable
        Returns the month whose keys are used.
    """

    def __init__(
        self,
        keys: KeyFolder,
        rules_of: RulesOf,
        *,
        check: Callable[[str, str, pa.RecordBatch], None] = lambda _source, _table, _rows: None,
        personal_tag: Callable[[str, str], str | None] = lambda _source, _tag: None,
        month: Callable[[], str] = this_month,
    ) -> None:
        self.keys, self._rules_of, self._check, self._month = keys, rules_of, check, month
        self._personal_tag = lru_cache(maxsize=1 << 16)(personal_tag)
        self._known: dict[tuple[str, str, tuple[str, ...]], Mapping[str, PersonalRule]] = {}

    def rules(self, source: str, table: str, rows: pa.RecordBatch) -> Mapping[str, PersonalRule]:
        """Return the personal columns of a table, after checking that columns that look personal are declared.

        Raises
        ------
        SchemaError
            If one isn't.
        """
        key = (source, table, tuple(rows.schema.names))
        if key not in self._known:
            self._check(source, table, rows)
            self._known[key] = self._rules_of(source, table, rows.schema.names)
        return self._known[key]

    def check_tags(self, source: str, tags: pa.Array) -> None:
        """Refuse observations of personal signals: tags and values would be stored as they are.

        Raises
        ------
        SchemaError
            Names the tag and the field.
        """
        for tag in tags.unique().to_pylist():
            field = None if tag is None else self._personal_tag(source, tag)
            if field is not None:
                msg = (
                    f"source {source!r}, tag {tag!r}: expected no observations of {field}, which is personal: only rows of tables are encrypted; "
                    "deliver them as rows of a table, with a column that names the person, or let the gateway replace the person's id in the tag "
                    "(pseudonyms: of its settings)"
                )
                raise SchemaError(msg)

    def file_key(self, file_id: str) -> tuple[str, str, bytes]:
        """Return id, month and bytes of a new key for the copy of a file."""
        month = self._month()
        one, key = self.keys.make([file_subject(file_id)], month)[file_subject(file_id)]
        return one, month, key

    def encrypt(self, source: str, given: Records) -> Records:
        """Return rows whose personal columns are encrypted; the keys of the rows, which may consist of such columns, too."""
        rules = self.rules(source, given.record_type, given.rows)
        if not rules or not given.rows.num_rows:
            return given
        rows = given.rows
        dropped = [name for name, rule in rules.items() if rule.store == "no"]
        people = self._people(rows, {name: rule for name, rule in rules.items() if rule.store != "no"})
        rows = rows.drop_columns(dropped) if dropped else rows
        for name, rule in rules.items():
            if rule.store == "pseudonym":
                rows = self._with_pseudonyms(rows, name, people[name])
        hidden = {name: rule for name, rule in rules.items() if rule.store == "encrypted"}
        month = self._month()
        parts: dict[str, Part] = {}
        for name, rule in hidden.items():
            empty = Part([], people[name], period_of(month, rule.sensitivity))
            parts.setdefault(_who(rule, name), empty).names.append(name)
        if given.keys is not None and parts:
            rows = rows.append_column(KEY, pa.array([None if k is None else str(k) for k in given.keys], pa.string()))
            next(iter(parts.values())).names.append(KEY)
        if not parts:
            return replace(given, rows=rows)
        made = encrypt_columns(rows, list(parts.values()), self.keys.make)
        return replace(given, rows=made, keys=None)

    def _with_pseudonyms(self, rows: pa.RecordBatch, name: str, people: pa.Array) -> pa.RecordBatch:
        """Return rows with a column of texts that only the person's key leads back from."""
        place = rows.schema.get_field_index(name)
        whole = rows.column(place)
        texts = (whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole).cast(pa.string())
        keys = self.keys.make(people.unique().to_pylist(), NAMES)
        made = [
            None if text is None else f"p-{encrypt_name(keys[person][1], text, source_of(name))}"
            for text, person in zip(texts.to_pylist(), people.to_pylist(), strict=True)
        ]
        return rows.set_column(place, pa.field(name, pa.string()), pa.array(made, pa.string()))

    def real_name(self, pseudonym: str, column: str) -> str | None:
        """Return the text behind a pseudonym of a column, as long as the person's key exists."""
        for person in self.keys.subjects():
            if NAMES in self.keys.months(person):
                key = self.keys.make([person], NAMES)[person][1]
                found = decrypt_name(key, pseudonym.removeprefix("p-"), source_of(column))
                if found is not None:
                    return found
        return None

    @staticmethod
    def _people(rows: pa.RecordBatch, rules: Mapping[str, PersonalRule]) -> dict[str, pa.Array]:
        """Return the people of each column; columns of the same people have the same array."""
        made: dict[tuple[str | None, ...], pa.Array] = {}
        found = {}
        for name, rule in rules.items():
            there = rule.subject is not None and rule.subject in rows.schema.names
            person = None if there else rule.person or (UNKNOWN if rule.subject is None else name)
            key = (rule.subject, rule.pattern) if there else (person,)
            if key not in made:
                made[key] = pa.array([person] * rows.num_rows) if person is not None else _subjects(rows, rule)
            found[name] = made[key]
        return found

    def decrypt(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with their personal columns, which are null where the person's key was destroyed."""
        return decrypt_columns(rows, self.keys.key)


def source_of(column: str) -> str:
    """Return what a pseudonym of a column is bound to."""
    return f"column {column}"


def _who(rule: PersonalRule, name: str) -> str:
    return f"{rule.sensitivity}\x1f{rule.subject or ''}\x1f{rule.person or ('' if rule.subject else name)}\x1f{rule.pattern or ''}"


def _subjects(rows: pa.RecordBatch, rule: PersonalRule) -> pa.Array:
    texts = subject_texts(rows.column(rows.schema.get_field_index(rule.subject)))
    return texts if rule.pattern is None else _matched(texts, rule.pattern)


def _matched(texts: pa.Array, pattern: str) -> pa.Array:
    """Return the people that a pattern finds in texts, as it finds the ids of assets."""
    coded = texts.dictionary_encode()
    found = []
    for text in coded.dictionary.to_pylist():
        match = re.search(pattern, text)
        found.append(text if match is None else match["id"] if "id" in match.re.groupindex else match[0])
    return pa.array(found, pa.string()).take(coded.indices)
