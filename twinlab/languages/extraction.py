"""Which messages the source code has, and the update of the catalogues: ``python -m twinlab.languages.extraction``.

Messages are the texts in calls of `tr`, `trn` and `mark`, and the texts of HTML templates, wherever they are written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.languages.catalogue import FOLDER
from twinlab.languages.templates import template_texts

if TYPE_CHECKING:
    from babel.messages.catalog import Message as CatalogueMessage

__all__ = ["Message", "messages_of", "messages_of_package", "translated", "update"]

#: Rooms whose HTML is shown on pages and in reports.
_HTML = ("apps", "explore", "ask", "jupyter", "pilots")
_SINGLE, _PLURAL = {"tr", "mark"}, "trn"
#: A text with one of these is a template of HTML.
_TAGS = (
    "<p",
    "<div",
    "<span",
    "<b>",
    "<h",
    "<table",
    "<section",
    "<ul",
    "<li",
    "<details",
    "<label",
    "<form",
    "<a ",
    "<pre",
    "<td",
    "<svg",
    "<article",
    "<html",
)
_SCRIPT = ("=>", "const ", "function(", "document.")


@dataclass(frozen=True)
class Message:
    """A message in the source code."""

    text: str
    #: None for a message that doesn't depend on a number.
    plural: str | None
    #: File relative to the package, and row.
    file: str
    row: int


def messages_of(source: str, file: str) -> Iterator[Message]:
    """Yield the messages of one module.

    Parameters
    ----------
    source : str
        Python.
    file : str
        Relative to the package, with slashes.

    >>> [found.text for found in messages_of('x = tr("{count} rows", count=3)', "x.py")]
    ['{count} rows']
    """
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    html = file.split("/", maxsplit=1)[0] in _HTML
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if node.func.id in _SINGLE and texts:
                yield Message(texts[0], None, file, node.lineno)
            elif node.func.id == _PLURAL and len(texts) == 2:
                yield Message(texts[0], texts[1], file, node.lineno)
        elif html and isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            text = node.value
            if any(tag in text for tag in _TAGS) and not any(sign in text for sign in _SCRIPT):
                yield from (
                    Message(one, None, file, node.lineno) for one in template_texts(text) if not one.startswith("@")
                )


def messages_of_package() -> list[Message]:
    """Return the messages of all modules of twinlab, in the order of files and rows."""
    package = FOLDER.parent
    out: list[Message] = []
    for path in sorted(package.rglob("*.py")):
        if path.is_relative_to(FOLDER) or "_tutorials" in path.parts:
            continue
        file = path.relative_to(package).as_posix()
        out += sorted(messages_of(path.read_text(encoding="utf-8"), file), key=lambda found: found.row)
    return out


def update(path: Path) -> tuple[int, int]:
    """Add new messages to a catalogue, and remove those that the code doesn't have any more.

    Parameters
    ----------
    path : Path
        A ``.po`` file in the folder of the catalogues.

    Returns
    -------
    (int, int)
        Number of messages, and how many of them aren't translated.
    """
    from babel.messages.catalog import Catalog  # noqa: PLC0415  (only translators need it)
    from babel.messages.pofile import read_po, write_po  # noqa: PLC0415

    header, _, _ = path.read_text(encoding="utf-8").partition("\n\n")
    with path.open("rb") as file:
        known = read_po(file, locale=path.stem)
    template = Catalog()
    for found in messages_of_package():
        text = found.text if found.plural is None else (found.text, found.plural)
        flags = ["python-brace-format"] if "{" in found.text else []
        template.add(text, locations=[(found.file, found.row)], flags=flags)
    known.update(template, no_fuzzy_matching=True)
    known.obsolete.clear()
    # By files and texts: where in a file a text is changes with each line above it.
    ordered = Catalog(locale=path.stem)
    for one in sorted((one for one in known if one.id), key=_place):
        ordered.add(one.id, one.string, locations=one.locations, flags=one.flags)
    written = BytesIO()
    write_po(written, ordered, width=120, include_lineno=False, omit_header=True)
    # The header is the translators': Babel would write another.
    path.write_text(f"{header}\n\n{written.getvalue().decode().strip()}\n", encoding="utf-8")
    return len(known), sum(not translated(message) for message in known if message.id)


def _place(message: CatalogueMessage) -> tuple[list[str], str]:
    texts = message.id if isinstance(message.id, tuple) else (message.id,)
    return [file for file, _ in message.locations], str(texts[0])


def translated(message: CatalogueMessage) -> bool:
    """Return whether a message of a catalogue has all its translations."""
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return bool(strings) and all(strings)


if __name__ == "__main__":
    for catalogue in sorted(FOLDER.glob("*.po")):
        print(catalogue.name, "messages: {}, not translated: {}".format(*update(catalogue)))  # noqa: T201
