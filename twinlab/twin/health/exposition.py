"""Metrics as text: of OpenMetrics, or of Prometheus' older format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["OPENMETRICS", "PROMETHEUS", "Family", "content_type", "exposition"]

#: Content types of both formats.
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Family:
    """A metric with its samples."""

    name: str
    """Without the ending ``_total`` of counters."""
    kind: Literal["counter", "gauge"]
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]] = ()
    """Labels and value."""

    @classmethod
    def one(cls, name: str, kind: Literal["counter", "gauge"], text: str, value: float | None) -> Family:
        """Return a metric with one sample without labels; without one if the value is None."""
        return cls(name, kind, text, [] if value is None else [({}, float(value))])


def content_type(accept: str) -> str:
    """Return the content type for what a client accepts.

    >>> content_type("application/openmetrics-text;version=1.0.0,text/plain;q=0.5") == OPENMETRICS
    True
    """
    return OPENMETRICS if "application/openmetrics-text" in accept else PROMETHEUS


def exposition(families: Iterable[Family], *, kind: str = OPENMETRICS) -> str:
    r"""Return metrics as text [1]_ [2]_.

    References
    ----------
    .. [1] OpenMetrics, "A standard for transmitting metrics at scale", version 1.0.0.
    .. [2] Prometheus, "Exposition formats", text format 0.0.4.

    Examples
    --------
    >>> print(exposition([Family.one("rows", "counter", "Rows.", 3)]), end="")
    # HELP rows Rows.
    # TYPE rows counter
    rows_total 3.0
    # EOF
    """
    lines = [line for family in families for line in _lines(family, older=kind == PROMETHEUS)]
    return "\n".join([*lines, *([] if kind == PROMETHEUS else ["# EOF"])]) + "\n"


def _lines(family: Family, *, older: bool) -> Iterator[str]:
    ending = "_total" if family.kind == "counter" else ""
    # The older format names the samples, the newer one the metric.
    named = family.name + (ending if older else "")
    yield f"# HELP {named} {_escaped(family.help, quotes=not older)}"
    yield f"# TYPE {named} {family.kind}"
    for labels, value in family.samples:
        text = ",".join(f'{name}="{_escaped(label, quotes=True)}"' for name, label in labels.items())
        yield f"{family.name}{ending}{{{text}}} {value!r}" if text else f"{family.name}{ending} {value!r}"


def _escaped(text: str, *, quotes: bool) -> str:
    out = text.replace("\\", r"\\").replace("\n", r"\n")
    return out.replace('"', r"\"") if quotes else out
