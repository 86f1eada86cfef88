"""What the actions of ``series/`` return and refuse."""

from rest_framework import status

from nb_catalog.api.operations import RUN, Operation
from nb_catalog.api.plans import PLAN_REFUSALS
from nb_catalog.api.results import (
    AddedSerializer,
    ApprovedSerializer,
    MembersPageSerializer,
    OfferedVariantsSerializer,
    OrderedSerializer,
    PlanSerializer,
    PublicationResultSerializer,
    RemovedCountSerializer,
    RolledBackSerializer,
    StartedRunSerializer,
)
from nb_catalog.api.series_fields import ChangedLookSerializer, SeriesSerializer
from nb_catalog.exceptions import (
    FidelityRefused,
    InvalidTransition,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    PlanRefused,
    RequestRefused,
    StorageFailed,
)

LOOK_REFUSALS = (InvalidTransition, RequestRefused, PlanRefused, NotRegistered)
SERIES_OPERATIONS = {
    "retrieve": Operation(refuses=(NotRegistered,)),
    "create": Operation(
        returns=SeriesSerializer,
        status=status.HTTP_201_CREATED,
        refuses=(RequestRefused, PlanRefused, NotRegistered, InvalidTransition),
        location=("series-detail", "key"),
    ),
    "destroy": Operation(status=status.HTTP_204_NO_CONTENT, refuses=(NotRegistered,)),
    **dict.fromkeys(
        ("partial_update", "adopt_scene", "accept_successor", "take_sizes", "set_anchor"),
        Operation(returns=ChangedLookSerializer, refuses=LOOK_REFUSALS),
    ),
    "members": Operation(returns=MembersPageSerializer, refuses=(NotRegistered,)),
    "variants": Operation(returns=OfferedVariantsSerializer, refuses=(NotRegistered,)),
    **dict.fromkeys(
        ("add", "add_variants"), Operation(returns=AddedSerializer, refuses=LOOK_REFUSALS)
    ),
    "remove": Operation(returns=RemovedCountSerializer, refuses=LOOK_REFUSALS),
    "order": Operation(returns=OrderedSerializer, refuses=LOOK_REFUSALS),
    **dict.fromkeys(("plan", "trial"), Operation(returns=PlanSerializer, refuses=PLAN_REFUSALS)),
    "run": Operation(
        returns=StartedRunSerializer,
        status=status.HTTP_201_CREATED,
        refuses=PLAN_REFUSALS,
        once=True,
        location=RUN,
    ),
    "approve": Operation(returns=ApprovedSerializer, refuses=(NotRegistered,)),
    "publish": Operation(
        returns=PublicationResultSerializer,
        status=status.HTTP_201_CREATED,
        refuses=(*LOOK_REFUSALS, FidelityRefused, ObjectGone, PictureMissing, StorageFailed),
    ),
    "roll_back": Operation(
        returns=RolledBackSerializer, refuses=(*LOOK_REFUSALS, ObjectGone, StorageFailed)
    ),
}
