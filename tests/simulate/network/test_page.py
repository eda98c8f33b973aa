"""The page on networks: its examples run, its tables are those of the classes."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from twinlab import simulate
from twinlab.simulate.network import (
    Breakdowns,
    Calendar,
    Climate,
    Demand,
    Dispatch,
    Link,
    Network,
    Node,
    Profile,
    Shift,
    Timetable,
    Transporters,
    Weather,
)

PAGE = (Path(__file__).parents[3] / "notebooks" / "reference" / "networks.md").read_text(encoding="utf-8")
PARTS = [
    Network,
    Node,
    Link,
    Transporters,
    Dispatch,
    Timetable,
    Demand,
    Breakdowns,
    Climate,
    Calendar,
    Shift,
    Profile,
    Weather,
]
NETWORKS = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("name:")]


def rows(part: type) -> list[str]:
    """Return a row for each key of a part: the key, its default, what it is."""
    body = ast.parse(inspect.getsource(part)).body[0].body
    found = []
    for field, words in zip(body, body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(words, ast.Expr):
            continue
        name = field.target.id
        info = part.model_fields[name]
        if info.is_required():
            default = "needed"
        elif info.default is None or isinstance(info.default, (bool, int, float, str)):
            shown = str(info.default).lower() if isinstance(info.default, bool) else info.default
            default = "" if info.default is None else f"`{shown}`"
        else:
            default = f"`{info.default.value}`" if hasattr(info.default, "value") else ""
        text = " ".join(ast.literal_eval(words.value).split())
        found.append(f"| `{info.alias or name}` | {default} | {text.rstrip('.')} |")
    return found


@pytest.mark.parametrize("part", PARTS)
def test_each_key_is_on_the_page(part):
    missing = [row for row in rows(part) if row not in PAGE]
    assert not missing, "add to networks.md:\n" + "\n".join(missing)


@pytest.mark.parametrize("text", NETWORKS, ids=[text.split("\n", 1)[0] for text in NETWORKS])
def test_each_example_runs(text):
    network = simulate.parse_network(text)
    results = simulate.run(network, start="2026-03-02", horizon="1d", replications=2, progress=False)
    assert (results.kpis["delivered"] > 0).all()


def test_each_distribution_is_on_the_page():
    kinds = set(
        re.findall(
            r'kind: Literal\["(\w+)"\]',
            Path(inspect.getfile(simulate.Network)).with_name("distributions.py").read_text(encoding="utf-8"),
        )
    )
    assert len(kinds) >= 9
    assert {kind for kind in kinds if f"`{kind}`" not in PAGE} == set()
