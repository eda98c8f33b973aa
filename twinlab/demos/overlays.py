"""Models and mappings of a demo with the additions that an option makes to them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from twinlab.model.yamltext import read_text, read_yaml, write_yaml

__all__ = ["merged", "overlaid", "write_overlaid"]


def merged(base: Any, more: Any) -> Any:  # noqa: ANN401  (YAML)
    """Return a value with additions: mappings by key, lists by place; another value replaces the one that is there.

    >>> merged({"a": [{"b": 1}], "c": 2}, {"a": [{"d": 3}], "e": 4})
    {'a': [{'b': 1, 'd': 3}], 'c': 2, 'e': 4}
    """
    if isinstance(base, Mapping) and isinstance(more, Mapping):
        return {**base, **{key: merged(base[key], one) if key in base else one for key, one in more.items()}}
    if isinstance(base, list) and isinstance(more, list):
        return [first if second is None else merged(first, second) for first, second in zip_longest(base, more)]
    return more


def overlaid(base: Path, more: Path | None) -> Any:  # noqa: ANN401  (YAML)
    """Return the contents of a YAML file with the additions of another; of one of them if there is no other."""
    found = [read_yaml(read_text(path), name=str(path)).data for path in (base, more) if path and path.exists()]
    return merged(*found) if len(found) > 1 else found[0]


def write_overlaid(base: Path, more: Path, target: Path) -> Path:
    """Write the YAML files of a folder with the additions of another one to a third; return it."""
    # Additions are in folders within the first, each with a twin.yaml.
    additions = {path.parent.name for path in base.glob("*/twin.yaml")}
    for path in sorted({path.relative_to(folder) for folder in (base, more) for path in folder.rglob("*.yaml")}):
        if path.parts[0] not in additions:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(write_yaml(overlaid(base / path, more / path)), encoding="utf-8")
    return target
