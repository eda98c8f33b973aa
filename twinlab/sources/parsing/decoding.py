"""Detect a file's encoding and decode it to UTF-8 in blocks, with undecodable bytes marked."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from twinlab.errors import SchemaError
from twinlab.sources.opening import read_some

__all__ = ["MARK", "check_encoding", "detect_encoding", "is_binary", "utf8_blocks"]

#: Marks each undecodable byte: a noncharacter, which no text contains.
MARK = "\ufdd0"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Control characters that no table contains, without tab and line ends; NUL is counted separately.
_CONTROLS = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Decode a bad byte as MARK and its hexadecimal form, so that its row can be reported later."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return MARK + "".join(f"\\x{byte:02x}" for byte in bad), error.end


codecs.register_error("twinlab.mark", _mark)


def detect_encoding(sample: bytes, *, complete: bool) -> tuple[str, str]:
    """Return the encoding of ``sample`` and the evidence for it.

    Parameters
    ----------
    sample : bytes
        The start of a file.
    complete : bool
        Whether the sample is the whole file (else its last character may be cut).

    Notes
    -----
    Unicode is recognised by its byte order mark, its zero bytes or its validity; anything else is read as Western
    European. Other code pages (cp1250, cp850, ...) have to be declared: a statistical guess such as
    charset-normalizer's is wrong more often on tables, which have few non-ASCII characters.

    Examples
    --------
    >>> detect_encoding("temp (°C)".encode("cp1252"), complete=True)
    ('cp1252', 'encoding cp1252: byte 0xb0 at offset 6 is not UTF-8')
    """
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name, f"encoding {name}: the file starts with its byte order mark"
    wide = _utf16_without_bom(sample)
    if wide:
        return wide, f"encoding {wide}: every other byte is zero, there is no byte order mark"
    if sample.isascii():
        return "utf-8", "encoding utf-8: only ASCII characters seen"
    if _decodes(sample, "utf-8", complete=complete):
        return "utf-8", "encoding utf-8: its non-ASCII bytes are valid UTF-8"
    at, byte = _first_bad(sample)
    name = "cp1252" if _decodes(sample, "cp1252", complete=complete) else "latin-1"
    return name, f"encoding {name}: byte 0x{byte:02x} at offset {at} is not UTF-8"


def _utf16_without_bom(sample: bytes) -> str | None:
    head = sample[: 4096 - len(sample) % 2]
    half = len(head) // 2
    if half < 2:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd >= 0.4 * half and even <= 0.05 * half:
        return "utf-16-le"
    if even >= 0.4 * half and odd <= 0.05 * half:
        return "utf-16-be"
    return None


def _decodes(sample: bytes, encoding: str, *, complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=complete)
    except UnicodeDecodeError:
        return False
    return True


def _first_bad(sample: bytes) -> tuple[int, int]:
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start, sample[error.start]
    return 0, sample[0]


def is_binary(sample: bytes, encoding: str) -> bool:
    """Return whether a sample isn't text: it has many control characters or zero bytes."""
    if encoding.startswith(("utf-16", "utf-32")):
        width = 2 if "16" in encoding else 4
        text = sample[: len(sample) - len(sample) % width].decode(encoding, errors="replace")
        sample = text.encode("utf-8", errors="replace")
    head = sample[:65_536]
    if len(head) < 8:
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > 0.03 * len(head) or head.count(0) > 0.3 * len(head)


def check_encoding(encoding: str, sample: bytes, *, complete: bool, file: str) -> str | None:
    """Check a declared encoding against the start of the file.

    Returns
    -------
    str or None
        A warning if the bytes can be decoded, but are certainly in another encoding.

    Raises
    ------
    SchemaError
        If the codec is unknown, or the bytes can't be decoded with it.
    """
    try:
        "".encode(encoding)  # also refuses codecs that aren't for text, such as hex
        name = codecs.lookup(encoding).name
    except LookupError:
        msg = f"{file}: encoding {encoding!r} is unknown; expected a codec such as utf-8, cp1252 or utf-16: correct it"
        raise SchemaError(msg) from None
    found, evidence = detect_encoding(sample, complete=complete)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample, final=complete)
    except UnicodeDecodeError as error:
        row = sample.count(b"\n", 0, error.start) + 1
        msg = (
            f"{file}, row {row}: byte 0x{sample[error.start]:02x} at offset {error.start} is not {encoding}, which was "
            f"declared; expected {found} ({evidence}): declare encoding={found!r} or leave it out"
        )
        raise SchemaError(msg) from error
    if found.startswith(("utf-16", "utf-32")) and not name.startswith(("utf-16", "utf-32")):
        msg = (
            f"{file}, row 1: {encoding} was declared, but the file is {found} ({evidence}): declare encoding={found!r}"
        )
        raise SchemaError(msg)
    if found == "utf-8" and name not in {"utf-8", "utf-8-sig", "ascii"} and not text.isascii():
        return (
            f"read as {encoding} as declared, though its bytes are valid UTF-8: leave encoding out if letters look odd"
        )
    return None


def utf8_blocks(stream: IO[bytes], encoding: str, *, size: int, path: Path) -> Iterator[bytes]:
    """Yield a file's text as UTF-8 blocks of about ``size`` bytes, cut anywhere; bad bytes are marked.

    A byte order mark at the start is left out.
    """
    decoder = codecs.getincrementaldecoder(encoding)("twinlab.mark")
    first, final = True, False
    plain = codecs.lookup(encoding).name in {"utf-8", "ascii"}
    while not final:
        raw = read_some(stream, size, path)
        final = len(raw) < size
        if plain and raw.isascii() and not decoder.getstate()[0]:
            block = raw
        else:
            # A lone surrogate, which some decoders accept, can't be written as UTF-8.
            block = decoder.decode(raw, final).encode("utf-8", errors="backslashreplace")
        if first and block.startswith(codecs.BOM_UTF8):
            block = block[3:]
        first = first and not block
        if block:
            yield block


def utf8_text(sample: bytes, encoding: str, *, complete: bool) -> bytes:
    """Return the start of a file as UTF-8, without its byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)("twinlab.mark")
    return decoder.decode(sample, complete).removeprefix("\ufeff").encode("utf-8", errors="backslashreplace")
