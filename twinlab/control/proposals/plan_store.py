"""Where plans are stored: a file each in the twin's folder, or in the database that several servers share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.database.documents import Documents

__all__ = ["MOVED_NOTE", "DatabasePlans", "FilePlans", "PlanStore"]

#: A file beside the plans that says to which database they were moved.
MOVED_NOTE = "moved-to"


class PlanStore(Protocol):
    """Plans by their ids, as plain data."""

    def save(self, plan_id: str, data: Mapping[str, Any]) -> None:
        """Write a plan; it replaces its earlier state, in one step."""

    def read(self, plan_id: str) -> dict[str, Any] | None:
        """Return a plan, or None."""

    def all(self) -> dict[str, dict[str, Any]]:
        """Return all plans, the one that was changed last first."""

    def alone(self, what: str, *, wait: float) -> AbstractContextManager[object]:
        """Let this process alone do something, of all that share the plans."""


class FilePlans:
    """Plans in ``control/plans/``.

    Parameters
    ----------
    folder : Path
        ``control/`` of the twin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.folder = folder / "plans"
        note = self.folder / MOVED_NOTE
        if note.exists():
            msg = (
                f"the plans of {folder.parent} were moved to a database (see {note}), which twin.yaml doesn't name: write "
                f"storage.catalogues again, or first move them back: twinlab catalogues {folder.parent} --move files"
            )
            raise SchemaError(msg)

    def save(self, plan_id: str, data: Mapping[str, Any]) -> None:
        """Write a plan."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = plan_text(data)
        write_atomically(self.folder / f"{plan_id}.json", lambda draft: draft.write_text(text, encoding="utf-8"))

    def read(self, plan_id: str) -> dict[str, Any] | None:
        """Return a plan, or None."""
        path = next((one for one in self._files() if one.stem == plan_id), None)
        return None if path is None else _plan(path.read_text(encoding="utf-8"))

    def all(self) -> dict[str, dict[str, Any]]:
        """Return all plans, the one that was changed last first."""
        paths = sorted(self._files(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return {path.stem: _plan(path.read_text(encoding="utf-8")) for path in paths}

    @contextmanager
    def alone(self, what: str, *, wait: float) -> Iterator[None]:
        """Let this process alone do something, of all on this machine."""
        with Lock(self._folder / what, what=f"{what} plans of this twin", wait=wait, named=False):
            yield

    def _files(self) -> Iterator[Path]:
        yield from self.folder.glob("*.json")


class DatabasePlans:
    """Plans as documents with versions.

    Parameters
    ----------
    documents : Documents
    folder : Path
        ``control/`` of the twin, where plans may be that weren't moved yet.
    """

    def __init__(self, documents: Documents, folder: Path) -> None:
        self._documents = documents
        plans = folder / "plans"
        if any(plans.glob("*.json")) and not (plans / MOVED_NOTE).exists():
            msg = (
                f"expected the plans in {documents.database.name}, as storage.catalogues says, but there are files in {plans}: "
                f"run `twinlab catalogues {folder.parent} --move database`"
            )
            raise SchemaError(msg)

    def save(self, plan_id: str, data: Mapping[str, Any]) -> None:
        """Write a plan."""
        self._documents.put(plan_id, plan_text(data))

    def read(self, plan_id: str) -> dict[str, Any] | None:
        """Return a plan, or None."""
        found = self._documents.get(plan_id)
        return None if found is None else _plan(found.text)

    def all(self) -> dict[str, dict[str, Any]]:
        """Return all plans, the one that was changed last first."""
        return {one.name: _plan(one.text) for one in self._documents.all()}

    def alone(self, what: str, *, wait: float) -> AbstractContextManager[object]:
        """Let this process alone do something, of all servers of the twin."""
        return self._documents.database.exclusive(f"{what} plans", wait=wait)


def plan_text(data: Mapping[str, Any]) -> str:
    """Return a plan as JSON."""
    return json.dumps(data, ensure_ascii=False, indent=1)


def _plan(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
