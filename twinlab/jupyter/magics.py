"""Magics for notebooks: ``%twin`` opens a twin, ``%%find`` finds events, ``%ask`` answers a question in words.

``%load_ext twinlab`` adds them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from twinlab.jupyter.find_cell import parse_find_cell

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.ask import Answer
    from twinlab.twin.facade import Twin

__all__ = ["TwinMagics"]


@magics_class
class TwinMagics(Magics):
    """The magics; each calls the twin that ``%twin`` has opened last, or the one under the name ``twin``."""

    #: Name of the twin that was opened last.
    _name = "twin"

    @magic_arguments()
    @argument("path", nargs="?", help="Folder or address of the twin; without it the present one is shown.")
    @argument("--demo", help="Instead of a path: nyc or parcel.")
    @argument("--as", dest="name", default="twin", help="Name of the variable (default: twin).")
    @line_magic
    def twin(self, line: str) -> Twin:
        """Open a twin and give it a name: %twin pilot/ --as pilot."""
        asked = parse_argstring(self.twin, line)
        if asked.path is not None and asked.demo is not None:
            msg = "%twin: expected a path or --demo NAME, got both"
            raise UsageError(msg)
        if asked.path is None and asked.demo is None:
            return self._present()
        name = _identifier(asked.name, "%twin")
        if asked.demo is not None:
            from twinlab.demos import demo  # noqa: PLC0415  (loads the rooms)

            opened: Twin = demo(asked.demo)
        else:
            from twinlab.twin import open_twin  # noqa: PLC0415  (loads the rooms)

            opened = open_twin(asked.path if "://" in asked.path else Path(asked.path).expanduser())
        self._put(name, opened)
        self._name = name
        return opened

    @magic_arguments()
    @argument("on", nargs="?", help="Asset type; YAML in the cell may state it instead.")
    @argument("--lasting", help="Only events of at least this duration, such as 10min.")
    @argument("--gap", help="Two events at most this far apart are one.")
    @argument("--start", help="First instant, UTC.")
    @argument("--stop", help="End, not included, UTC.")
    @argument("--as", dest="name", help="Name of the variable for the events.")
    @cell_magic
    def find(self, line: str, cell: str) -> pd.DataFrame:
        """Find the events of the condition in this cell, text or YAML: %%find cold_room --lasting 10min --as warm."""
        asked = parse_argstring(self.find, line)
        name = None if asked.name is None else _identifier(asked.name, "%%find")
        twin = self._present()
        what = parse_find_cell(
            cell, on=asked.on, lasting=asked.lasting, gap=asked.gap, start=asked.start, stop=asked.stop
        )
        found = twin.find(
            what.when, on=what.on, lasting=what.lasting, gap=what.gap, start=what.start, stop=what.stop, assets=what.assets
        )  # fmt: skip
        if name is not None:
            self._put(name, found)
        return found

    @line_cell_magic
    def ask(self, line: str, cell: str | None = None) -> Answer:
        """Answer a question in words: %ask which cold rooms were too warm last week."""
        question = " ".join(f"{line} {cell or ''}".split())
        if not question:
            msg = "%ask: expected a question, such as: %ask which cold rooms were too warm last week"
            raise UsageError(msg)
        return self._present().ask(question)

    def _present(self) -> Twin:
        """Return the twin that was opened last."""
        from twinlab.twin.facade import Twin  # noqa: PLC0415  (loads the rooms)

        found = self._names().get(self._name)
        if not isinstance(found, Twin):
            msg = (
                f"there is no twin under the name {self._name!r}; open one first: %twin FOLDER, or %twin --demo parcel"
            )
            raise UsageError(msg)
        return found

    def _put(self, name: str, value: object) -> None:
        self._names()[name] = value

    def _names(self) -> dict[str, Any]:
        """Return the variables of the notebook."""
        if self.shell is None:
            msg = "the magics of twinlab need a running IPython"
            raise UsageError(msg)
        found: dict[str, Any] = self.shell.user_ns
        return found


def _identifier(name: str, magic: str) -> str:
    if not name.isidentifier():
        msg = f"{magic}: expected a name for a variable after --as, got {name!r}"
        raise UsageError(msg)
    return name
