"""Encoding detection on the kinds of table that analysts receive.

The cases are those on which charset-normalizer was compared (decision note on own code and libraries).
"""

import codecs

import pytest

from twinlab.sources.parsing.decoding import detect_encoding


def table(header, row, rows):
    return "\r\n".join([header, *(row(number) for number in range(rows))]) + "\r\n"


def reading(number):
    return f"2026-03-01 {number % 24:02d}:{number % 60:02d};R{number % 9};{3 + number % 5},{number % 10}"


TABLES = {
    "a degree sign, 3 rows": table("time;room;temp (°C)", reading, 3),
    "a degree sign, 5000 rows": table("time;room;temp (°C)", reading, 5000),
    "micrograms": table("time;site;PM10 µg/m³", reading, 50),
    "German names": table("Zeit;Raum;Temperatur °C", lambda n: f"2026;{['Kühlraum', 'Lager Süd', 'Außen'][n % 3]};{n}", 60),
    "French names": table("heure;salle;température", lambda n: f"2026;{['Réfrigérateur', 'côté cour'][n % 2]};{n}", 60),
    "euro and quotes": table("time;item;price €", lambda n: f"1;“box”;{n} €", 40),
    "one name in 2000 rows": table("time;room;temp", lambda n: reading(n) if n != 1200 else "2026;Kühl;3", 2000),
    "Polish names": table("czas;sala;temp °C", lambda n: f"2026;{['Chłodnia', 'Łódź', 'Gdańsk'][n % 3]};{n}", 60),
}  # fmt: skip
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("encoding", [*UNICODE, "cp1252", "latin-1"])
@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_unicode_and_western_european_tables_are_read_as_written(text, encoding):
    try:
        written = text.encode(encoding)
    except UnicodeEncodeError:
        assert encoding in {"cp1252", "latin-1"}
        return
    found, evidence = detect_encoding(written, complete=True)
    assert written.decode(found).removeprefix("\ufeff") == text
    assert evidence.startswith(f"encoding {found}: ")


@pytest.mark.parametrize("encoding", ["cp437", "cp850"])
def test_dos_code_pages_must_be_declared(encoding):
    # Each of their bytes is a letter or a sign of cp1252 or latin-1, too: the bytes alone can't tell.
    written = TABLES["German names"].encode(encoding)
    found, evidence = detect_encoding(written, complete=True)
    assert found in {"cp1252", "latin-1"}
    assert "is not UTF-8" in evidence


def test_a_table_with_lines_in_two_encodings_is_not_taken_for_utf8():
    lines = [f"2026;Kühl {n};3\r\n".encode("utf-8" if n % 2 else "cp1252") for n in range(50)]
    assert detect_encoding(b"".join(lines), complete=True)[0] == "cp1252"


def test_a_character_cut_at_the_end_of_a_sample_is_no_evidence():
    sample = "time;temp (°".encode()[:-1]
    assert detect_encoding(sample, complete=False)[0] == "utf-8"
    assert detect_encoding(sample, complete=True)[0] == "cp1252"


def test_a_byte_order_mark_decides():
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ):
        assert detect_encoding(mark + b"\xff", complete=False)[0] == name
