"""Read ``twin.yaml`` and ``mapping/*.yaml``: every fault of a file in one message, each with its line and its path."""

from __future__ import annotations

import json
import re
import types
import weakref
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Mapping_
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.model.check import FaultsError, Finding, mapping_findings
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import fault_text
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.mapping import Mapping
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel
from twinlab.model.units import known_units
from twinlab.model.yamltext import Document, Path_, path_text, read_text, read_yaml, write_yaml

__all__ = [
    "EDITOR_LINES",
    "check_mapping",
    "dump_mapping",
    "dump_model",
    "json_schema",
    "load_mapping",
    "load_model",
    "parse_as",
    "parse_mapping",
    "parse_model",
    "refusal",
    "refuse",
    "tidy_yaml",
    "write_schemas",
]

Parsed = TypeVar("Parsed", bound=BaseModel)

#: First line of a twin's files; it names the schema that `write_schemas` writes into the twin's folder, for editors.
EDITOR_LINES = {
    "model": "# yaml-language-server: $schema=.schema/twin.json\n",
    "mapping": "# yaml-language-server: $schema=../.schema/mapping.json\n",
}
#: Parsed documents with their line numbers, by the id of the model or mapping: lines aren't part of its value.
_DOCUMENTS: dict[int, Document] = {}
_NOT_A_PLACE = re.compile(r"^([a-z_]+(?:[.\[][^:\s]*)?): (.*)$", re.DOTALL)


def load_model(path: Path | str) -> TwinModel:
    """Read a ``twin.yaml``; see `parse_model`."""
    return parse_model(read_text(Path(path)), str(path))


def load_mapping(path: Path | str) -> Mapping:
    """Read a mapping file; see `parse_mapping`."""
    return parse_mapping(read_text(Path(path)), str(path))


def parse_model(text: str, name: str = "twin.yaml") -> TwinModel:
    """Read a twin's model from YAML.

    Parameters
    ----------
    text : str
        The YAML.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was expected, what was found, the nearest known name. A UnitError
        if all faults are units, an UnknownTermError if all are names that don't exist.

    >>> parse_model("twin: farm").twin
    'farm'
    """
    return parse_as(TwinModel, text, name, first="twin:")


def parse_mapping(text: str, name: str = "mapping.yaml") -> Mapping:
    """Read a mapping from YAML; parameters and errors as `parse_model`.

    >>> parse_mapping("source: fridges").source
    'fridges'
    """
    return parse_as(Mapping, text, name, first="source:")


def check_mapping(mapping: Mapping, model: TwinModel, name: str = "mapping.yaml") -> None:
    """Compare a mapping with the model that it refers to.

    Raises
    ------
    SchemaError
        As `parse_model`: asset types, signals, event types, links, properties, states and zones that don't exist, units
        that don't fit the signal's or property's.
    """
    refuse(mapping_findings(mapping, model), mapping, name)


def refuse(findings: list[Finding], parsed: BaseModel, name: str) -> None:
    """Raise one error for all findings in a parsed file, each with its line; do nothing if there are none."""
    if findings:
        raise _error(findings, _DOCUMENTS.get(id(parsed)), name)


def dump_model(model: TwinModel, *, editor: bool = False) -> str:
    """Return a model as tidy YAML, without what is default; `parse_model` reads it back equal.

    With ``editor``, the first line names the schema that `write_schemas` writes, for editors.
    """
    return (EDITOR_LINES["model"] if editor else "") + _dump(model, "model")


def dump_mapping(mapping: Mapping, *, editor: bool = False) -> str:
    """Return a mapping as tidy YAML, without what is default; `parse_mapping` reads it back equal.

    With ``editor``, the first line names the schema that `write_schemas` writes, for editors.
    """
    return (EDITOR_LINES["mapping"] if editor else "") + _dump(mapping, "mapping")


def json_schema(what: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``"model"`` or ``"mapping"``, for completion and checks in an editor.

    See `write_schemas` for where editors look.
    """
    if what not in ("model", "mapping"):
        msg = f"expected 'model' or 'mapping', got {what!r}"
        raise UnknownTermError(msg)
    made = (TwinModel if what == "model" else Mapping).model_json_schema(by_alias=True, mode="validation")
    units = {"anyOf": [{"enum": list(known_units())}, {"type": ["string", "number", "null"]}]}
    for part in (made, *made.get("$defs", {}).values()):
        for key, entry in part.get("properties", {}).items():
            if key in ("unit", "plus_unit"):
                part["properties"][key] = {
                    k: v for k, v in entry.items() if k in ("description", "default", "title")
                } | units
    if what == "model":
        made["$defs"]["Signal"]["properties"]["tests"] |= {
            "properties": _options_by_name(registry_of("twinlab.quality")),
            "additionalProperties": False,
        }
        # The options of some built-in kinds are keys of the rule.
        rules = made["$defs"]["Rule"]["properties"]
        kinds = _options_by_name(registry_of("twinlab.rules"))
        rules |= {name: options for name, options in kinds.items() if name not in rules}
        made["$defs"]["Rule"]["additionalProperties"] = False
        made["$defs"]["Kpi"]["properties"] |= _options_by_name(registry_of("twinlab.kpis"))
        made["$defs"]["Kpi"]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _options_by_name(registry: Registry[QualityTest] | Registry[RuleKind] | Registry[KpiKind]) -> dict[str, Any]:
    """Return the schema of the options of each entry of a registry that can be loaded."""
    own = [registry.get(name) for name in registry.built_in()]
    return {entry.name: entry.options.model_json_schema() for entry in (*own, *registry.usable())}


def write_schemas(folder: Path | str) -> tuple[Path, Path]:
    """Write both JSON Schemas into ``folder/.schema`` and return their paths.

    A file written by `dump_model` or `dump_mapping` with ``editor=True`` names them in its first line, where editors
    look for them.
    """
    target = Path(folder) / ".schema"
    target.mkdir(parents=True, exist_ok=True)
    paths = (target / "twin.json", target / "mapping.json")
    for path, what in zip(paths, ("model", "mapping"), strict=True):
        path.write_text(json.dumps(json_schema(what), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


def parse_as(
    kind: type[Parsed],
    text: str,
    name: str,
    *,
    first: str,
    also: Callable[[Mapping_[Any, Any], Sequence[Path_]], Sequence[Finding]] | None = None,
) -> Parsed:
    """Read a file of any part of a model; parameters and errors as `parse_model`, ``first`` is the key it begins with.

    If single values are at fault, ``also(data, paths of the faults)`` returns what is wrong beside them, for a kind whose
    parts are compared with each other only once each of them is right.
    """
    document = read_yaml(text, name=name)
    findings = [Finding(path, SchemaError, message, line) for path, line, message in document.problems]
    if not isinstance(document.data, dict):
        came = "nothing" if document.data is None else f"a {type(document.data).__name__}"
        msg = f"{name}:1: expected keys with values, beginning with `{first}`, got {came}"
        raise SchemaError(msg)
    try:
        made = kind.model_validate(document.data)
    except ValidationError as error:
        findings += _findings(error, kind, document.data)
        findings += also(document.data, [finding.path for finding in findings]) if also is not None else []
        made = None
    if made is None or findings:
        raise _error(findings, document, name)
    _DOCUMENTS[id(made)] = document
    weakref.finalize(made, _DOCUMENTS.pop, id(made), None)
    return made


def refusal(error: ValidationError, kind: type[BaseModel], data: Mapping_[str, object]) -> TwinlabError:
    """Return the error of a part that was built in Python: as for a file, with the name of its class instead of the file's.

    >>> from twinlab.model.rules import Rule
    >>> try:
    ...     Rule(on="truck", severity="hihg")
    ... except ValidationError as error:
    ...     print(str(refusal(error, Rule, {"on": "truck", "severity": "hihg"})).splitlines()[0])
    Rule: severity: expected one of low, medium, high, got 'hihg'; did you mean 'high'?
    """
    return _error(_findings(error, kind, data), None, kind.__name__)


def _findings(error: ValidationError, kind: type[BaseModel], data: object) -> list[Finding]:
    return [finding for details in _causes(error.errors()) for finding in _explain(details, kind, data)]


#: Line ends other than the usual one, which a message quotes from a file or an error of a library, as they are escaped.
_LINE_ENDS = {ord(end): end.encode("unicode_escape").decode() for end in "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"}


def _error(findings: list[Finding], document: Document | None, name: str) -> TwinlabError:
    kinds = {finding.kind for finding in findings}
    kind = kinds.pop() if len(kinds) == 1 else SchemaError
    lines: list[tuple[int, str]] = []
    for finding in findings:
        line = finding.line or (document.line(finding.path) if document else None)
        where = ": ".join(filter(None, (f"{name}:{line}" if line else name, path_text(finding.path))))
        text = f"{where}: {finding.message.translate(_LINE_ENDS)}"
        if (line or 0, text) not in lines:
            lines.append((line or 0, text))
    return kind("\n".join(text for _, text in sorted(lines, key=lambda pair: pair[0])))


def _causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the errors without those of lists that are too short only because their items are at fault."""
    places = [details["loc"] for details in errors]
    return [
        details
        for details, loc in zip(errors, places, strict=True)
        if details["type"] != "too_short" or not any(len(p) > len(loc) and p[: len(loc)] == loc for p in places)
    ]


def _explain(details: ErrorDetails, kind: type[BaseModel], data: object) -> list[Finding]:
    location, known = details["loc"], details["type"]
    path = _path(location, data)
    if known == "extra_forbidden":
        key = str(location[-1])
        # The location has the names of union members; the path lacks keys that a short form stands for.
        fields = _fields(kind, location[:-1]) or _fields(kind, path[:-1])
        return [Finding(path, SchemaError, f"unknown key {key!r}{nearest(key, fields)}")]
    if known == "missing":
        return [Finding(path, SchemaError, f"expected the key {str(location[-1])!r}, which is missing")]
    error = details.get("ctx", {}).get("error")
    if isinstance(error, FaultsError):
        return list(error.findings)
    if isinstance(error, Exception):
        message = str(error)
        raised = type(error) if isinstance(error, (UnitError, UnknownTermError)) else SchemaError
        if not path:
            # A fault's further lines are indented: an expression, and the column in it.
            return [_placed(one) for one in re.split(r"\n(?=\S)", message)]
        return [Finding(path, raised, message)]
    return [Finding(path, SchemaError, fault_text(details))]


def _placed(line: str) -> Finding:
    """Turn "relationships.x.from: names ..." of a whole-file check into a finding with its path."""
    match = _NOT_A_PLACE.match(line)
    if match is None:
        return Finding((), SchemaError, line)
    # "interlocks[0]" is a key and a place in its list.
    parts = (part for part in re.split(r"[.\[\]]+", match[1]) if part)
    return Finding(tuple(int(part) if part.isdigit() else part for part in parts), UnknownTermError, match[2])


def _path(location: tuple[int | str, ...], data: object) -> Path_:
    """Return the parts of pydantic's location that are in the file, without names of union members and the like."""
    path: list[str | int] = []
    for part in location:
        if isinstance(data, Mapping_):
            match = next((key for key in data if key == part or str(key) == str(part)), None)
            if match is None:
                continue
            path.append(str(match))
            data = data[match]
        elif isinstance(data, (list, tuple)) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
    return tuple(path)


def _fields(annotation: object, location: Path_) -> list[str]:
    """Return the keys of the part of the schema at ``location``."""
    options = _options(annotation)
    if not location:
        return [key for option in options if _is_model(option) for key in _keys(option)]
    part, rest = location[0], location[1:]
    found: list[str] = []
    for option in options:
        if _is_model(option):
            for key, info in option.model_fields.items():
                if part in (key, info.alias):
                    found += _fields(info.annotation, rest)
        elif get_origin(option) in (dict, list):
            found += _fields(get_args(option)[-1], rest)
        elif get_origin(option) is tuple and get_args(option)[-1] is Ellipsis:
            found += _fields(get_args(option)[0], rest)
    return found


def _is_model(option: object) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _keys(option: type[BaseModel]) -> list[str]:
    return [info.alias or key for key, info in option.model_fields.items()]


def _options(annotation: object) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _options(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [option for part in get_args(annotation) for option in _options(part)]
    return [annotation]


def _dump(model: BaseModel, what: str) -> str:
    data = model.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, mode="json")
    # Keys are text in JSON; in YAML the numbers of states are numbers.
    for asset_type in data.get("asset_types", {}).values() if what == "model" else ():
        for signal in asset_type.get("signals", {}).values():
            if "states" in signal:
                signal["states"] = {int(code): text for code, text in signal["states"].items()}
    return tidy_yaml(data)


def tidy_yaml(data: object) -> str:
    """Return plain data as YAML, whole numbers without ".0".

    >>> print(tidy_yaml({"gain": 1.0}), end="")
    gain: 1
    """
    return write_yaml(_tidy(data))


def _tidy(value: object) -> object:
    """Write whole numbers without ".0", as people do."""
    if isinstance(value, dict):
        return {key: _tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if whole and isinstance(value, float) else value
