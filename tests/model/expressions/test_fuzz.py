"""Random texts and random tokens: never anything but an error of twinlab, and never a long wait."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import TwinlabError
from twinlab.model import TwinModel
from twinlab.model.expressions import AssetContext, Context, EventContext, bind, parse
from twinlab.model.expressions.completion import completions
from twinlab.model.expressions.faults import Pointing

WORDS = [
    "temperature",
    "setpoint",
    "humidity",
    "door",
    "hatch",
    "name",
    "built",
    "cooled",
    "size",
    "odd",
    "odometer",
    "upper_limit",
    "room",
    "truck",
    "parcel",
    "leg",
    "duration",
    "start",
    "late",
    "open",
    "closed",
    "and",
    "or",
    "not",
    "for",
    "at",
    "least",
    "within",
    "after",
    "over",
    "where",
    "in",
    "via",
    "true",
    "false",
    "mean",
    "min",
    "max",
    "sum",
    "count",
    "rate",
    "change",
    "abs",
    "(",
    ")",
    ",",
    ".",
    "+",
    "-",
    "*",
    "/",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "8",
    "1e3",
    "-2",
    "0",
    "8",
    "degC",
    "46",
    "°F",
    "80",
    "km/h",
    "5",
    "%",
    "10",
    "min",
    "2h",
    "1d",
    "3",
    "m²",
    "W/(m²·K)",
    "'text'",
    '"off"',
    "`odd",
    "name`",
]
tokens = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
texts = st.text(max_size=60) | st.text(alphabet="tempraud()<>=! .,'\"`0123456789°%/*+-\n\t²é", max_size=60)


@pytest.fixture(params=["room", "parcel", "leg"], scope="module")
def context(request: pytest.FixtureRequest, model: TwinModel) -> Context:
    kind = request.param
    return EventContext(model, kind) if kind == "leg" else AssetContext(model, kind)


@given(text=tokens | texts, column=st.integers(0, 60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_bound_or_refused_with_a_column(context: Context, text: str, column: int) -> None:
    completions(text, min(column, len(text)), context)
    try:
        found = bind(text, context)
    except TwinlabError as error:
        assert isinstance(error, Pointing)
        assert error.text == text
        assert 0 <= error.column <= len(text)
        assert "^" in str(error).splitlines()[-1]
    else:
        assert hash(found) == hash(bind(text, context))


def trap(*_: object) -> None:
    raise AssertionError("executed")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch /tmp/executed')", "exec('x')", "eval('1') > 0", "open('/etc/passwd')", "().__class__.__bases__",
        "temperature.__class__", "f'{1}'", "{}.format(1)", "lambda: 1", "print(1) or temperature > 8", "getattr(temperature, 'x') > 1",
        "`__import__` > 1", "temperature if 1 else 2", "[x for x in (1,)]", "yield 1", "assert 0", "import os", "1;2", "a:=1",
    ],
)  # fmt: skip
def test_python_is_never_executed(context: Context, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("builtins.eval", trap)
        patched.setattr("builtins.exec", trap)
        with pytest.raises(TwinlabError):
            bind(text, context)


LONG = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * LONG, "not " * (LONG // 4), "-" * LONG, "1+" * (LONG // 2), "a." * (LONG // 2), "f(" * (LONG // 2), "9" * LONG, "9" * (LONG - 1) + ".",
        "1 a " * (LONG // 4), "1 m / " * (LONG // 6), "1 m·" * (LONG // 4), "'" * LONG, "`" + "a" * (LONG - 1), "a and " * (LONG // 6),
        "a == b " * (LONG // 7), "a == " + "b " * (LONG // 2 - 3), "in a where " * (LONG // 11), "1 " + "µ" * (LONG - 2), "1 " + "a " * (LONG // 2 - 1),
        "a for at least 1h " * (LONG // 18), "mean(a over 1h) " * (LONG // 16), "\n" * LONG, "1/h" * (LONG // 3), "1 " + "²" * (LONG - 2),
        "1 m/(" + "m·" * (LONG // 2 - 4),
    ],
)  # fmt: skip
def test_the_longest_expressions_take_no_time(text: str, context: Context) -> None:
    assert len(text) <= LONG
    began = time.process_time()
    with suppress(TwinlabError):
        bind(text, context)
    # Far above what it takes, far below what anything but linear time would take.
    assert time.process_time() - began < 5


def test_a_text_that_was_parsed_once_is_the_same_tree_again() -> None:
    assert parse("temperature > 8 degC") is parse("temperature > 8 degC")
