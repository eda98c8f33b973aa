"""The Security page: intrusions with their evidence, gateways with their keys, quarantined messages, and who read personal data.

In: a twin with security events. Out: a verdict, tables, and decisions of a person on quarantined messages.
Read in order: `twins` (what the page needs of a twin), `texts` (what tables mean, in words), `panels` (a table with a heading, an event with
its evidence), `messages` (release and discard), `page`.
Never: a decision that nobody signed with a name; a key's private half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.security.twins import has_security
from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.security.page import SecurityView  # noqa: PLC0415  (imported when first opened)

    return SecurityView


PAGE = PageSpec("security", mark("Security"), "shield", _load, has=has_security, roles=("security",))
