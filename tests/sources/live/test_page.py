"""The reference page of live sources has all options of the field sources, as their classes state them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from twinlab.sources.live.http_json.options import HttpOptions, Pages, ServiceTable
from twinlab.sources.live.kafka.options import KafkaOptions, Login, TopicRule
from twinlab.sources.live.modbus.options import ModbusOptions
from twinlab.sources.live.modbus.registers import Register
from twinlab.sources.live.opcua.options import OpcuaOptions
from twinlab.sources.live.postgres.options import PostgresOptions

PAGE = Path(__file__).parents[3] / "notebooks" / "reference" / "live.md"
PARTS: list[Any] = [
    ModbusOptions,
    Register,
    OpcuaOptions,
    HttpOptions,
    ServiceTable,
    Pages,
    PostgresOptions,
    KafkaOptions,
    TopicRule,
    Login,
]


def rows(part: Any) -> list[str]:
    """Return a row for each option: the key, its default, what it is."""
    tree = ast.parse(inspect.getsource(part)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = []
    for field, words in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr):
            info = part.model_fields[field.target.id]  # type: ignore[union-attr]
            default = "" if info.default in (None, "") else f"`{info.default}`"
            text = " ".join(ast.literal_eval(words.value).replace("``", "`").split()).rstrip(".")
            found.append(f"| `{field.target.id}` | {'needed' if info.is_required() else default} | {text} |")  # type: ignore[union-attr]
    return [row.replace("`PydanticUndefined`", "") for row in found]


@pytest.mark.parametrize("part", PARTS)
def test_each_option_is_on_the_page(part: Any) -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [row for row in rows(part) if row not in page]
    assert not missing, "add to live.md:\n" + "\n".join(missing)
