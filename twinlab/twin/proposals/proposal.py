"""One proposed change of ``twin.yaml``: a file that says where, what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from twinlab._files import file_name, write_atomically
from twinlab.errors import SchemaError
from twinlab.model.edits.yaml_edit import Path_, change, document
from twinlab.model.load import parse_model
from twinlab.model.yamltext import path_text, read_text, write_line, write_yaml
from twinlab.twin.definitions import MODEL

__all__ = ["PROPOSALS", "Proposal", "pending_proposals", "write_proposal"]

#: The folder of proposals, in a twin's folder.
PROPOSALS: Final = "proposals"


@dataclass(frozen=True)
class Proposal:
    """A proposed change of a twin's ``twin.yaml``, in a file that may be edited before it is approved."""

    folder: Path
    """The twin's folder."""
    path: Path
    """The file of the proposal."""

    def __repr__(self) -> str:
        return f"<Proposal {self.path.relative_to(self.folder)}: {path_text(self.at)} in {MODEL}>\n{self.text}"

    @property
    def text(self) -> str:
        """The text of the file: evidence as a comment, where the change is made, and the value."""
        return read_text(self.path)

    @property
    def at(self) -> Path_:
        """Keys in ``twin.yaml`` that lead to the value."""
        return self._parts()[0][0]

    @property
    def value(self) -> object:
        """The value that is proposed."""
        return self._parts()[0][1]

    def approve(self) -> None:
        """Write the value, and those of ``also:``, into ``twin.yaml``, whose comments and other values stay as they are.

        The twin shows it as an edit that isn't applied; ``twin.rebuild()`` applies it. The proposal's file stays, with the
        time of the approval.

        Raises
        ------
        SchemaError
            If the model wouldn't be valid, or the proposal was approved or discarded before; nothing is written then.
        """
        parts = self._parts()
        target = self.folder / MODEL
        # As bytes, so that line ends stay.
        changed = target.read_bytes().decode("utf-8")
        for at, value in parts:
            changed = change(changed, at, value)
        parse_model(changed, name=MODEL)
        write_atomically(target, lambda draft: draft.write_bytes(changed.encode("utf-8")))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._write(f"{self.text.rstrip()}\napproved: {now}\n")

    def discard(self) -> None:
        """Remove the proposal's file."""
        self.path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        write_atomically(self.path, lambda draft: draft.write_text(text, encoding="utf-8"))

    def _parts(self) -> list[tuple[Path_, Any]]:
        """Return the places and values: first that of the proposal, then those of ``also:``."""
        if not self.path.exists():
            msg = f"{self.path}: expected the file of the proposal; it was discarded"
            raise SchemaError(msg)
        data: Any = document(self.text, name=self.path.name).data
        more = data.get("also", []) if isinstance(data, dict) else None
        parts = [data, *more] if isinstance(more, list) else []
        if not parts or not all(map(_is_part, parts)):
            msg = f"{self.path}: expected the keys `at:` (a list of keys in {MODEL}) and `value:`, and likewise in each entry of `also:`"
            raise SchemaError(msg)
        if "approved" in data:
            msg = f"{self.path}: it was approved at {data['approved']}; remove that line to approve it again"
            raise SchemaError(msg)
        return [(tuple(one["at"]), one["value"]) for one in parts]


def _is_part(data: object) -> bool:
    return isinstance(data, dict) and isinstance(data.get("at"), list) and bool(data["at"]) and "value" in data


def write_proposal(
    folder: Path, at: Path_, value: object, *, evidence: str, also: Mapping[Path_, object] | None = None
) -> Proposal:
    """Write a proposal into a twin's folder; it replaces an earlier one for the same place.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    at : tuple
        Keys in ``twin.yaml`` that lead to the value.
    value : object
        Plain data.
    evidence : str
        Why, one sentence.
    also : mapping, optional
        Values at other places that belong to it.
    """
    path = folder / PROPOSALS / f"{file_name(path_text(at))}.yaml"
    path.parent.mkdir(exist_ok=True)
    comment = (
        f"# A proposal for {MODEL}: {evidence}.\n# Edit it if needed; approve() writes it, discard() removes it.\n"
    )
    text = f"{comment}at: {write_line(list(at))}\n{write_yaml({'value': value})}"
    if also:
        text += write_yaml({"also": [{"at": list(place), "value": one} for place, one in also.items()]})
    write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))
    return Proposal(folder, path)


def pending_proposals(folder: Path) -> list[Proposal]:
    """Return the proposals in a twin's folder that aren't approved, by name."""
    found = [Proposal(folder, path) for path in sorted((folder / PROPOSALS).glob("*.yaml"))]
    return [one for one in found if not _is_approved(one)]


def _is_approved(proposal: Proposal) -> bool:
    data = document(proposal.text, name=proposal.path.name).data
    return isinstance(data, dict) and "approved" in data
