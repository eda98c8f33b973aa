"""Pages of the API reference, written from what each room offers."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import twinlab

_CITATION = re.compile(r"\s*\[\w+\]_")

INDEX = """# API reference

All that can be imported by name, from the docstrings. `import twinlab as tl` loads a room when it is first used. [Units and shapes](units.md) says what arrays,
tables and times look like everywhere; [Commands](commands.md) has the command line.

```{toctree}
:hidden:

units
commands
twinlab
```
"""


@dataclass(frozen=True)
class Entry:
    """One public name: where it's imported from, and what it is."""

    module: str
    name: str
    value: object

    @property
    def path(self) -> str:
        """Full name, as in an import."""
        return f"{self.module}.{self.name}"

    @property
    def line(self) -> str:
        """First sentence of the docstring."""
        if isinstance(self.value, type) or callable(self.value):
            return first_sentence(self.value)
        return f"`{type(self.value).__name__}`"


def first_sentence(value: object) -> str:
    """Return the first sentence of a docstring, on one line.

    >>> first_sentence(first_sentence)
    'Return the first sentence of a docstring, on one line.'
    """
    paragraph = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    # A reference is listed with the whole docstring only.
    paragraph = _CITATION.sub("", paragraph)
    head, dot, _ = paragraph.partition(". ")
    return head + dot.strip()


def public_names(module: ModuleType) -> list[str]:
    """Return the names that a module offers, without modules that are merely inside it."""
    named = getattr(module, "__all__", None)
    names = list(named) if named is not None else [name for name in dir(module) if not name.startswith("_")]
    found = []
    for name in names:
        value = getattr(module, name)
        # What a module imports for itself is documented where it's defined.
        own = named is not None or getattr(value, "__module__", module.__name__).startswith("twinlab")
        if own and not inspect.ismodule(value):
            found.append(name)
    return sorted(found, key=str.casefold)


def modules() -> list[str]:
    """Return the rooms and their packages, by name, `twinlab` first."""
    root = Path(twinlab.__file__).parent
    rooms = sorted(info.name for info in pkgutil.iter_modules(twinlab.__path__) if not info.name.startswith("_"))
    found = ["twinlab"]
    for room in rooms:
        packages = [path.parent.name for path in sorted((root / room).glob("*/__init__.py"))]
        found += [f"twinlab.{room}", *(f"twinlab.{room}.{name}" for name in packages if not name.startswith("_"))]
    return found


def entries(name: str) -> list[Entry]:
    """Return what a module offers."""
    module = importlib.import_module(name)
    found = [Entry(name, each, getattr(module, each)) for each in public_names(module)]
    # Errors have a page of their own.
    return [each for each in found if name != "twinlab" or not _is_error(each.value)]


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def write_reference(folder: Path) -> list[str]:
    """Write a page for each module that offers something, and return their names.

    An object that several modules offer is documented on the first page, and listed on the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    homes: dict[int, str] = {}
    written = []
    for name in modules():
        found = entries(name)
        if not found and name.count(".") > 1:
            continue
        own = [entry for entry in found if homes.setdefault(id(entry.value), entry.path) == entry.path]
        (folder / f"{name}.rst").write_text("\n".join(_page(name, found, own, homes)), encoding="utf-8")
        written.append(name)
    return written


def index_page(names: list[str]) -> str:
    """Return the page that lists all pages of the reference, as Markdown."""
    lines = [INDEX]
    for name in names:
        sentence = first_sentence(importlib.import_module(name))
        indent = "  " * max(0, name.count(".") - 1)
        lines.append(f"{indent}- [`{name}`]({name}.rst): {sentence}")
    return "\n".join(lines) + "\n"


def _heading(text: str, line: str) -> list[str]:
    return ["", text, line * len(text), ""]


def _page(name: str, found: list[Entry], own: list[Entry], homes: dict[int, str]) -> Iterator[str]:
    if name != "twinlab":
        yield from (":orphan:", "")
    yield from _heading(name, "=")
    if name != "twinlab":
        yield from (f".. automodule:: {name}", "")
    if found:
        yield from (".. list-table::", "   :widths: 30 70", "   :class: names", "")
        for entry in found:
            yield f"   * - :py:obj:`{entry.name} <{homes[id(entry.value)]}>`"
            yield f"     - {entry.line}".rstrip()
    for entry in own:
        yield from _heading(entry.name, "-")
        yield from _described(entry)


def _described(entry: Entry) -> Iterator[str]:
    """Return the directives of one name."""
    value = entry.value
    if value is twinlab.Twin:
        yield from (f".. autoclass:: {entry.path}", "")
        yield from _by_mixin(value, entry.path)
    elif inspect.isclass(value):
        yield f".. autoclass:: {entry.path}"
        yield "   :members:"
        if issubclass(value, enum.Enum):
            yield "   :undoc-members:"
    elif callable(value):
        yield f".. autofunction:: {entry.path}"
    else:
        yield from (f".. autodata:: {entry.path}", "   :no-value:")


def _by_mixin(value: type, path: str) -> Iterator[str]:
    """Describe the methods of a class by the classes that it inherits them from, each with a heading and a list."""
    seen: set[str] = set()
    for base in value.__mro__:
        names = [name for name in vars(base) if not name.startswith("_") and name not in seen]
        seen |= set(names)
        if not names or base is object:
            continue
        title = "Open, ingest, read" if base is value else first_sentence(base).rstrip(".")
        yield from _heading(title, "~")
        for name in names:
            member = inspect.getattr_static(base, name)
            kind = "attribute" if not callable(member) and not isinstance(member, (property, classmethod)) else "method"
            directive = "property" if isinstance(member, property) else kind
            yield from (f".. auto{directive}:: {path}.{name}", "")
