"""The files for operating a twin: valid, with versions of what they start, and with commands that exist."""

from __future__ import annotations

import importlib.resources
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from traitlets.config.loader import PyFileConfigLoader

import twinlab
from twinlab.cli.commands import group

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "notebooks/reference/operating.md"
RECIPES = ROOT / "notebooks/reference/operating"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def compose() -> dict[str, Any]:
    return yaml.safe_load((RECIPES / "compose.yaml").read_text(encoding="utf-8"))


def kubernetes() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((RECIPES / "kubernetes.yaml").read_text(encoding="utf-8")))


def containers(value: object) -> Iterator[dict[str, Any]]:
    """Yield the containers in a resource of Kubernetes."""
    if isinstance(value, dict):
        yield from value.get("containers", [])
        for one in value.values():
            yield from containers(one)


def commands() -> Iterator[list[str]]:
    """Yield what follows ``twinlab`` in all files and on the page."""
    for service in compose()["services"].values():
        if service["image"].startswith("localhost/twinlab"):
            if "command" in service:
                yield service["command"]
            if service.get("healthcheck", {}).get("test", [""])[1:2] == ["twinlab"]:
                yield service["healthcheck"]["test"][2:]
            yield from (
                shlex.split(one)
                for one in re.findall(r"twinlab (plant twin .*)$", " ".join(service.get("entrypoint", [])))
            )
    for resource in kubernetes():
        yield from (one["args"] for one in containers(resource))
    for unit in (RECIPES / "systemd").iterdir():
        for line in re.findall(r"^Exec\w+=\S+/twinlab (.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
            yield shlex.split(line)
    for line in re.findall(
        r"^RUN twinlab (.*)$", (RECIPES / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE
    ):
        yield shlex.split(line)
    text = PAGE.read_text(encoding="utf-8")
    whole = re.findall(r"^twinlab ([^#\n]*)", text, re.MULTILINE) + re.findall(r"`twinlab ([^`]* [^`]+)`", text)
    yield from map(shlex.split, whole)


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_every_command_in_a_recipe_exists_with_its_options(arguments: list[str]) -> None:
    command: click.Command = group
    rest = list(arguments)
    while isinstance(command, click.Group):
        command = command.commands[rest.pop(0)]
    context = click.Context(command)
    command.parse_args(context, rest)
    assert context.args == []


def test_there_are_commands_in_every_recipe() -> None:
    assert len(list(commands())) > 30


def test_the_compose_file_is_valid_and_complete() -> None:
    found = compose()
    schema = importlib.resources.files("check_jsonschema.builtin_schemas") / "vendor/compose-spec.json"
    jsonschema.validate(found, json.loads(schema.read_text(encoding="utf-8")))
    services = found["services"]
    assert {"plant", "historian", "pages", "store", "database"} <= set(services)
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert set(service.get("secrets", [])) <= set(found["secrets"])
        assert {one.split(":")[0] for one in service.get("volumes", [])} <= set(found["volumes"])
        assert service["env_file"] == ["pilot.env"]
    stated = dict(
        line.split("=", 1)
        for line in (RECIPES / "pilot.env.example").read_text().splitlines()
        if line[:1] not in ("#", "")
    )
    code = "".join(path.read_text(encoding="utf-8") for path in Path(twinlab.__file__).parent.rglob("*.py"))
    assert [name for name in stated if name.startswith("TWINLAB_") and f'"{name}"' not in code] == []
    assert all("change-me" in stated[name] for name in stated if re.search("TOKEN|PASSWORD|SECRET|KEY_ID", name))


def test_the_example_for_kubernetes_is_valid_and_complete() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    found = kubernetes()
    for resource in found:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    kinds = {(one["kind"], one["metadata"]["name"]) for one in found}
    for resource in found:
        for one in containers(resource):
            ports = {port["name"] for port in one.get("ports", [])}
            probes = [one[name]["httpGet"]["port"] for name in one if name.endswith("Probe")]
            assert set(probes) <= ports
            assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    claims = re.findall(r"claimName: (\w+)", (RECIPES / "kubernetes.yaml").read_text(encoding="utf-8"))
    assert {("PersistentVolumeClaim", name) for name in claims} <= kinds


def test_no_image_is_without_a_version() -> None:
    images = [one["image"] for one in compose()["services"].values()]
    images += [one["image"] for resource in kubernetes() for one in containers(resource)]
    images += re.findall(r"^FROM (\S+)", (RECIPES / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(images) > 10
    for image in images:
        name, _, tag = image.rpartition(":")
        assert "/" in name
        assert re.search(r"\d+\.\d+|\d{4}-\d\d-\d\d", tag), image
        if name.endswith("/twinlab"):
            assert twinlab.__version__.startswith(tag), image


def test_the_containerfile_copies_what_is_there_and_installs_extras_that_exist() -> None:
    text = (RECIPES / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "ENTRYPOINT", "CMD"}
    assert {line.split()[0] for line in lines} == known
    for line in lines:
        word, rest = line.split(" ", 1)
        if word in ("VOLUME", "ENTRYPOINT", "CMD"):
            assert all(isinstance(one, str) for one in json.loads(rest))
        if word == "COPY" and not rest.startswith("--from=build "):
            assert [one for one in rest.split()[:-1] if not (ROOT / one).exists()] == []
    for named in re.findall(r"\[([a-z0-9]+(?:,[a-z0-9]+)+)\]", text + PAGE.read_text(encoding="utf-8")):
        assert set(named.split(",")) <= set(EXTRAS)
    # Nothing of a run needs root.
    assert "USER 10001" in lines


def test_systemd_accepts_the_units(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    program = need("systemd-analyze")
    names = []
    for unit in (RECIPES / "systemd").iterdir():
        # Of the program, only the place differs.
        text = unit.read_text(encoding="utf-8").replace("/opt/twinlab/bin/twinlab", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
        names.append(unit.name.replace("@", "@pilot"))
        shutil.copyfile(tmp_path / unit.name, tmp_path / names[-1])
    done = subprocess.run(
        [str(program), "verify", "--man=no", *(str(tmp_path / name) for name in names)],
        capture_output=True, text=True, check=False, env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "twinlab" in line]
    assert said == []
    assert done.returncode == 0, done.stderr


def test_the_settings_of_jupyterhub_load() -> None:
    found = PyFileConfigLoader("jupyterhub_config.py", path=str(RECIPES)).load_config()
    assert found.JupyterHub.spawner_class == "systemd"
    assert found.PAMAuthenticator.allowed_groups == {"twin-readers"}
    assert "/srv/twinlab" not in " ".join(found.SystemdSpawner.readwrite_paths)
    assert found.Spawner.environment["TWIN"] == "/srv/twinlab/pilot"
