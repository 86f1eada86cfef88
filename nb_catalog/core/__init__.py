"""Values, state tables, locales and text helpers. Imports no Django models."""

from nb_catalog.core.locales import format_value
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.core.types import (
    BatchItem,
    BatchLimits,
    BatchReport,
    ImageRequest,
    ImageResult,
    Lane,
    Money,
    Payload,
    Permission,
    Photo,
    RawAnswer,
    Reference,
    RequestMode,
    Size,
    TextMethod,
    Treatment,
)

__all__ = [
    "BatchItem",
    "BatchLimits",
    "BatchReport",
    "ImageRequest",
    "ImageResult",
    "ImageState",
    "JobState",
    "Lane",
    "Money",
    "Payload",
    "Permission",
    "Photo",
    "RawAnswer",
    "Reference",
    "RequestMode",
    "Size",
    "TextMethod",
    "Treatment",
    "format_value",
]
