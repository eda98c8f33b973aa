"""Calls with arguments that follow a tool's schema, or hardly: generated from the schema itself, with hostile texts among them."""

from __future__ import annotations

import random
from typing import Any

from tests.hostile_texts import HOSTILE

#: Texts that are right in most places, by the name of the argument.
_RIGHT: dict[str, list[str]] = {
    "asset_type": ["station", "van", "cold_room"], "signal": ["temperature", "speed"], "signals": ["temperature"], "event_type": ["trip", "delivery"],
    "assets": ["NORTH", "V1"], "asset": ["van/V1", "station/NORTH"], "condition": ["temperature > 8 degC", "end_delay > 5 min"], "start": ["2026-01-01"],
    "stop": ["2026-01-02", "2026-01-01T12:00Z"], "at": ["2026-01-01T12:00Z"], "now": ["2026-01-02"], "lasting": ["10min"], "column": ["end_delay", "distance"],
    "by": ["asset", "origin"], "where": ["name", "North yard"], "links": ["origin", "NORTH"],
    "question": ["How many stations are there?", "What needs attention?", "How warm was NORTH?", "Wie viele Vans gibt es?"],
}  # fmt: skip
_ANY = ["station", "temperature", "NORTH", "1h", "2026-01-01", "mean", "close"]
_WRONG: list[Any] = [None, True, 0, -1, 1.5, 10**30, float("1e308"), [], {}, [[]], [1, "a"], {"a": {"b": []}}, ""]


def arguments_for(schema: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return arguments, the same for the same seed; two of three calls are meant to be right."""
    chance = random.Random(seed)
    wrong = 0.0 if chance.random() < 0.67 else 0.25
    made = _Values(schema, chance, wrong)
    needed = set(schema.get("required", ()))
    if "question" in schema["properties"] and not wrong:
        needed = {"question"}
    asked = {
        name: spec
        for name, spec in schema["properties"].items()
        if name in needed or ((name != "plan" or wrong) and chance.random() < 0.3)
    }
    out = {name: made.value(made.resolved(spec), name) for name, spec in asked.items()}
    if chance.random() < wrong / 5:
        out[chance.choice(["path", "sql", "__class__", "twin"])] = chance.choice(HOSTILE)[:500]
    return out


class _Values:
    """Values that follow a schema, of which a share are wrong."""

    def __init__(self, schema: dict[str, Any], chance: random.Random, wrong: float) -> None:
        self._schema, self._chance, self._wrong = schema, chance, wrong

    def resolved(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference refers to."""
        return self._schema["$defs"][spec["$ref"].rsplit("/", 1)[1]] if "$ref" in spec else spec

    def value(self, spec: dict[str, Any], name: str) -> Any:
        """Return a value of an argument."""
        chance = self._chance
        if chance.random() < self._wrong / 3:
            return chance.choice(_WRONG)
        if "anyOf" in spec:
            return self.value(self.resolved(chance.choice(spec["anyOf"])), name)
        if "enum" in spec:
            return chance.choice(spec["enum"])
        made: dict[str | None, Any] = {
            "integer": lambda: chance.choice([spec.get("minimum", 0), spec.get("maximum", 5), 1, 7]),
            "boolean": lambda: chance.random() < 0.5,
            "array": lambda: [
                self.value(self.resolved(spec.get("items", {})), name) for _ in range(chance.randrange(1, 3))
            ],
            "object": lambda: {self.text(name): self.text(name) for _ in range(chance.randrange(3))},
            "null": lambda: None,
        }
        made["number"] = made["integer"]
        return made.get(spec.get("type"), lambda: self.text(name))()

    def text(self, name: str) -> str:
        """Return a text: a right one, or a hostile one."""
        chance = self._chance
        found = (
            chance.choice(_RIGHT.get(name, _ANY)) if chance.random() >= self._wrong else chance.choice(HOSTILE)[:3_000]
        )
        # JSON has no surrogates.
        return found.encode("utf-8", "replace").decode()
