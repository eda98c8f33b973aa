"""The dispatcher's sheet: exceptions go out as a workbook, notes and acknowledgements typed there come back."""

from __future__ import annotations

from twinlab.explore.dispatch_return import RefusedRow, SheetChange, SheetChanges, apply_changes, read_sheet
from twinlab.explore.dispatch_writing import write_sheet

__all__ = ["RefusedRow", "SheetChange", "SheetChanges", "apply_changes", "read_sheet", "write_sheet"]
