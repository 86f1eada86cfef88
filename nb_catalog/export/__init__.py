"""Export: approved and published pictures as a ZIP for other systems and sales channels."""

from nb_catalog.export.archive import (
    CheckedFile,
    ExportReport,
    LeftOut,
    checked_files,
    write_archive,
)
from nb_catalog.export.planning import ExportPlan, plan_export
from nb_catalog.export.selection import chosen, published
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
    "checked_files",
    "chosen",
    "plan_export",
    "published",
    "write_archive",
]
