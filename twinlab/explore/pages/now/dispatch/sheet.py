"""The dispatcher's sheet: exceptions go out as a workbook, notes and acknowledgements typed there come back."""

from __future__ import annotations

from twinlab.explore.pages.now.dispatch.reading import RefusedRow, SheetChange, SheetChanges, apply_changes, read_sheet
from twinlab.explore.pages.now.dispatch.writing import write_sheet

__all__ = ["RefusedRow", "SheetChange", "SheetChanges", "apply_changes", "read_sheet", "write_sheet"]
