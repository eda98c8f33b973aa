"""Sheets and CSV files of which bytes are changed at random: rows, or an error of twinlab. Short here; more with ``-m soak``."""

import io
import os
import random
import zipfile

import openpyxl
import pytest

from twinlab import sources
from twinlab.errors import TwinlabError

FILES = 60
SOAK = int(os.environ.get("TWINLAB_FUZZ_SHEETS", "20000"))
ROWS = [["at", "room", "temp"], *([f"2026-01-{day:02}T00:00:00", f"r{day % 3}", day / 4] for day in range(1, 12))]
PIECES = [b"", b"\x00", b"\xff\xfe", b'"', b",", b";", b"\n", b"\r\n", b"=cmd|'/C calc'!A0", b"<", b"&lol;", b"9" * 400, b"NaN", b'r="ZZZ9"', b"-1"]  # fmt: skip


def workbook():
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(rng, content):
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(content) + 1)
        piece = rng.choice(PIECES) if rng.random() < 0.6 else rng.randbytes(rng.randrange(4))
        content = content[:place] + piece + content[place + rng.randrange(5) :]
    return content


def changed_workbook(rng, content):
    """Change bytes of the archive, or of one of the files in it."""
    if rng.random() < 0.2:
        return changed(rng, content)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = rng.choice(["xl/worksheets/sheet1.xml", rng.choice(names)])
        for name in names:
            part = old.read(name)
            new.writestr(name, changed(rng, part) if name == chosen else part)
    return out.getvalue()


def fuzz(folder, count, seed):
    rng = random.Random(seed)
    book, text = workbook(), "\n".join(",".join(map(str, row)) for row in ROWS).encode()
    read = refused = 0
    for number in range(count):
        suffix, content = (".csv", changed(rng, text)) if number % 2 else (".xlsx", changed_workbook(rng, book))
        path = folder / f"file{suffix}"
        path.write_bytes(content)
        try:
            for batch in sources.open_source(path).batches():
                assert len(batch.row_numbers) == batch.rows.num_rows
            read += 1
        except TwinlabError as error:
            assert "file" in str(error)
            refused += 1
    return read, refused


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_changed_file_is_read_or_refused(tmp_path):
    read, refused = fuzz(tmp_path, FILES, seed=1)
    assert read > FILES / 10 and refused > FILES / 10


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_many_changed_files(tmp_path):
    read, refused = fuzz(tmp_path, SOAK, seed=2)
    print(SOAK, read, refused)  # noqa: T201  (the counts are the result)
    assert read > SOAK / 10 and refused > SOAK / 10
