"""`glossary`: find a term by any of its words."""

from __future__ import annotations

from collections.abc import Iterator

from twinlab._html import html
from twinlab.errors import UnknownTermError
from twinlab.languages import tr
from twinlab.model.glossary.terms import Term, all_terms
from twinlab.model.terms import nearest

__all__ = ["Glossary", "glossary"]


class Glossary:
    """Terms of the glossary; a notebook shows them as a table."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.terms = terms

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __repr__(self) -> str:
        return "\n".join(line for term in self.terms for line in _lines(term))

    def _repr_html_(self) -> str:
        return str(
            html(
                '<table class="twinlab-glossary"><thead><tr>{% for one in heads %}<th scope="col" style="text-align:left">{{ one }}</th>{% endfor %}</tr></thead>'
                '<tbody>{% for one in terms %}<tr><th scope="row" style="text-align:left">{{ one.term }}</th>'
                "{% for text in (one.meaning, one.ot, one.it, one.de) %}<td style='text-align:left'>{{ text }}</td>{% endfor %}</tr>{% endfor %}"
                "</tbody></table>",
                heads=(tr("Term"), tr("Meaning"), tr("In the plant (OT)"), tr("In IT"), tr("In German")),
                terms=self.terms,
            )
        )


def _lines(term: Term) -> list[str]:
    sides = (("OT", term.ot), ("IT", term.it), ("German", term.de), ("from", term.origin), ("not used", term.unused))
    return [f"{term.term}: {term.meaning}", *(f"  {name:9}{text}" for name, text in sides if text)]


def glossary(word: str | None = None, /) -> Glossary:
    """Return what the kit calls something, and what the plant's side, IT and Germans call it.

    Parameters
    ----------
    word : str, optional
        A word of the kit, of either side, or a German one; all terms by default.

    Returns
    -------
    Glossary
        The terms with that word, best match first.

    Raises
    ------
    UnknownTermError
        If no term has it; names the nearest words.

    Examples
    --------
    >>> import twinlab as tl
    >>> [term.term for term in tl.glossary("Sollwert")]
    ['setpoint, reported']
    >>> tl.glossary("topic")
    tag: the name of a value in its source
      OT       tag, point, data point, register, node
      IT       topic, column, field, key
      German   Messstelle, Datenpunkt
      from     SCADA, Sparkplug
      not used channel
    """
    terms = all_terms()
    if word is None:
        return Glossary(terms)
    asked = word.strip().casefold()
    names = {term: [name.casefold() for name in term.names] for term in terms}
    own = [term for term in terms if asked in (one.strip().casefold() for one in term.term.split(","))]
    exact = [term for term in terms if asked in names[term] and term not in own]
    # "scan" finds "scan rate"; a word inside another one isn't meant.
    part = [] if own or exact else [term for term in terms if any(asked in name.split() for name in names[term])]
    found = (*own, *exact, *part)
    if not asked or not found:
        known = [name for term in terms for name in term.names]
        msg = f"the glossary doesn't have {word!r}{nearest(asked, known, count=3)}"
        raise UnknownTermError(msg)
    return Glossary(found)
