"""Promote a revision: history, files and journal change together, and an interruption at any point is continued.

The journal's entry ``promotion`` is the decision. After it, the files of the definitions are written, the published history is
moved to the revision's state, and the entry ``promoted`` ends it. `finish_promotions` continues from any of these points.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import replace_file, sync_file, sync_folder
from twinlab.errors import CorruptionError, HistoryConflictError, TwinlabError
from twinlab.history.build.mapping_context import Sources
from twinlab.history.index.index_file import index_folder
from twinlab.history.revisions.branch import RevisionBranch
from twinlab.history.revisions.promote import locked_history, move_history
from twinlab.model.load import dump_mapping, dump_model
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel
from twinlab.twin.definitions import MODEL, mapping_files
from twinlab.twin.definitions import mapping_file as place_of_mapping
from twinlab.twin.revisions.revision_log import Definition, RevisionLog, RevisionRecord

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    from twinlab.ledger import Ledger

__all__ = ["complete_promotion", "definitions_with", "finish_promotions", "sources_of"]


def definitions_with(
    model: TwinModel, mappings: Dictionary[str, Mapping], changes: tuple[Definition, ...]
) -> tuple[TwinModel, dict[str, Mapping]]:
    """Return a model and mappings with some definitions replaced."""
    out = dict(mappings)
    for one in changes:
        if one.kind == "model":
            model = TwinModel.model_validate_json(one.text)
        else:
            out[one.source] = Mapping.model_validate_json(one.text)
    return model, out


def sources_of(folder: Path, ledger: Ledger, model: TwinModel, mappings: Dictionary[str, Mapping]) -> Sources:
    """Return the sources of a twin under some definitions."""
    return Sources(ledger, model, mappings, index_folder=index_folder(folder))


def finish_promotions(
    folder: Path, ledger: Ledger, log: RevisionLog, *, model: TwinModel, mappings: Dictionary[str, Mapping]
) -> list[str]:
    """Continue promotions that were interrupted; return a sentence for each, also for one that can't be continued now.

    ``model`` and ``mappings`` are those that the published history was built with.
    """
    notes = []
    for record in log.promoting():
        try:
            with locked_history(folder):
                if log.record(record.id) in log.promoting():
                    complete_promotion(folder, ledger, log, record, model=model, mappings=mappings)
            notes.append(f"the promotion of revision {record.id!r} had been interrupted and was completed")
        except HistoryConflictError:
            continue  # another process is promoting it
        except (TwinlabError, OSError) as error:
            notes.append(f"the promotion of revision {record.id!r} was interrupted and can't be completed now: {error}")
    return notes


def complete_promotion(
    folder: Path,
    ledger: Ledger,
    log: RevisionLog,
    record: RevisionRecord,
    *,
    model: TwinModel,
    mappings: Dictionary[str, Mapping],
) -> None:
    """Do what is left of a promotion that the journal has begun; the history must be locked."""
    for one in record.definitions:
        write_definition(folder, one)
    try:
        branch = RevisionBranch(folder / "history", record.id)
    except CorruptionError:
        branch = None  # no history: it is rebuilt from the ledger with these definitions
    if branch is not None:
        with branch.lock():
            move_history(branch, sources_of(folder, ledger, *definitions_with(model, mappings, record.definitions)))
            log.complete(record)
            branch.delete()
        return
    log.complete(record)


def write_definition(folder: Path, one: Definition) -> None:
    """Write a definition to its file in the twin's folder, atomically and synced to disk."""
    if one.kind == "model":
        path = folder / MODEL
        text = one.yaml or dump_model(TwinModel.model_validate_json(one.text), editor=True)
    else:
        path = mapping_files(folder).get(one.source) or place_of_mapping(folder, one.source)
        text = one.yaml or dump_mapping(Mapping.model_validate_json(one.text), editor=True)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(exist_ok=True)
    # Its name doesn't end in .yaml: if the process is killed, the draft isn't read as another mapping of the source.
    draft = path.with_name(f".{path.name}.promoted")
    draft.write_text(text, encoding="utf-8")
    sync_file(draft)
    replace_file(draft, path)
    sync_folder(path.parent)
