"""Networks and changes built in Python refuse faults with twinlab's errors, and with the paths that a file would have."""

import pytest
from pydantic import ValidationError

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.simulate.network import Network, Node, parse_network
from twinlab.simulate.scenarios import CHANGE_KINDS, Close, DemandFactor

HUB = {"type": "hub"}


@pytest.mark.parametrize(
    ("kind", "keys", "error", "lines"),
    [
        (Node, {"type": "hub", "service": "2 minuts"}, UnitError, ["Node: service: unknown unit 'minuts'"]),
        (
            Network,
            {"name": "two", "nodes": {"a": HUB | {"servers": "dya"}}, "links": ({"from": "a", "to": "b"},)},
            UnknownTermError,
            ["Network: nodes.a.servers: there is no calendar 'dya'", "Network: links[0].to: there is no node 'b'"],
        ),
        (
            Network,
            {"name": "two", "nodes": {"a": HUB | {"service": {"kind": "exponentail", "mean": "2 min"}}}},
            SchemaError,
            ["Network: nodes.a.service: expected one of constant, exponential,"],
        ),
        (
            Network,
            {"name": "two", "nodes": {"a": HUB | {"service": {"kind": "exponential", "mean": "-2 min"}}}, "demnd": {}},
            SchemaError,
            ["Network: nodes.a.service.mean: ", "Network: demnd: unknown key 'demnd'; did you mean 'demand'?"],
        ),
        (
            Close,
            {"nod": "north"},
            SchemaError,
            ["Close: expected the key 'node', which is missing", "Close: nod: unknown key 'nod'; did you mean 'node'?"],
        ),
        (Close, {"node": "north", "start": "6h", "stop": "2h"}, SchemaError, ["Close: expected `stop` after `start`"]),
        (DemandFactor, {"factor": -1}, SchemaError, ["DemandFactor: factor: expected greater than 0, got -1"]),
    ],
)
def test_faults_have_their_paths(kind: type, keys: dict, error: type[TwinlabError], lines: list[str]) -> None:
    with pytest.raises(TwinlabError) as raised:
        kind(**keys)
    assert type(raised.value) is error
    found = str(raised.value).splitlines()
    assert len(found) == len(lines)
    assert all(one.startswith(line) for one, line in zip(found, lines, strict=True))


def test_the_same_faults_as_in_a_file() -> None:
    wrong = "name: two\nnodes: {a: {type: hub, servers: dya}, b: {type: hub, servers: -1}}\n"
    with pytest.raises(SchemaError) as in_a_file:
        parse_network(wrong.replace("dya", "2.5"))
    with pytest.raises(SchemaError) as built:
        Network(name="two", nodes={"a": {"type": "hub", "servers": 2.5}, "b": {"type": "hub", "servers": -1}})
    assert [line.split(": ", 1)[1] for line in str(built.value).splitlines()] == [
        line.split(": ", 1)[1] for line in str(in_a_file.value).splitlines()
    ]


def test_a_part_that_is_built_within_another_keeps_its_path() -> None:
    with pytest.raises(ValidationError) as raised:
        Network.model_validate({"name": "two", "nodes": {"a": HUB | {"servers": -1}}})
    assert raised.value.errors()[0]["loc"][:3] == ("nodes", "a", "servers")


@pytest.mark.parametrize("name", CHANGE_KINDS.built_in())
def test_each_kind_of_change_refuses_an_unknown_key(name: str) -> None:
    with pytest.raises(SchemaError, match=r"nothing_of_it: unknown key"):
        CHANGE_KINDS.get(name)(nothing_of_it=1)
