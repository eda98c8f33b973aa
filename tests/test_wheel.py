"""The wheel: everything that the package needs is in it, and it runs in an environment that has nothing else of the project."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What is asked of the installed package, far away from the clone.
CODE = """
import json, sys
from importlib import metadata, resources
import twinlab as tl
from twinlab.ask.languages.language import load_language
from twinlab.languages import tr, using
from twinlab.twin.tutorials import tutorial_files
with using("de"):
    german = tr("Open the pages")
print(json.dumps({
    "where": tl.__file__, "version": tl.__version__, "german": german, "tutorials": len(tutorial_files()),
    "tutorials_in": str(tutorial_files()[0].parent),
    "recipe": resources.files("twinlab.demos").joinpath("parcel/twin.yaml").read_text()[:1],
    "servers": [one.value for one in metadata.entry_points(group="jupyter_serverproxy_servers") if one.dist.name == "twinlab-kit"],
    "unit": tl.model.canonical_unit("deg. F"), "questions": load_language("de") is not None,
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [made] = folder.glob("twinlab_kit-*.whl")
    return made


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with the wheel; the libraries that it needs are those of this environment."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = next(one for one in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if one.exists())
    [packages] = [*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-deps",
        "--no-compile",
        str(wheel),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # A .pth file adds folders, but doesn't read the .pth files in them: an editable install stays out.
    libraries = [one for one in sys.path if "site-packages" in one]
    (packages / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
    return python


def run(python: Path, *arguments: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), *arguments], capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_of_the_package_and_every_notebook_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "twinlab", "notebooks"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tracked = [name for name in tracked if (ROOT / name).exists()]
    assert {Path(name).suffix for name in tracked} >= {
        ".py",
        ".yaml",
        ".po",
        ".npz",
        ".svg",
        ".typed",
        ".ipynb",
        "",
    } - {""}
    expected = {
        name.replace("notebooks/", "twinlab/_tutorials/", 1) if name.startswith("notebooks/") else name
        for name in tracked
    }
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert expected - names == set()
    # Nothing else of the clone: no tests, no caches.
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"twinlab", "twinlab_kit"}
    assert [name for name in names if "__pycache__" in name] == []


def test_the_installed_package_finds_its_files_without_the_clone(bare: Path, tmp_path: Path) -> None:
    found = json.loads(run(bare, "-c", CODE, cwd=tmp_path))
    home = str(bare.parent.parent)
    assert found.pop("where").startswith(home)
    assert found.pop("tutorials_in").startswith(home)
    assert found.pop("tutorials") == len(list((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")))
    assert found.pop("version")
    assert found == {
        "german": "Seiten öffnen", "recipe": "#", "servers": ["twinlab.jupyter.launcher.entry:launcher_entry"],
        "unit": "degF", "questions": True,
    }  # fmt: skip


def test_the_command_is_installed(bare: Path, tmp_path: Path) -> None:
    assert "Build a demo twin once" in run(bare.with_name(f"twinlab{bare.suffix}"), "demo", "--help", cwd=tmp_path)
