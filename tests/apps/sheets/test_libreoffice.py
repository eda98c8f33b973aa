"""LibreOffice fetches the linked sheet, as its user does with Edit, Links, Update.

The server has no logins here: nobody can answer LibreOffice when it asks for name and token, and it takes none from an address.
"""

import csv
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.apps.login.web import Web
from tests.apps.sheets.test_sheets import warm_rooms
from twinlab.apps import start

#: Opens a document, refreshes its links and writes it as CSV and as PDF; an error is written to a file.
MACRO = """Sub Main
  On Error Goto Failed
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden"
  hidden(0).Value = True
  doc = StarDesktop.loadComponentFromURL("{folder}/linked.fods", "_blank", 0, hidden())
  For place = 0 To doc.SheetLinks.Count - 1
    doc.SheetLinks.getByIndex(place).refresh()
  Next
  Dim how(0) As New com.sun.star.beans.PropertyValue
  how(0).Name = "FilterName"
  how(0).Value = "Text - txt - csv (StarCalc)"
  doc.storeToURL("{folder}/out.csv", how())
  how(0).Value = "calc_pdf_Export"
  doc.storeToURL("{folder}/out.pdf", how())
  doc.close(True)
  Exit Sub
Failed:
  place = FreeFile
  Open "{path}/error.txt" For Output As #place
  Print #place, Error
  Close #place
End Sub"""
MODULE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">\n'
    '<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic">'
    "{code}</script:module>"
)


@pytest.fixture(scope="module")
def refreshed(need, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with what LibreOffice has written after it refreshed the links."""
    office, folder = need("soffice"), tmp_path_factory.mktemp("office")
    twin = warm_rooms(folder / "twin" / "cold")
    profile = folder / "profile"
    command = [str(office), "--headless", f"-env:UserInstallation={profile.as_uri()}"]
    # Its first start writes the profile, macros included.
    subprocess.run([*command, "--terminate_after_init"], check=True, capture_output=True, timeout=120)
    code = MACRO.format(folder=folder.as_uri(), path=folder)
    module = profile / "user" / "basic" / "Standard" / "Module1.xba"
    module.write_text(MODULE.format(code=escape(code)), encoding="utf-8")
    served = start(twin)
    try:
        template = Web(served.url).ask("/sheets/exceptions.fods").text
        (folder / "linked.fods").write_text(template, encoding="utf-8")
        subprocess.run([*command, "macro:///Standard.Module1.Main"], check=True, capture_output=True, timeout=120)
    finally:
        served.stop()
    assert not (folder / "error.txt").exists(), (folder / "error.txt").read_text(encoding="utf-8")
    return folder


def test_the_linked_sheet_has_the_rows_of_the_twin(refreshed: Path) -> None:
    with (refreshed / "out.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["Asset"], row["Value"], row["Unit"]) for row in found] == [("N1", "9", "degC"), ("S1", "9", "degC")]
    # A time for LibreOffice, too, not a text: it shows it in its own way.
    assert found[0]["Since (UTC)"].startswith(("2026-03-01 00:00", "03/01/2026", "03/01/26"))


def test_it_is_printed_in_landscape(refreshed: Path) -> None:
    # A4, in points.
    assert b"/MediaBox[0 0 841" in (refreshed / "out.pdf").read_bytes().replace(b"/MediaBox [", b"/MediaBox[")
