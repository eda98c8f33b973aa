"""What a ledger has of one person: texts, files, frames; found with the person's key, before it is destroyed."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from twinlab.errors import UnknownTermError
from twinlab.ledger import Ledger
from twinlab.ledger.encryption.columns import People, decrypt_columns, people_of

__all__ = ["DataOfPerson", "data_of"]


@dataclass
class DataOfPerson:
    """What a ledger has of one person."""

    subject: str
    subject_id: str
    rows: int = 0
    """Rows with personal values of this person."""
    texts: set[str] = field(default_factory=set)
    """Texts in personal columns of these rows, and the name."""
    others: set[str] = field(default_factory=set)
    """Texts in personal columns of other people's rows in the same frames."""
    files: set[str] = field(default_factory=set)
    """Ids of the contents of files in which the person is."""
    sources: set[str] = field(default_factory=set)


def data_of(ledger: Ledger, subject: str) -> DataOfPerson:
    """Return what a ledger has of a person.

    Parameters
    ----------
    ledger : Ledger
        With its encryption.
    subject : str
        Name of the person, as sources write it.

    Raises
    ------
    UnknownTermError
        If there is no key of this person.
    """
    encryption = ledger.encryption
    one = None if encryption is None else encryption.keys.subject_id(subject)
    if encryption is None or one is None:
        msg = (
            f"there is no key of {subject!r}: expected the name as sources write it, of somebody whose personal columns are declared; "
            "`twinlab privacy people` lists the names"
        )
        raise UnknownTermError(msg)
    found = DataOfPerson(subject, one, texts={subject})
    for source in ledger.sources():
        for frame in ledger.stored_reader(source).frames():
            if frame.kind != "records":
                continue
            stored = frame.encoded_batch()
            people = people_of(stored)
            if not any(one in part.ids for part in people):
                continue
            found.sources.add(source)
            if frame.file_id:
                found.files.add(frame.file_id.partition(":")[0])
            plain = decrypt_columns(stored, encryption.keys.key)
            _collect(found, plain, people)
    return found


def _collect(found: DataOfPerson, plain: pa.RecordBatch, people: list[People]) -> None:
    any_part = people[0].numbers < 0
    for part in people:
        mine = part.numbers == part.ids.index(found.subject_id) if found.subject_id in part.ids else part.numbers < 0
        any_part |= mine
        for name in part.names:
            column = plain.column(plain.schema.get_field_index(name))
            whole = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            if pa.types.is_string(whole.type):
                found.texts |= _texts(whole.filter(pa.array(mine)))
                found.others |= _texts(whole.filter(pa.array(~mine)))
    found.rows += int(any_part.sum())


def _texts(column: pa.Array) -> set[str]:
    return {text for text in column.unique().to_pylist() if text}
