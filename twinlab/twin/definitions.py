"""The files of a twin's folder that people edit: the model and the mappings."""

from __future__ import annotations

from pathlib import Path

from twinlab._files import file_name
from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.load import check_mapping, load_mapping, load_model
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

__all__ = [
    "ADDRESS",
    "MAPPINGS",
    "MODEL",
    "RESTORING",
    "adopt_mapping",
    "mapping_file",
    "mapping_files",
    "read_definitions",
]

#: The model's file and the mappings' folder, in a twin's folder.
MODEL, MAPPINGS = "twin.yaml", "mapping"
#: A file in a folder of the cache that has what is small of a twin in an object store: where that is.
ADDRESS = "address.json"
#: A file in a folder into which a backup is being restored: until it is gone, the folder is no twin.
RESTORING = ".restoring.json"


def read_definitions(folder: Path) -> tuple[TwinModel, dict[str, Mapping]]:
    """Return the model and the mappings (by source) of a twin's folder, checked against each other.

    Raises
    ------
    SchemaError
        If a file breaks its schema, names what the model doesn't have, or two mappings are for one source.
    """
    model = load_model(folder / MODEL)
    mappings: dict[str, Mapping] = {}
    seen: dict[str, Path] = {}
    for path in sorted((folder / MAPPINGS).glob("*.yaml")):
        mapping = load_mapping(path)
        check_mapping(mapping, model, path.name)
        if mapping.source in mappings:
            msg = f"{path.name} and {seen[mapping.source].name} both map the source {mapping.source!r}; remove one of them"
            raise SchemaError(msg)
        mappings[mapping.source], seen[mapping.source] = mapping, path
    return model, mappings


def mapping_file(folder: Path, source: str) -> Path:
    """Return where a source's mapping is written: ``mapping/<source>.yaml``, escaped if Windows refuses that name."""
    plain = folder / MAPPINGS / f"{source}.yaml"
    return plain if plain.exists() else plain.with_name(f"{file_name(source)}.yaml")


def mapping_files(folder: Path) -> dict[str, Path]:
    """Return the file of each source's mapping; files that can't be read are left out."""
    found: dict[str, Path] = {}
    for path in sorted((folder / MAPPINGS).glob("*.yaml")):
        try:
            found[load_mapping(path).source] = path
        except TwinlabError:
            continue
    return found


def adopt_mapping(folder: Path, path: Path, model: TwinModel) -> Mapping:
    """Copy a source's mapping file into the twin's ``mapping`` folder, and return the mapping.

    Raises
    ------
    SchemaError
        If the mapping breaks its schema or names what the model doesn't have.
    """
    mapping = load_mapping(path)
    check_mapping(mapping, model, path.name)
    target = mapping_file(folder, mapping.source)
    text = path.read_text(encoding="utf-8")
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return mapping
