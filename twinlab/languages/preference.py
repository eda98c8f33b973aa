"""The language that a browser asks for."""

from __future__ import annotations

from twinlab.languages.catalogue import available

__all__ = ["preferred_language"]


def preferred_language(accepted: str) -> str:
    """Return the available language that a browser prefers; "" if it names none of them.

    Parameters
    ----------
    accepted : str
        Header ``Accept-Language`` (RFC 9110, section 12.5.4).

    >>> preferred_language("fr-CH, de;q=0.8, en;q=0.7"), preferred_language("fr")
    ('de', '')
    """
    known = available()
    asked = [part.partition(";q=") for part in accepted.replace(" ", "").lower().split(",") if part]
    for name, _, _ in sorted(asked, key=lambda part: -_weight(part[2])):
        language = name.partition("-")[0]
        if language in known:
            return language
    return ""


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
