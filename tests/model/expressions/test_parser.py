"""Text to tree: precedence, units of numbers, what may be left out, limits."""

import pytest

from twinlab.errors import SchemaError
from twinlab.model.expressions import ExpressionError, parse, syntax

MINUTE = 60 * 10**9


def shown(node: syntax.Node) -> str:  # noqa: PLR0911  (one for each kind of node)
    """Write a tree with all its parentheses."""
    match node:
        case syntax.Number():
            return f"{node.value:g}" + (f"[{node.unit}]" if node.unit is not None else "")
        case syntax.Name():
            return node.name if node.owner is None else f"{node.owner}.{node.name}"
        case syntax.Text():
            return repr(node.value)
        case syntax.Boolean():
            return str(node.value)
        case syntax.Negative() | syntax.Not():
            return f"({type(node).__name__} {shown(node.part)})"
        case syntax.Arithmetic() | syntax.Comparison():
            return f"({shown(node.left)} {node.operator} {shown(node.right)})"
        case syntax.And() | syntax.Or():
            return f"({type(node).__name__} {' '.join(map(shown, node.parts))})"
        case syntax.ForAtLeast():
            return f"({shown(node.part)} for {node.duration_ns // MINUTE})"
        case syntax.WithinAfter():
            return f"({shown(node.part)} within {node.duration_ns // MINUTE} after {shown(node.earlier)})"
        case syntax.Related():
            return f"({node.subject} in {node.other} via {node.via} where {shown(node.condition)})"
        case syntax.Call():
            inside = ", ".join(map(shown, node.arguments)) + (
                "" if node.where is None else f" where {shown(node.where)}"
            )
            return f"{node.function}({inside})" + ("" if node.over_ns is None else f" over {node.over_ns // MINUTE}")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a > 1 and b > 2 or c > 3", "(Or (And (a > 1) (b > 2)) (c > 3))"),
        ("not a > 1 and b > 2", "(And (Not (a > 1)) (b > 2))"),
        ("not not a > 1", "(Not (Not (a > 1)))"),
        ("a and b and c", "(And a b c)"),
        ("(a and b) and c", "(And (And a b) c)"),
        ("a + b * c - d / e > -2", "(((a + (b * c)) - (d / e)) > -2)"),
        ("-a * b", "((Negative a) * b)"),
        ("a - -2 degC", "(a - -2[degC])"),
        ("a > +5", "(a > 5)"),
        ("(a + b) / 2", "((a + b) / 2)"),
        ("a > 8 degC for at least 15 min", "((a > 8[degC]) for 15)"),
        ("not a > 1 for at least 5min", "(Not ((a > 1) for 5))"),
        ("a > 1 for at least 1h and b > 2", "(And ((a > 1) for 60) (b > 2))"),
        ("a > 1 within 10 min after b > 2", "((a > 1) within 10 after (b > 2))"),
        ("a > 1 within 2 h after b > 2 for at least 1d", "(((a > 1) within 120 after (b > 2)) for 1440)"),
        ("a > 1 within 1h after (b > 2 or c > 3)", "((a > 1) within 60 after (Or (b > 2) (c > 3)))"),
        ("mean(a) over 15 min > 8", "(mean(a) over 15 > 8)"),
        ("mean(a over 15 min) > 8", "(mean(a) over 15 > 8)"),
        ("quantile(duration, 90 % where late)", "quantile(duration, 90[%] where late)"),
        ("count(leg where hub == EWR and late) / 3", "(count(leg where (And (hub == EWR) late)) / 3)"),
        ("rate(odometer) > 80 km/h", "(rate(odometer) > 80[km/h])"),
        ("parcel in truck where truck.t > 8 and x > 1", "(parcel in truck via None where (And (truck.t > 8) (x > 1)))"),
        ("a > 1 and (in truck via leg where t > 8) or b", "(Or (And (a > 1) (None in truck via leg where (t > 8))) b)"),
        ("in truck via within where t > 8", "(None in truck via within where (t > 8))"),
        ("door == open and true", "(And (door == open) True)"),
        ("mode == \"off\" or mode != 'a b'", "(Or (mode == 'off') (mode != 'a b'))"),
        ("mode == half open and a", "(And (mode == 'half open') a)"),
        ("mode != not started", "(mode != 'not started')"),
        ("`air temp` > 3", "(air temp > 3)"),
        ("over > 3 and after + 1 < b", "(And (over > 3) ((after + 1) < b))"),
        ("a\n  > 1\tand b", "(And (a > 1) b)"),
        # Units end where they are no longer known.
        ("a > 5 m / s", "(a > 5[m / s])"),
        ("a > 500 W m-2 or b", "(Or (a > 500[W m-2]) b)"),
        ("a > 3 W/(m²·K)", "(a > 3[W/(m²·K)])"),
        ("a > 3 1/h", "(a > 3[1/h])"),
        ("a > 5 m/length", "(a > (5[m] / length))"),
        ("10 km / distance", "(10[km] / distance)"),
        ("a > 5 in and b", "(And (a > 5[in]) b)"),
        ("a > 68 °F", "(a > 68[°F])"),
        ("a > 1e3 % or b", "(Or (a > 1000[%]) b)"),
        ("a > .5kW", "(a > 0.5[kW])"),
        ("a > 3 deg C and b", "(And (a > 3[deg C]) b)"),
    ],
)
def test_an_expression_has_this_tree(text: str, tree: str) -> None:
    assert shown(parse(text)) == tree


def test_columns_of_a_node_are_those_of_its_text() -> None:
    text = "  speed > 80 km/h and mean(fuel) over 1h < 3 L  "
    found = parse(text)
    assert isinstance(found, syntax.And)
    assert [text[slice(*part.at)] for part in found.parts] == ["speed > 80 km/h", "mean(fuel) over 1h < 3 L"]


@pytest.mark.parametrize(
    "text",
    ["(" * 101 + "a", "-" * 101 + "a", "not " * 101 + "a", "f(" * 101 + "a", "1" + "+1" * 101, "a in b where " * 101 + "c",
     "a" + " for at least 1h" * 101],
)  # fmt: skip
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="at most 100 levels"):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 99 + "a" + ")" * 99, "not " * 98 + "a", "1" + "+1" * 98])
def test_what_is_nested_less_deep_is_read(text: str) -> None:
    assert parse(text)


def test_many_conditions_in_a_row_arent_deep() -> None:
    found = parse(" and ".join(["a > 1"] * 1000))
    assert isinstance(found, syntax.And)
    assert len(found.parts) == 1000


def test_an_error_has_the_text_and_the_column() -> None:
    text = "temperature > 8 degC and and door == open"
    with pytest.raises(SchemaError) as caught:
        parse(text)
    assert isinstance(caught.value, ExpressionError)
    assert (caught.value.text, caught.value.column) == (text, 25)
    assert str(caught.value).splitlines()[1:] == [f"  {text}", "  " + " " * 25 + "^"]


def test_of_a_long_expression_a_message_shows_the_part_around_the_column() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("a > 1 and " * 500 + "?" + " and a > 1" * 100)
    shown_line, caret = str(caught.value).splitlines()[-2:]
    assert len(shown_line) < 120
    assert shown_line[caret.index("^")] == "?"


def test_an_expression_of_more_than_10_000_characters_is_refused() -> None:
    with pytest.raises(ExpressionError, match="at most 10,000 characters, got 10,001"):
        parse("a" * 10_001)
