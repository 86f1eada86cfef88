"""Names of the sets of values that fields choose from.

drf-spectacular would name them after their fields, and several fields called ``state`` mean different things.
"""

from rest_framework import serializers

from nb_catalog.api.placements import OBJECT_STATES
from nb_catalog.core.event_types import EventType
from nb_catalog.core.states import BatchState, ImageState, JobState
from nb_catalog.core.types import SCENE_TREATMENTS, JobKind, PhotoKind, RequestMode, TextMethod
from nb_catalog.cutouts import previews
from nb_catalog.export.types import FORMATS
from nb_catalog.generation import ItemStatus, scene_files
from nb_catalog.generation.drawings import RATIOS
from nb_catalog.generation.progress import Cause, RunState
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.experiments import Arm
from nb_catalog.models.exports import ExportState
from nb_catalog.models.galleries import GalleryState
from nb_catalog.models.images import ImageKind
from nb_catalog.models.publications import PublicationKind, PublicationState
from nb_catalog.models.series import SeriesView
from nb_catalog.models.webhooks import DeliveryState
from nb_catalog.publishing.galleries.decisions import DECISIONS
from nb_catalog.review.decisions import ACTIONS
from nb_catalog.review.votes import Side

ENUMS = {
    "BatchState": BatchState,
    "CallOutcome": CallOutcome,
    "CatalogObjectState": OBJECT_STATES,
    "CutoutState": CutoutState,
    "ExperimentArm": Arm,
    "DecisionVerb": ACTIONS,
    "ExportFormat": FORMATS,
    "ExportState": ExportState,
    "GalleryDecision": DECISIONS,
    "GalleryState": GalleryState,
    "ImageKind": ImageKind,
    "ImageState": ImageState,
    "JobKind": JobKind,
    "JobState": JobState,
    "PhotoKind": PhotoKind,
    "PlanItemStatus": ItemStatus,
    "PlanStep": ("pictures", "texts"),
    "PreviewSide": previews.SIDES[:2],
    "PublicationKind": PublicationKind,
    "PublicationState": PublicationState,
    "PreviewRatio": tuple(RATIOS),
    "RequestMode": RequestMode,
    "RunState": RunState,
    "SeriesView": SeriesView,
    "SceneImportAction": scene_files.Action,
    "SceneCollision": scene_files.OnCollision,
    "TextMethod": TextMethod,
    "Treatment": SCENE_TREATMENTS,
    "VoteChoice": Side,
    "WebhookDeliveryState": DeliveryState,
    "WebhookEvent": EventType,
    "WaitCause": Cause,
}
_NAMES = {
    frozenset(getattr(value, "value", value) for value in values): name
    for name, values in ENUMS.items()
}


def enum_name(field: serializers.ChoiceField) -> str | None:
    """Return the name of the values that ``field`` chooses from; None if they have none."""
    return _NAMES.get(frozenset(value for value in field.choices if value != ""))
