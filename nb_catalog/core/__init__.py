"""Values, state tables, locales and text helpers. Imports no Django models."""

from nb_catalog.core.locales import format_value
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import (
    Money,
    Permission,
    Photo,
    Reference,
    RequestMode,
    Size,
    TextMethod,
    Treatment,
    Variant,
)

__all__ = [
    "ImageState",
    "JobState",
    "Money",
    "Permission",
    "Photo",
    "Reference",
    "RequestMode",
    "Size",
    "TextMethod",
    "Treatment",
    "Variant",
    "format_value",
]
