"""Build the site of twinlab: notebooks, guides, decisions and the API reference, as HTML that needs no network.

``python .docs/build.py`` writes ``build/docs/index.html``. A warning, a broken link or a request to another machine
fails the build.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from docsite import gallery, links, reference, staging, tables
from docsite.browsers import chromium, find_chromium

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
#: Pages that a browser opens, one of each kind, and what it searches for.
VISITED = [
    "index.html",
    "README.html",
    "gallery.html",
    "notebooks/02_history.html",
    "notebooks/reference/glossary.html",
    "api/twinlab.html",
]
SEARCHED = "watermark"


def build(work: Path, *, outputs: Path | None = None, pictures: Path | None = None, root: Path = ROOT) -> list[str]:
    """Build the site in ``work/docs``, and return what is wrong with it, a line each.

    Parameters
    ----------
    work : Path
        Folder of the site (``docs``), of its sources (``docs-pages``), and of what Sphinx has read (``docs-cache``). What
        hasn't changed since the last build is used again.
    outputs : Path, optional
        Outputs of notebooks, see `docsite.staging.stage`.
    pictures : Path, optional
        Pictures for the gallery.
    root : Path
        The repository.
    """
    pages, site, cache = work / "docs-pages", work / "docs", work / "docs-cache"
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        staging.stage(root, fresh, outputs=outputs)
        shutil.copytree(HERE / "pages", fresh, dirs_exist_ok=True)
        _write_reference(fresh / "api")
        if pictures is not None and pictures.is_dir():
            shutil.copytree(pictures, fresh / "gallery")
        described = gallery.described((root / "README.md").read_text(encoding="utf-8"))
        (fresh / "gallery.md").write_text(gallery.gallery_page(described, fresh / "gallery"), encoding="utf-8")
        pages.mkdir(parents=True, exist_ok=True)
        for each in staging.synchronise(fresh, pages):
            (site / each).with_suffix(".html").unlink(missing_ok=True)
    status = sphinx(pages, site, cache)
    faults = [] if status == 0 else ["Sphinx has warnings, see above"]
    faults += links.broken_links(site)
    if faults:
        # Sphinx would say nothing about pages that it doesn't read again.
        shutil.rmtree(cache, ignore_errors=True)
    return faults


def sphinx(pages: Path, site: Path, cache: Path) -> int:
    """Run Sphinx, with warnings as errors, and return its exit status."""
    from sphinx.cmd.build import main as run

    arguments = [
        "--quiet",
        "--jobs",
        "auto",
        "--fail-on-warning",
        "--conf-dir",
        HERE,
        "--doctree-dir",
        cache,
        pages,
        site,
    ]
    return int(run([str(each) for each in arguments]))


def _write_reference(folder: Path) -> None:
    """Write all pages of the reference."""
    names = reference.write_reference(folder)
    (folder / "index.md").write_text(reference.index_page(names), encoding="utf-8")
    (folder / "units.md").write_text(tables.units_page(), encoding="utf-8")
    (folder / "commands.md").write_text(tables.commands_page(), encoding="utf-8")


def run_notebooks(outputs: Path) -> int:
    """Run the tests of the notebooks and store their outputs; return pytest's exit status."""
    shutil.rmtree(outputs, ignore_errors=True)
    environment = {**os.environ, "TWINLAB_NOTEBOOK_OUTPUTS": str(outputs.resolve()), "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "docsite.pytest_outputs", "notebooks"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main(arguments: list[str] | None = None) -> int:
    """Build, check, and print where the site is; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="folder to build in (default: build)")
    parser.add_argument(
        "--outputs", type=Path, help="outputs of notebooks that pytest stored (TWINLAB_NOTEBOOK_OUTPUTS)"
    )
    parser.add_argument("--run", action="store_true", help="run the notebooks first (minutes), for their outputs")
    parser.add_argument("--pictures", action="store_true", help="make pictures of pages for the gallery, in Chromium")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    outputs, pictures = options.outputs, options.work / "docs-pictures"
    if options.run:
        outputs = options.work / "notebook-outputs"
        if run_notebooks(outputs):
            print("the notebooks fail, see above", file=sys.stderr)
            return 1
    if options.pictures:
        shutil.rmtree(pictures, ignore_errors=True)
        subprocess.run([sys.executable, str(HERE / "docsite" / "gallery.py"), str(pictures)], check=True)
    faults = build(options.work, outputs=outputs, pictures=pictures)
    site = options.work / "docs"
    if not faults and find_chromium() is not None:
        from docsite.visit import visit

        with chromium() as browser:
            seen = visit(browser, site, VISITED, searched=SEARCHED)
        faults = seen.faults
        print(", ".join(f"{page} seen after {paint:.0f} ms" for page, paint in seen.first_paint.items()))
        print(f"{seen.found[SEARCHED]} results for {SEARCHED!r}, no request to another machine" if not faults else "")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(
        f"{site / 'index.html'}: {len(list(site.rglob('*.html')))} pages, {len(faults)} faults, {time.monotonic() - began:.0f} s"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
