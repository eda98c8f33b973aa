"""The site of the docs: its parts, and a small site in a browser. `.ci/run` builds the whole one, where a warning fails."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGE = "<html><head><title>t</title></head><body>{}</body></html>"


@pytest.fixture(scope="module", autouse=True)
def docs_on_path() -> Iterator[None]:
    sys.path.insert(0, str(ROOT / ".docs"))
    yield
    sys.path.remove(str(ROOT / ".docs"))


@pytest.fixture
def links() -> ModuleType:
    from docsite import links

    return links


def site(folder: Path, **pages: str) -> Path:
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(PAGE.format(body), encoding="utf-8")
    return folder


def test_a_site_whose_links_lead_somewhere_has_no_faults(links: ModuleType, tmp_path: Path) -> None:
    body = (
        '<h1 id="top">a</h1><a href="b.html#äöü">b</a><a href="#top">up</a><a href="https://example.org/x?y=1">out</a>'
    )
    made = site(
        tmp_path,
        a=body,
        b='<p id="äöü"></p><a href="mailto:a@example.org">mail</a><a href="http://127.0.0.1:8443/">here</a>',
    )
    assert links.broken_links(made) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="gone.html">x</a>', "a.html: no such file: gone.html"),
        ('<a href="b.html#gone">x</a>', "a.html: no such anchor: b.html#gone"),
        ('<a href="#gone">x</a>', "a.html: no such anchor: #gone"),
        ('<img src="gone.png">', "a.html: no such file: gone.png"),
        ('<a href="../secret.html">x</a>', "a.html: outside of the site: ../secret.html"),
        ('<a href="https:///x">x</a>', "a.html: no address: https:///x"),
        ('<a href="https://exam ple.org">x</a>', "a.html: no address: https://exam ple.org"),
        (
            '<a href="javascript:alert(1)">x</a>',
            "a.html: a scheme that pages don't use (javascript): javascript:alert(1)",
        ),
        (
            '<script src="https://cdn.example.org/x.js"></script>',
            "a.html: loaded from outside: https://cdn.example.org/x.js",
        ),
        ('<img src="//cdn.example.org/x.png">', "a.html: loaded from outside: //cdn.example.org/x.png"),
        (
            "<link rel='stylesheet' href='https://fonts.example.org/x'>",
            "a.html: loaded from outside: https://fonts.example.org/x",
        ),
    ],
)
def test_each_fault_of_a_link_is_found_with_its_page(links: ModuleType, tmp_path: Path, body: str, fault: str) -> None:
    assert links.broken_links(site(tmp_path, a=body, b="")) == [fault]


def test_a_style_that_loads_a_font_from_outside_is_found(links: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("p { src: url('https://fonts.example.org/f.woff2') }", encoding="utf-8")
    assert links.broken_links(tmp_path) == ["x.css: loaded from outside: https://fonts.example.org/f.woff2"]


def test_texts_in_scripts_are_no_links(links: ModuleType, tmp_path: Path) -> None:
    assert links.broken_links(site(tmp_path, a='<script>write("<a href=gone.html>")</script>')) == []


def test_outputs_are_shown_without_scripts_and_not_beyond_a_size() -> None:
    from docsite.outputs import INTERACTIVE, MAX_BYTES, shown_output

    def shown(**data: str) -> dict[str, str] | None:
        made = shown_output(
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {mime.replace("_", "/", 1): text for mime, text in data.items()},
            }
        )
        return None if made is None else made["data"]

    assert shown(text_html="<b>1</b>", text_plain="1") == {"text/html": "<b>1</b>"}
    assert shown(text_html="<script>x</script>", text_plain="1") == {"text/markdown": INTERACTIVE}
    assert shown(text_html="<script>x</script>", image_png="aaaa") == {"image/png": "aaaa"}
    assert shown(text_html="x" * (MAX_BYTES + 1), text_plain="1") == {"text/plain": "1"}
    assert shown(application_javascript="x") is None


def test_a_notebook_gets_the_outputs_that_its_tests_stored(need: Callable[[str], object], tmp_path: Path) -> None:
    need("nbval")
    from docsite.outputs import WITH_OUTPUTS, WITHOUT_OUTPUTS, fill

    cells = [
        {"id": "a", "cell_type": "markdown", "metadata": {}, "source": "# One"},
        {
            "id": "b",
            "cell_type": "code",
            "metadata": {},
            "source": "# NBVAL_IGNORE_OUTPUT\n6 * 7",
            "execution_count": 1,
            "outputs": [],
        },
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "notebooks/one.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    environment = {"TWINLAB_NOTEBOOK_OUTPUTS": str(tmp_path / "out"), "PYTHONPATH": str(ROOT / ".docs")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--nbval",
            "-p",
            "docsite.pytest_outputs",
            "-p",
            "no:cacheprovider",
            "notebooks",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout
    filled = fill(notebook, tmp_path / "out/one")["cells"]
    assert filled[2]["outputs"] == [{"output_type": "display_data", "metadata": {}, "data": {"text/plain": "42"}}]
    assert WITH_OUTPUTS in filled[1]["source"]
    bare = fill(notebook, None)["cells"]
    assert bare[2]["outputs"] == []
    assert WITHOUT_OUTPUTS in bare[1]["source"]


def test_only_files_that_differ_are_written_again(tmp_path: Path) -> None:
    from docsite.staging import synchronise

    new, old = tmp_path / "new", tmp_path / "old"
    for folder, names in ((new, "ab"), (old, "bc")):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("same" if name == "b" else str(folder), encoding="utf-8")
    before = (old / "b").stat().st_mtime_ns
    assert synchronise(new, old) == [Path("c")]
    assert sorted(path.name for path in old.iterdir()) == ["a", "b"]
    assert (old / "b").stat().st_mtime_ns == before


def test_every_public_name_of_the_rooms_is_in_the_reference() -> None:
    from docsite.reference import entries, modules

    import twinlab

    names = modules()
    assert {"twinlab.quality", "twinlab.simulate.scenarios", "twinlab.errors"} <= set(names)
    assert {"find", "kpi"} <= {entry.name for entry in entries("twinlab.events")}
    rooms = {name for name in twinlab.__all__ if f"twinlab.{name}" in names}
    errors = {entry.name for entry in entries("twinlab.errors")}
    top = {entry.name for entry in entries("twinlab")}
    assert {"create", "glossary", "open", "Twin"} <= top
    assert set(twinlab.__all__) <= rooms | errors | top
    assert all(entry.line for name in ("twinlab", "twinlab.events", "twinlab.quality") for entry in entries(name))


def test_the_pages_of_commands_units_and_pictures_are_written_from_the_code() -> None:
    from docsite.gallery import described, gallery_page
    from docsite.tables import commands_page, units_page

    assert "## ingest\n\n````text\nUsage: twinlab ingest [OPTIONS] FOLDER FILES..." in commands_page()
    assert "| `degF` | `F`, " in units_page()
    pages = described((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [page.label for page in pages][:2] == ["Now", "Map"]
    assert "## Quality\n\nFor the data steward: " in gallery_page(pages, ROOT / "no-pictures")


@pytest.fixture(scope="module")
def small_site(need: Callable[[str], object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two pages and one room, built as the whole one is."""
    need("sphinx")
    work = tmp_path_factory.mktemp("docs")
    pages = work / "pages"
    pages.mkdir()
    (pages / "index.md").write_text("# Small\n\nA watermark.\n\n```{toctree}\nother\nroom\n```\n", encoding="utf-8")
    (pages / "other.md").write_text("# Other\n\n[back](index.md#small)\n", encoding="utf-8")
    (pages / "room.rst").write_text("Room\n====\n\n.. autofunction:: twinlab.model.canonical_unit\n", encoding="utf-8")
    assert run_sphinx(pages, work) == ""
    return work / "site"


def run_sphinx(pages: Path, work: Path) -> str:
    """Build pages in a process of its own, and return the warnings."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import build; "
        "sys.exit(build.sphinx(*map(Path, sys.argv[2:])))"
    )
    command = [sys.executable, "-c", code, str(ROOT / ".docs"), str(pages), str(work / "site"), str(work / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stderr), done.stderr
    return done.stderr


def test_a_link_to_no_page_is_a_warning_that_fails_the_build(small_site: Path, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/index.md").write_text("# Small\n\n[gone](gone.md)\n", encoding="utf-8")
    assert "index.md:3: WARNING: 'myst' cross-reference target not found: 'gone.md'" in run_sphinx(
        tmp_path / "pages", tmp_path
    )


@pytest.mark.browser
def test_the_site_needs_no_network_finds_and_fits_a_phone(
    small_site: Path,
    browser: Any,
    links: ModuleType,
    grave_faults: Callable[[object], list[str]],
) -> None:
    from docsite.visit import visit

    assert links.broken_links(small_site) == []
    seen = visit(browser, small_site, ["index.html", "other.html", "room.html"], searched="watermark")
    assert seen.faults == []
    assert seen.found == {"watermark": 1}
    assert set(seen.first_paint) == {"index.html", "other.html", "room.html"}
    page = browser.new_page()
    page.goto((small_site / "room.html").as_uri())
    assert grave_faults(page) == []
    page.close()
