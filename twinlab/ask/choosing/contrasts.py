"""Read what compares two assets or two times: "is R01 warmer than R02", "how many more flights in July than in June"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from twinlab.ask.parsing.frame import span_of
from twinlab.ask.parsing.items import Item
from twinlab.ask.parsing.vocabulary import Meaning
from twinlab.ask.plans.plan import AssetCall, Contrast, EventCall, KpiCall, SummaryCall

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.plans.plan import Call, Order, Span

__all__ = ["Compared", "contrast_of", "read_compared"]

_ABOVE = (">", "<", "> ", "< ")


@dataclass(frozen=True)
class Compared:
    """What a question compares.

    Parameters
    ----------
    asks : str
        Whether the first has more, which of the two has, or by how much they differ.
    direction : str or None
        More or less; None for a difference without a sign.
    versus : Span or None
        The second time; None if two assets are compared.
    """

    asks: Literal["whether", "which", "difference"]
    direction: Order | None
    versus: Span | None


def read_compared(frame: Frame, versus: Span | None) -> Compared | None:
    """Read and use a comparative, or "the difference between", if there are two times or two assets that it can be about.

    ``versus`` is the second time if it was read already. The comparative becomes the superlative of the same thing: "warmer" asks for the temperature.
    """
    place, symbol = _comparative(frame)
    if place is None or not (versus is not None or len(frame.whens) == 2 or _two_assets(frame)):
        return None
    items = frame.items
    before = place - 1
    while before >= 0 and items[before].symbol("filler"):
        before -= 1
    than = symbol[:1] in "<>" or versus is not None or items.has("versus")
    difference = symbol == "difference" or items.is_symbol(before, "how_much", "count", "sum") is not None
    if difference and items.is_symbol(before, "how_much", "sum"):
        items.use(before)
    items.take("versus")
    which = not than or items.has("which", "which_of")
    direction = _direction(symbol)
    if symbol == "difference":
        items.use(place)
    else:
        items.all[place] = Item(items[place].text, items[place].kind, [Meaning("symbol", _superlative(symbol))])
    frame.compared = True
    if versus is None and len(frame.whens) == 2:
        versus = span_of(frame.whens.pop())
    return Compared("difference" if difference else "which" if which else "whether", direction, versus)


def _comparative(frame: Frame) -> tuple[int | None, str]:
    items = frame.items
    for place in range(len(items)):
        symbol = items.is_symbol(place, "comparative ", "difference")
        if symbol is not None:
            return place, symbol
        symbol = items.is_symbol(place, *_ABOVE)
        if symbol is not None:
            after = place + 1
            while items.is_symbol(after, "filler", "at", "from", "to", "during"):
                after += 1
            timed = len(frame.whens) == 2 and after < len(items) and items[after].used
            if timed or (items.free(after) and items[after].of_kind("asset")):
                return place, symbol
    return None, ""


def _two_assets(frame: Frame) -> bool:
    """Return whether two assets of one type are named, and no more."""
    types = [{one.of for one in found} for _, found in frame.assets]
    return any(sum(kind in some for some in types) == 2 for kind in set().union(*types)) if types else False


def _direction(symbol: str) -> Order | None:
    if symbol == "difference":
        return None
    lower = symbol.startswith(("<", "comparative lowest", "comparative worst"))
    return "lowest" if lower else "highest"


def _superlative(symbol: str) -> str:
    if symbol.startswith("comparative "):
        return symbol.removeprefix("comparative ")
    sign, _, hint = symbol.partition(" ")
    return f"{'highest' if sign == '>' else 'lowest'} {hint}".strip()


def contrast_of(frame: Frame, compared: Compared, call: Call) -> tuple[Call, Contrast]:
    """Return a call that gives both numbers, and what is asked of them.

    Raises
    ------
    NotUnderstoodError
        If the call doesn't have two numbers.
    """
    if not isinstance(call, SummaryCall | EventCall | KpiCall | AssetCall):
        frame.refuse("no_contrast")
    direction = compared.direction
    if isinstance(call, KpiCall) and call.order is not None:
        # "Better" is what the target says.
        direction = call.order
    first = second = None
    if compared.versus is None:
        named = call.assets if isinstance(call, SummaryCall | AssetCall) else call.groups
        if named is None or len(named) != 2:
            frame.refuse("no_contrast")
        first, second = named
    changes: dict[str, object] = {"top": None}
    if direction is not None or compared.versus is not None:
        changes["order"] = None
    call = call.model_copy(update=changes)
    return call, Contrast(asks=compared.asks, direction=direction, first=first, second=second)
