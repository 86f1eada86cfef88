"""Export: approved and published pictures as a ZIP for other systems and sales channels."""

from nb_catalog.export.archive import (
    CheckedFile,
    ExportReport,
    LeftOut,
    checked_files,
    write_archive,
)
from nb_catalog.export.background import request_export
from nb_catalog.export.planning import ExportPlan, plan_export
from nb_catalog.export.selection import approved, chosen, published
from nb_catalog.export.types import ExportedPicture, ExportOptions, Finding, Level

__all__ = [
    "CheckedFile",
    "ExportOptions",
    "ExportPlan",
    "ExportReport",
    "ExportedPicture",
    "Finding",
    "Level",
    "LeftOut",
    "approved",
    "checked_files",
    "chosen",
    "plan_export",
    "published",
    "request_export",
    "write_archive",
]
