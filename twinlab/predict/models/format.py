"""Fitted models as arrays and JSON, by formats that are registered: a reader and a writer for each kind of model.

A format is one module and one line of `MODEL_FORMATS`; other packages add theirs with an entry point of the group ``twinlab.model_formats``.
Reading builds only classes of registered formats, so that a file can't name code that is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.registry import Registry
from twinlab.model.terms import nearest
from twinlab.predict.models.plain import MARK, Decoder, Encoder
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["MODEL_FORMATS", "ModelFormat", "dataclass_format", "from_arrays", "model_hash", "to_arrays"]

Array = NDArray[Any]
#: Version of the arrangement of arrays and JSON.
VERSION: Final = 1
#: Libraries whose version is written beside a model.
_LIBRARIES: Final = ("twinlab-kit", "numpy", "scikit-learn", "lightgbm")


@dataclass(frozen=True)
class ModelFormat:
    """How one kind of model, or a part of one, is written and read.

    Parameters
    ----------
    name : str
        What it is called in files, and what the entry point is called.
    title : str
        What it is of, in words.
    classes : mapping of str to str
        Name in files -> ``"module:Class"`` of the class's definition, private modules left out, for all classes that it writes.
    write : callable
        ``write(value, encoder, place) -> mapping``: the value as JSON; arrays and parts with `Encoder.value`.
    read : callable
        ``read(name, content, decoder) -> value``: the same value from that mapping; ``name`` is the class's name in files.
    """

    name: str
    title: str
    classes: Mapping[str, str]
    write: Callable[[Any, Encoder, str], Mapping[str, Any]]
    read: Callable[[str, Mapping[str, Any], Decoder], object]
    names: Mapping[str, str] = field(init=False)
    """Place of a class's definition -> name in files."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", {place: name for name, place in self.classes.items()})


def dataclass_format(name: str, title: str, *classes: type) -> ModelFormat:
    """Return the format of dataclasses: their fields are written, and an object is made from them again.

    Fields that don't take part in comparisons, such as caches, aren't written. A field with a default that a file doesn't have gets it, so that a
    class may have further ones later. What ``__post_init__`` checks is checked when a file is read, too.

    Parameters
    ----------
    name, title : str
    *classes : type

    Examples
    --------
    >>> from twinlab.predict.targets.signal import SignalTarget
    >>> dataclass_format("targets", "what is predicted", SignalTarget).classes
    {'SignalTarget': 'twinlab.predict.targets.signal:SignalTarget'}
    """
    known = {one.__name__: one for one in classes}

    def write(value: object, encoder: Encoder, place: str) -> dict[str, Any]:
        return {
            one.name: encoder.value(getattr(value, one.name), f"{place}.{one.name}" if place else one.name)
            for one in fields(value)  # type: ignore[arg-type]
            if one.compare
        }

    def read(of: str, content: Mapping[str, Any], decoder: Decoder) -> object:
        wanted = {one.name: one for one in fields(known[of]) if one.init and one.compare}
        needed = {key for key, one in wanted.items() if one.default is MISSING and one.default_factory is MISSING}
        lacking, further = sorted(needed - content.keys()), sorted(content.keys() - wanted.keys())
        if lacking or further:
            what = (
                f"lacks {', '.join(lacking)}"
                if lacking
                else f"has {', '.join(further)}, which this version doesn't know"
            )
            msg = f"{of} {what}: it was written by another version of twinlab; fit it again"
            raise SchemaError(msg)
        return known[of](**{key: decoder.value(one) for key, one in content.items()})

    wrong = [one.__name__ for one in classes if not is_dataclass(one)]
    if wrong:
        msg = f"expected dataclasses in the format {name!r}, got {', '.join(wrong)}"
        raise SchemaError(msg)
    return ModelFormat(name, title, {key: _definition(one) for key, one in known.items()}, write, read)


def _fault(name: str, found: object) -> str:
    if not isinstance(found, ModelFormat):
        return f"expected a twinlab.predict.models.ModelFormat, got a {type(found).__name__}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the format is"


_FORMATS: Final = "twinlab.predict.models.formats"
MODEL_FORMATS: Registry[ModelFormat] = Registry(
    "twinlab.model_formats",
    kind="format of models",
    built_in={
        "anomaly": f"{_FORMATS}.anomaly:FORMAT",
        "baselines": f"{_FORMATS}.baselines:FORMAT",
        "conformal": f"{_FORMATS}.conformal:FORMAT",
        "delay": f"{_FORMATS}.delay:FORMAT",
        "estimators": f"{_FORMATS}.estimators:FORMAT",
        "failure": f"{_FORMATS}.failure:FORMAT",
        "features": f"{_FORMATS}.features:FORMAT",
        "forecasting": f"{_FORMATS}.forecasting:FORMAT",
        "lightgbm": f"{_FORMATS}.lightgbm:FORMAT",
        "protocol": f"{_FORMATS}.protocol:FORMAT",
        "sklearn": f"{_FORMATS}.sklearn:FORMAT",
        "stored": f"{_FORMATS}.stored:FORMAT",
    },
    check=_fault,
)


def to_arrays(fitted: object) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a fitted model as arrays, and the rest of it as JSON.

    Parameters
    ----------
    fitted : object
        A fitted predictor, or a model of anomalies, of a kind that has a format.

    Returns
    -------
    arrays : dict of str to array
        Named by their place in the model, such as ``"pools.below"``; texts of other libraries are arrays of bytes, and end with ``.txt``.
    content : dict
        What JSON has: the kinds and parameters, and ``libraries``, the versions of those that it was fitted with.

    Raises
    ------
    SchemaError
        If a part of it has no format, such as a function of your own; names the part.
    """
    encoder = Encoder(_encode)
    root = encoder.value(fitted, "")
    if not isinstance(root, dict) or "class" not in root:
        msg = f"expected a fitted model, got a {type(fitted).__name__}"
        raise SchemaError(msg)
    return encoder.arrays, {"format": "twinlab model", "version": VERSION, "libraries": _libraries(), "model": root}


def from_arrays(arrays: Mapping[str, Array], content: Mapping[str, Any]) -> Any:  # noqa: ANN401  (any kind of model)
    """Return the fitted model of `to_arrays`, with equal predictions and an equal content hash.

    Parameters
    ----------
    arrays : mapping of str to array
    content : mapping

    Raises
    ------
    SchemaError
        If it isn't as `to_arrays` writes it, or of another version.
    UnknownTermError
        If no format of that name is registered: the package that has it isn't installed.
    SourceError
        If a library that the model needs isn't installed.
    """
    if content.get("format") != "twinlab model":
        msg = f"expected a model of twinlab, got the format {content.get('format')!r}"
        raise SchemaError(msg)
    if content.get("version") != VERSION:
        msg = f"expected version {VERSION} of the format, got {content.get('version')!r}; install the twinlab that wrote it ({content.get('libraries')}), or fit the model again"
        raise SchemaError(msg)
    return Decoder(arrays, _decode).value(content["model"])


def model_hash(fitted: object) -> str:
    """Return the content hash of a fitted model; of one that has no ``content_hash`` that of its arrays and parameters."""
    own = getattr(fitted, "content_hash", None)
    if own is not None:
        return str(own())
    arrays, content = to_arrays(fitted)
    return hash_of(content["model"], arrays)


def _encode(encoder: Encoder, value: object, place: str) -> dict[str, Any] | None:
    defined = _definition(type(value))
    for name, one in MODEL_FORMATS.items():
        if defined in one.names:
            return {MARK: name, "class": one.names[defined], "content": dict(one.write(value, encoder, place))}
    return None


def _definition(kind: type) -> str:
    """Return where a class is defined, without private modules: libraries move classes between these."""
    module = ".".join(one for one in kind.__module__.split(".") if not one.startswith("_"))
    return f"{module}:{kind.__qualname__}"


def _decode(decoder: Decoder, kind: str, node: Mapping[str, Any]) -> object:
    if kind not in MODEL_FORMATS:
        msg = f"the format {kind!r} isn't registered{nearest(kind, MODEL_FORMATS.names())}; install the package that has it"
        raise UnknownTermError(msg)
    found, of = MODEL_FORMATS.get(kind), node["class"]
    if of not in found.classes:
        msg = f"the format {kind!r} has no class {of!r}{nearest(str(of), found.classes)}"
        raise SchemaError(msg)
    return found.read(of, node["content"], decoder)


def _libraries() -> dict[str, str]:
    out = {}
    for name in _LIBRARIES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out
