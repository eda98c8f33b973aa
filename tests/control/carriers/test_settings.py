"""`control.yaml`: what is wrong in it is named, and each target has one way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twinlab.control.carriers import CARRIER_KINDS, Endpoints, open_endpoints, read_control
from twinlab.errors import SchemaError, UnknownTermError

GOOD = """\
keys: keys.yaml
people: {operator-1: people/operator-1.pem}
endpoints:
  halls: {carrier: mqtt, assets: ["forklift/*"], options: {host: h, ca: a, certificate: b, key: c, client: "{name}-controller"}}
  old: {carrier: modbus, device: refrigeration, assets: [cold_room/R01], options: {host: h, port: 1, ca: a, certificate: b, key: c}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "control.yaml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file_and_targets_have_their_endpoint(tmp_path: Path) -> None:
    found = read_control(write(tmp_path, GOOD))
    assert found.keys == str(tmp_path / "keys.yaml")
    assert found.people == {"operator-1": str(tmp_path / "people" / "operator-1.pem")}
    assert found.endpoint_of("forklift/F07") == "halls"
    assert found.endpoints["halls"].device_of("forklift/F07") == "forklift/F07"
    assert found.endpoints["old"].device_of("cold_room/R01") == "refrigeration"
    with pytest.raises(
        UnknownTermError, match=r"cold_room/R02: expected an endpoint of control.yaml that has it, got halls"
    ):
        found.endpoint_of("cold_room/R02")
    with pytest.raises(UnknownTermError, match="expected the endpoint 'old'"):
        found.endpoint_of("forklift/F07", name="old")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("carrier: mqtt", "carrier: mqt", "endpoints.halls.carrier: there is no kind of carrier 'mqt'; did you mean 'mqtt'"),
        ('assets: ["forklift/*"]', "assets: []", "endpoints.halls.assets"),
        ("keys: keys.yaml", "", "keys"),
        ("people:", "persons:", "persons"),
        ("keys: keys.yaml", "keys: [", "expected the addresses of a twin's devices"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        read_control(write(tmp_path, GOOD.replace(old, new, 1)))


def test_options_of_a_carrier_are_checked_before_anything_is_sent(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("port: 1,", "prt: 1,"))
    with pytest.raises(SchemaError, match=r"endpoints.old: .*options.prt: .* has no option 'prt'; did you mean 'port'"):
        open_endpoints(path)
    with pytest.raises(SchemaError, match="without it nothing can be sent"):
        Endpoints(read_control(tmp_path / "missing.yaml"))


def test_the_file_of_the_page_is_valid(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "notebooks" / "reference" / "commands.md"
    found = re.search(r"```yaml control.yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    settings = read_control(write(tmp_path, found[1]))
    for target, name in (
        ("forklift/F07", "forklifts"),
        ("cold_room/R04", "warehouses"),
        ("cold_room/R01", "refrigeration"),
    ):
        assert settings.endpoint_of(target) == name
        endpoint = settings.endpoints[name]
        CARRIER_KINDS.get(endpoint.carrier).parse(endpoint.options)
