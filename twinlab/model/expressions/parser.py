"""Text of an expression -> syntax tree, by recursive descent with one table of operators.

From the loosest to the tightest: or, and, not, ``for at least`` and ``within … after``, comparison, + and -, * and /,
minus. A relation's ``where`` takes everything that follows it, up to the closing parenthesis.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import NoReturn, TypeVar

from twinlab.errors import UnitError
from twinlab.model.basics import NANOSECONDS
from twinlab.model.expressions import syntax
from twinlab.model.expressions.faults import fault
from twinlab.model.expressions.syntax import Node
from twinlab.model.expressions.tokens import KEYWORDS, Token, tokens_of
from twinlab.model.units import canonical_unit

__all__ = ["DEEPEST", "parse"]

#: How deep an expression may be nested, by parentheses or in its tree.
DEEPEST = 100

_OR, _AND, _NOT, _TIMED, _COMPARISON, _SUM, _PRODUCT, _MINUS = range(1, 9)
_LEVELS = {"or": _OR, "and": _AND, "for": _TIMED, "within": _TIMED}
_LEVELS |= dict.fromkeys(syntax.COMPARISONS, _COMPARISON) | {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}
_LONGEST_DURATION = 2**62
#: Two operators in a row that mean something in other languages.
_DOUBLED = {"<>": "to compare, write !=", "**": "write a product such as a * a", "//": "write one /"}
_NodeT = TypeVar("_NodeT", bound=Node)


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    Parameters
    ----------
    text : str
        At most 10,000 characters, nested at most 100 deep.

    Raises
    ------
    SchemaError
        If it can't be read. The message shows the expression with a caret below the column; `text` and `column` are
        attributes of the error.

    >>> tree = parse("temperature > 8 degC")
    >>> tree.operator, tree.left.name, tree.right.value, tree.right.unit
    ('>', 'temperature', 8.0, 'degC')
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.next = 0
        self.nested = 0
        # By id of a node: how deep its tree is. All nodes live as long as the parser.
        self.depths: dict[int, tuple[Node, int]] = {}

    # -- tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def ahead(self, count: int = 1) -> Token:
        return self.tokens[min(self.next + count, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self.next = min(self.next + 1, len(self.tokens) - 1)
        return token

    @staticmethod
    def is_(token: Token, *words: str) -> bool:
        return token.kind in ("name", "operator") and token.plain and token.text in words

    def wanted(self, word: str, what: str) -> Token:
        if not self.is_(self.token, word):
            self.fail(f"expected {what}, got {self.token}")
        return self.take()

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        raise fault(self.text, (token or self.token).at[0], message)

    # -- nodes

    def made(self, node: _NodeT, *parts: Node) -> _NodeT:
        depth = 1 + max((self.depths[id(part)][1] for part in parts), default=0)
        if depth > DEEPEST:
            raise fault(self.text, node.at[0], _too_deep())
        self.depths[id(node)] = (node, depth)
        return node

    def whole(self) -> Node:
        if not self.tokens[1:]:
            self.fail("expected an expression such as 'temperature > 8 degC', got an empty text; write a condition")
        found = self.expression(_OR)
        if self.token.kind != "end":
            self.fail(self.trailing(found))
        return found

    def trailing(self, found: Node) -> str:
        token = self.token
        if self.is_(token, ")"):
            return "expected the end, got ')' without an opening parenthesis; remove it, or add ( before"
        if self.is_(token, *syntax.COMPARISONS):
            return self.second_comparison(found)
        before = self.tokens[self.next - 1]
        if self.is_(token, ",") and before.kind == "number" and self.ahead().kind == "number":
            return f"expected and, or, or the end, got ','; write a full stop in a number, as in {before.text}.{self.ahead().text}"
        if isinstance(found, syntax.Name) and nearest_keyword(found.name) == "not":
            return f"expected a comparison, got {token} after '{found.name}'; did you mean 'not'?"
        word = nearest_keyword(token.text) if token.kind == "name" else ""
        wrote = f"; did you mean '{word}'?" if word else "; write and, or, or an operator between two parts"
        what = (
            "a comparison such as 'temperature > 8 degC'" if isinstance(found, syntax.Name) else "and, or, or the end"
        )
        return f"expected {what}, got {token}{wrote}"

    def second_comparison(self, left: Node) -> str:
        token = self.token
        if not isinstance(left, syntax.Comparison):
            return f"expected a comparison of two values, got {token} after a condition; join conditions by and"
        first, middle = (self.text[slice(*part.at)] for part in (left, left.right))
        return (
            f"expected one comparison, got a second one; write "
            f"'{_short(first)} and {_short(middle)} {token.text} {_short(self.ahead().text)}'"
        )

    def expression(self, least: int) -> Node:
        """Read an expression whose operators bind at least as tightly as a level."""
        left = self.prefix(least)
        while (level := self.level()) >= least:
            left = self.joined(left, level)
        return left

    def level(self) -> int:
        token = self.token
        return _LEVELS.get(token.text, 0) if token.kind in ("name", "operator") and token.plain else 0

    def joined(self, left: Node, level: int) -> Node:
        word = self.token.text
        if level in (_OR, _AND):
            return self.joined_conditions(left, level, word)
        if level == _TIMED:
            return self.for_at_least(left) if word == "for" else self.within_after(left)
        if level == _COMPARISON and isinstance(left, syntax.Comparison) and not self.parenthesised():
            self.fail(self.second_comparison(left))
        self.take()
        right = self.states_of_words(word) or self.expression(level + 1)
        at = (left.at[0], self.stop())
        if level == _COMPARISON:
            operator = next(each for each in syntax.COMPARISONS if each == word)
            return self.made(syntax.Comparison(at, operator, left, right), left, right)
        sign = next(each for each in syntax.ARITHMETIC if each == word)
        return self.made(syntax.Arithmetic(at, sign, left, right), left, right)

    def parenthesised(self) -> bool:
        return self.is_(self.tokens[self.next - 1], ")")

    def stop(self) -> int:
        return self.tokens[self.next - 1].at[1]

    def joined_conditions(self, left: Node, level: int, word: str) -> Node:
        parts = [left]
        while self.is_(self.token, word):
            self.take()
            parts.append(self.expression(level + 1))
        at = (left.at[0], self.stop())
        node = syntax.And(at, tuple(parts)) if word == "and" else syntax.Or(at, tuple(parts))
        return self.made(node, *parts)

    def states_of_words(self, operator: str) -> Node | None:
        """Read several words after == or !=, such as the name of the state ``half open`` or ``not started``."""
        if operator not in ("==", "!="):
            return None
        count = 0
        while self.ahead(count).kind == "name" and self.ahead(count).text.casefold() not in KEYWORDS - {"not"}:
            count += 1
        if count < 2 or self.is_(self.ahead(1), "in"):
            return None
        words = [self.take() for _ in range(count)]
        at = (words[0].at[0], words[-1].at[1])
        return self.made(syntax.Text(at, " ".join(word.text for word in words)))

    def for_at_least(self, left: Node) -> Node:
        self.take()
        self.wanted("at", "'for at least' and a duration such as 10 min")
        self.wanted("least", "'for at least' and a duration such as 10 min")
        duration = self.duration("for at least")
        return self.made(syntax.ForAtLeast((left.at[0], self.stop()), left, duration), left)

    def within_after(self, left: Node) -> Node:
        self.take()
        duration = self.duration("within")
        self.wanted("after", "'after' and a condition, as in 'a > 1 within 10 min after b > 2'")
        earlier = self.expression(_COMPARISON)
        return self.made(syntax.WithinAfter((left.at[0], self.stop()), left, duration, earlier), left, earlier)

    def duration(self, after: str) -> int:
        token = self.take() if self.token.kind == "number" else self.token
        if token.kind != "number" or token.unit is None:
            msg = f"expected a duration such as 10 min, 2h or 1d after '{after}', got {token}"
            self.fail(msg, token)
        try:
            unit = canonical_unit(token.unit)
        except UnitError:
            unit = token.unit
        if unit not in NANOSECONDS:
            msg = f"expected a duration in ms, s, min, h or d after '{after}', got {token}; write such as 10 min"
            self.fail(msg, token)
        found = round(token.number * NANOSECONDS[unit])
        if not 0 < found < _LONGEST_DURATION:
            msg = f"expected a duration longer than zero and shorter than a century after '{after}', got {token}"
            self.fail(msg, token)
        return found

    # -- what an expression begins with

    def prefix(self, least: int) -> Node:
        self.nested += 1
        if self.nested > DEEPEST:
            self.fail(_too_deep())
        found = self.beginning(least)
        self.nested -= 1
        return found

    def beginning(self, least: int) -> Node:
        token = self.token
        if token.kind == "number":
            return self.number(self.take(), token.at[0], 1.0)
        if token.kind == "text":
            return self.made(syntax.Text(self.take().at, token.text))
        if self.is_(token, "-", "+"):
            return self.signed(self.take())
        if self.is_(token, "("):
            self.take()
            inner = self.expression(_OR)
            self.wanted(")", f"')' to close the parenthesis at column {token.at[0] + 1}")
            return inner
        if self.is_(token, "not") and least <= _NOT:
            self.take()
            part = self.expression(_NOT)
            return self.made(syntax.Not((token.at[0], self.stop()), part), part)
        if token.kind == "name" and self.may_be_name(token):
            return self.named()
        raise fault(self.text, token.at[0], self.no_value(token))

    def no_value(self, token: Token) -> str:
        before = f" after {self.tokens[self.next - 1]}" if self.next else ""
        if self.is_(token, "not"):
            return f"expected a value{before}, got 'not', which belongs before a condition; put 'not (…)' around the comparison"
        doubled = _DOUBLED.get(self.tokens[self.next - 1].text + token.text) if self.next else None
        if doubled is not None:
            return f"expected a value{before}, got {token}; {doubled}"
        return f"expected a value{before}, got {token}; write a name, a number with its unit, or a parenthesis"

    def may_be_name(self, token: Token) -> bool:
        if not token.plain or token.text not in KEYWORDS:
            return True
        # A signal may be called "over" or "after"; it is one where no other meaning is possible.
        after = self.ahead()
        return token.text not in ("and", "or", "not") and self.is_(after, *syntax.COMPARISONS, *syntax.ARITHMETIC)

    def number(self, token: Token, first: int, sign: float) -> Node:
        return self.made(syntax.Number((first, token.at[1]), sign * token.number, token.unit))

    def signed(self, sign: Token) -> Node:
        if self.token.kind == "number":
            return self.number(self.take(), sign.at[0], -1.0 if sign.text == "-" else 1.0)
        part = self.expression(_MINUS)
        if sign.text == "+":
            return part
        return self.made(syntax.Negative((sign.at[0], self.stop()), part), part)

    def named(self) -> Node:
        token = self.token
        if self.is_(token, "in") and self.ahead().kind == "name":
            return self.related(None)
        self.take()
        if self.is_(token, "true", "false"):
            return self.made(syntax.Boolean(token.at, token.text == "true"))
        if self.is_(self.token, "("):
            return self.call(token)
        if self.is_(self.token, "in"):
            return self.related(token)
        if not self.is_(self.token, "."):
            return self.made(syntax.Name(token.at, token.text))
        self.take()
        if self.token.kind != "name":
            self.fail(f"expected a name after '{token.text}.', got {self.token}; write such as truck.temperature")
        return self.made(syntax.Name((token.at[0], self.token.at[1]), self.take().text, token.text))

    def related(self, subject: Token | None) -> Node:
        word = self.take()
        first = word if subject is None else subject
        other = self.name("an asset type after 'in', as in 'parcel in truck where truck.temperature > 8 degC'")
        via = None
        if self.is_(self.token, "via"):
            self.take()
            via = self.name("a relationship or an event type after 'via'").text
        self.wanted("where", f"'where' and a condition of {other.text}, as in 'in truck where truck.speed > 80 km/h'")
        condition = self.expression(_OR)
        at = (first.at[0], self.stop())
        name = None if subject is None else subject.text
        return self.made(syntax.Related(at, name, other.text, via, condition), condition)

    def name(self, what: str) -> Token:
        if self.token.kind != "name" or self.is_(self.token, "and", "or", "not", "where"):
            self.fail(f"expected {what}, got {self.token}")
        return self.take()

    def call(self, function: Token) -> Node:
        opening = self.take()
        arguments: list[Node] = []
        where: Node | None = None
        over: int | None = None
        while True:
            arguments.append(self.expression(_OR))
            if self.is_(self.token, "over"):
                over = self.over(over)
            if not self.is_(self.token, ","):
                break
            self.take()
        if self.is_(self.token, "where"):
            self.take()
            where = self.expression(_OR)
        self.wanted(")", f"',' or ')' to close the parenthesis of {function.text}( at column {opening.at[0] + 1}")
        if self.is_(self.token, "over"):
            over = self.over(over)
        parts = [*arguments, *([] if where is None else [where])]
        at = (function.at[0], self.stop())
        return self.made(syntax.Call(at, function.text, tuple(arguments), where, over), *parts)

    def over(self, stated: int | None) -> int:
        token = self.take()
        if stated is not None:
            self.fail("expected one duration of a function, got a second 'over'; remove one", token)
        return self.duration("over")


def nearest_keyword(word: str) -> str:
    """Return the keyword that a word is probably meant to be; "" if none is near.

    >>> nearest_keyword("AND"), nearest_keyword("temperature")
    ('and', '')
    """
    if word in KEYWORDS:
        return ""
    words = {*KEYWORDS, "in"}
    if word.casefold() in words:
        return word.casefold()
    # Shorter words are near to many names.
    close = get_close_matches(word.casefold(), words, n=1, cutoff=0.75) if len(word) > 3 else []
    return close[0] if close else ""


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"


def _too_deep() -> str:
    return (
        f"expected at most {DEEPEST} levels of parentheses and operators, got more; split the expression, or write fewer "
        "operators in a row"
    )
