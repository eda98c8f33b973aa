"""A spreadsheet for LibreOffice whose sheet is linked to a CSV address and refreshes itself."""

from __future__ import annotations

from twinlab._html import html

__all__ = ["linked_sheet"]

#: Comma, double quotes, UTF-8, from row 1; columns as they are (numbers and ISO dates), English (US) numbers.
_FILTER, _OPTIONS = "Text - txt - csv (StarCalc)", "44,34,76,1,,1033,false,true,false"
# Flat OpenDocument 1.3. The sheet is printed in landscape, fitted to the width of a page, with its first row on each.
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" \
xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" \
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" \
xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
<style:page-layout style:name="page"><style:page-layout-properties fo:page-width="29.7cm" fo:page-height="21cm" \
style:print-orientation="landscape" fo:margin="1.2cm" style:scale-to-X="1" style:scale-to-Y="0"/></style:page-layout>
<style:style style:name="sheet" style:family="table" style:master-page-name="Default"><style:table-properties table:display="true"/></style:style>
</office:automatic-styles>
<office:master-styles><style:master-page style:name="Default" style:page-layout-name="page"/></office:master-styles>
<office:body><office:spreadsheet>
<table:table table:name="Exceptions" table:style-name="sheet">
<table:table-source xlink:type="simple" xlink:href="{{ address }}" table:filter-name="{{ filter }}" \
table:filter-options="{{ options }}" table:mode="copy-results-only" table:refresh-delay="PT{{ seconds }}S"/>
<table:table-header-rows><table:table-row><table:table-cell office:value-type="string"><text:p>{{ first }}</text:p></table:table-cell>\
</table:table-row></table:table-header-rows>
</table:table>
</office:spreadsheet></office:body>
</office:document>
"""


def linked_sheet(address: str, *, seconds: int = 300) -> str:
    """Return a flat OpenDocument spreadsheet whose only sheet is linked to a CSV address; it has neither data nor a token.

    Parameters
    ----------
    address : str
        URL of the CSV.
    seconds : int
        Between two refreshes while the file is open.
    """
    text = html(
        _DOCUMENT, address=address, filter=_FILTER, options=_OPTIONS, seconds=seconds, first="Refresh the links of this file."
    )  # fmt: skip
    return str(text)
