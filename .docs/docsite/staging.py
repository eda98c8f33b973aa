"""The pages of the repository, staged in one folder for Sphinx with the layout that their links expect."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from docsite.outputs import fill

#: What is copied: pages, and what they show or link to.
COPIED = ("notebooks", "datasets/README.md", "LICENSE", "README.md")
PAGES = (".md", ".ipynb")
DECISIONS = "notebooks/reference/decisions"
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
_ORPHAN = "---\norphan: true\n---\n"


def stage(root: Path, folder: Path, *, outputs: Path | None = None) -> None:
    """Copy the pages of a repository into an empty folder.

    Links to folders become links to a list of their files. Decision notes are listed on a page of their own.

    Parameters
    ----------
    root : Path
        The repository.
    folder : Path
        Where the pages are written.
    outputs : Path, optional
        Outputs of notebooks: a folder for each, see `docsite.outputs.fill`.
    """
    for name in COPIED:
        source, target = root / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    linked: set[Path] = set()
    for page in pages_in(folder):
        if page.suffix == ".ipynb":
            _stage_notebook(
                page, linked, outputs / page.relative_to(folder / "notebooks").with_suffix("") if outputs else None
            )
        else:
            page.write_text(with_lists_of_folders(page.read_text(encoding="utf-8"), page, linked), encoding="utf-8")
    # A list of all pages beside the text would take longer to make than the pages.
    for note in sorted((folder / DECISIONS).glob("*.md")):
        note.write_text(_ORPHAN + note.read_text(encoding="utf-8"), encoding="utf-8")
    _list_decisions(folder / DECISIONS)
    for each in sorted(linked - {(folder / DECISIONS).resolve()}):
        _list_files(each)


def pages_in(folder: Path) -> list[Path]:
    """Return the pages and notebooks in a folder and below, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix in PAGES)


def synchronise(source: Path, target: Path) -> list[Path]:
    """Make a folder equal to another one, touch only files that differ, and return the names of those that were removed.

    Sphinx reads only pages again whose files are newer than what it read.
    """
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    there = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    removed = sorted(there - wanted)
    for name in removed:
        (target / name).unlink()
    for name in sorted(wanted):
        new, old = source / name, target / name
        if not old.is_file() or old.read_bytes() != new.read_bytes():
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new, old)
    return removed


def with_lists_of_folders(text: str, page: Path, linked: set[Path]) -> str:
    """Return a page's text, whose links to folders are links to their lists; add these folders to ``linked``."""

    def replaced(match: re.Match[str]) -> str:
        target = (page.parent / match[2]).resolve()
        if "://" in match[2] or not target.is_dir():
            return match[0]
        linked.add(target)
        return f"{match[1]}{match[2].rstrip('/')}/index.md{match[3]}"

    return _LINK.sub(replaced, text)


def title_of(page: Path) -> str:
    """Return the first heading of a page or a notebook, or the name of its file."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "".join(cells[0]["source"]) if cells else ""
    return next((line.removeprefix("# ").strip() for line in text.splitlines() if line.startswith("# ")), page.stem)


def _stage_notebook(page: Path, linked: set[Path], outputs: Path | None) -> None:
    """Replace links to folders in a notebook's texts, and add the outputs of its run."""
    notebook = fill(json.loads(page.read_text(encoding="utf-8")), outputs)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_lists_of_folders("".join(cell["source"]), page, linked)
    page.write_text(json.dumps(notebook), encoding="utf-8")


def _list_decisions(folder: Path) -> None:
    """Write the page that lists the decision notes, the newest first."""
    lines = ["# Decisions", "", "What was decided, what was rejected, and what it costs: a page each.", ""]
    notes = sorted(folder.glob("*.md"), reverse=True)
    lines += [f"- [{title_of(note)}]({note.name})" for note in notes]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _list_files(folder: Path) -> None:
    """Write the page of a folder: links to its pages, and its other files as they are."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / "index.md")
    lines = [_ORPHAN, f"# Files of {folder.name}", ""]
    names = [(path, path.relative_to(folder).as_posix()) for path in files]
    lines += [f"- [{title_of(path)}]({name})" for path, name in names if path.suffix in PAGES]
    for path, name in names:
        if path.suffix not in (*PAGES, ".png"):
            lines += ["", f"## {name}", "", f"```{{literalinclude}} {name}", "```"]
    (folder / "index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
