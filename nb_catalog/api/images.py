"""``images/``: generated pictures, review decisions and publishing."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import live, publishing, review
from nb_catalog.api import idempotency
from nb_catalog.api.alt_texts import (
    ALT_OPERATIONS,
    ALT_PERMISSIONS,
    ALT_SERIALIZERS,
    AltTextActions,
)
from nb_catalog.api.comments import (
    COMMENT_OPERATIONS,
    COMMENT_PERMISSIONS,
    COMMENT_SERIALIZERS,
    CommentActions,
)
from nb_catalog.api.drawings import THUMBNAIL, ImagePictures, ThumbnailField, ThumbnailQuery
from nb_catalog.api.edits import EDIT_OPERATIONS, EDIT_PERMISSIONS, EDIT_SERIALIZERS, EditActions
from nb_catalog.api.events import EVENTS, EventsMixin
from nb_catalog.api.fields import CatalogObjectFilter, CatalogObjectSerializer, NoBodySerializer
from nb_catalog.api.finals import EscalateSerializer, labels_of, options_of
from nb_catalog.api.history import HistorySerializer
from nb_catalog.api.jobs import SpecField
from nb_catalog.api.operations import RUN, Operation
from nb_catalog.api.placements import PlacementSerializer, PublishedSerializer, placement_context
from nb_catalog.api.results import (
    MaybeStartedRunSerializer,
    StartedRunSerializer,
)
from nb_catalog.api.run_notices import inform_if_asked
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import IMAGE_TRANSITIONS, ImageState
from nb_catalog.core.types import OWN_PHOTO
from nb_catalog.exceptions import (
    FidelityRefused,
    InvalidTransition,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    PlanRefused,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind
from nb_catalog.publishing import placements

# What pictures are made from on the way.
NOT_PICTURES = (ImageKind.BACKDROP, ImageKind.UNFRAMED, ImageKind.UNMERGED)
DECISIONS = ("approve", "reject", "reconsider", "retire", "restore")


class PlaceSerializer(serializers.Serializer):
    """Where an image is published."""

    placement = serializers.IntegerField(source="pk")
    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()


class ImageSerializer(CatalogObjectSerializer):
    """A generated picture; sizes in pixels, ``url`` is the original file."""

    job = serializers.IntegerField(source="job_id", allow_null=True)
    run = serializers.IntegerField(source="job.run_id", default=None, allow_null=True)
    parent = serializers.IntegerField(source="parent_id", allow_null=True)
    draft = serializers.IntegerField(source="draft_id", allow_null=True)
    kind = serializers.ChoiceField(choices=ImageKind.choices)
    state = serializers.ChoiceField(choices=ImageState.choices)
    decisions = serializers.SerializerMethodField()
    scene = serializers.CharField()
    tier = serializers.CharField()
    thumbnail = ThumbnailField("image")
    url = serializers.CharField(source="file.url")
    mime_type = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    byte_size = serializers.IntegerField()
    sha256 = serializers.CharField()
    spec = SpecField()
    checks = serializers.JSONField()
    digital_source_type = serializers.CharField()
    created_at = serializers.DateTimeField()
    published_in = PlaceSerializer(source="placements.all", many=True)

    def get_decisions(self, image) -> list[str]:
        """Return the review decisions that are possible now."""
        return [name for name in DECISIONS if image.state in IMAGE_TRANSITIONS[name].sources]


class ReviewEventSerializer(serializers.Serializer):
    """One review decision."""

    move = serializers.CharField()
    state = serializers.ChoiceField(choices=ImageState.choices)
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    note = serializers.CharField()
    at = serializers.DateTimeField()


class RenditionSerializer(serializers.Serializer):
    """A smaller file of a picture, which was made when it was published; the narrowest is a thumbnail."""

    url = serializers.CharField(source="file.url")
    format = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ImageDetailSerializer(ImageSerializer):
    provenance = serializers.JSONField()
    history = ReviewEventSerializer(source="review_events.all", many=True)
    alt = serializers.SerializerMethodField()
    renditions = serializers.SerializerMethodField()

    def get_renditions(self, image) -> RenditionSerializer(many=True):
        rows = image.renditions.order_by("format", "width")
        return RenditionSerializer(rows, many=True).data

    def get_alt(self, image) -> dict[str, str]:
        """Return the alternative texts written by people, by locale."""
        return {each.locale: each.text for each in image.alts.all()}


class ImageFilterSerializer(CatalogObjectFilter):
    """Query string ``?state=pending&slot=hero&run=7&scene=marble``, and by object.

    ``slot`` finds images published there, ``scene=@photo`` the objects' own photos. Backgrounds without
    the product, and others that pictures were made from, are listed only with their ``kind``.
    """

    state = serializers.MultipleChoiceField(required=False, choices=ImageState.choices)
    kind = serializers.ChoiceField(default=ImageKind.PICTURE, choices=ImageKind.choices)
    slot = serializers.CharField(required=False)
    scene = serializers.CharField(required=False)
    run = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if query["kind"] == ImageKind.PICTURE:
            # Not as a condition that an index could serve: most rows are pictures, and SQLite without
            # statistics would read them all and sort them.
            queryset = queryset.exclude(kind__in=NOT_PICTURES)
        else:
            queryset = queryset.filter(kind=query["kind"])
        if query.get("state"):
            queryset = queryset.filter(state__in=query["state"])
        if "slot" in query:
            # Not a join: an image published in two languages of a slot must appear once.
            published = ProductImage.objects.filter(placements__slot=query["slot"])
            queryset = queryset.filter(pk__in=published.values("pk"))
        if "scene" in query:
            scene = "" if query["scene"] == OWN_PHOTO else query["scene"]
            queryset = queryset.filter(scene=scene)
        return queryset.filter(job__run=query["run"]) if "run" in query else queryset


class NoteSerializer(serializers.Serializer):
    note = serializers.CharField(default="", allow_blank=True, max_length=2000)


class PublishSerializer(serializers.Serializer):
    """Where to publish. An empty ``locale`` serves every language."""

    slot = serializers.CharField(max_length=40, help_text=_("One of the model's slots."))
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)
    reason = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=2000,
        help_text=_("Why a picture is published whose product differs from its photo."),
    )


class PublishFinalSerializer(serializers.Serializer):
    """The places are those of the draft."""

    reason = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=2000,
        help_text=_("Why a picture is published whose product differs from its photo."),
    )


class PictureEventsQuery(serializers.Serializer):
    """Query string ``?series=autumn``: only pictures of that series."""

    series = serializers.CharField(max_length=60, default="")


class PublishedFinalSerializer(serializers.Serializer):
    """Places that show the final now, get it with their text, and keep an edit by a model."""

    published = PlaceSerializer(many=True)
    waiting = PlaceSerializer(many=True)
    staying = PlaceSerializer(many=True)


PUBLISH_REFUSALS = (
    InvalidTransition, FidelityRefused, RequestRefused, NotRegistered, ObjectGone, PictureMissing,
    PictureUnreadable, PictureTooLarge, StorageFailed,
)  # fmt: skip
START_REFUSALS = (
    InvalidTransition, RequestRefused, PlanRefused, NotRegistered, ObjectGone, PictureMissing, StorageFailed,
)  # fmt: skip


class ImageViewSet(
    EventsMixin, ImagePictures, AltTextActions, EditActions, CommentActions, CatalogReadViewSet
):
    """Pictures. Filter by ``model`` with ``object``, ``state``, ``slot``, ``run``, ``scene``."""

    file_addresses = frozenset({"url", "thumbnail"})
    own_order = frozenset({"publish", "publish_final", "plan_edit"})
    read_permission = Action.VIEW_IMAGES
    action_permissions = {
        **dict.fromkeys(("events", "thumbnail"), Action.VIEW_IMAGES),
        **dict.fromkeys(DECISIONS, Action.REVIEW),
        **dict.fromkeys(("publish", "publish_final"), Action.PUBLISH),
        "escalate": Action.MAKE_FINAL,
        "history": Action.VIEW_IMAGES,
        "set_text": Action.REPLACE_TEXT,
        "read_text": Action.READ_TEXT,
        "compare": Action.COMPARE,
        **ALT_PERMISSIONS,
        **EDIT_PERMISSIONS,
        **COMMENT_PERMISSIONS,
    }
    operations = {
        **dict.fromkeys(
            DECISIONS,
            Operation(returns=ImageSerializer, refuses=(InvalidTransition, RequestRefused)),
        ),
        "history": Operation(returns=HistorySerializer),
        "events": EVENTS,
        "thumbnail": THUMBNAIL,
        "publish": Operation(
            returns=PublishedSerializer,
            status=status.HTTP_201_CREATED,
            refuses=PUBLISH_REFUSALS,
            location=("placement-detail", "id"),
        ),
        "publish_final": Operation(returns=PublishedFinalSerializer, refuses=PUBLISH_REFUSALS),
        "escalate": Operation(
            returns=StartedRunSerializer,
            status=status.HTTP_201_CREATED,
            refuses=START_REFUSALS,
            once=True,
            location=RUN,
        ),
        "set_text": Operation(
            returns=MaybeStartedRunSerializer,
            status=status.HTTP_201_CREATED,
            also={status.HTTP_200_OK: MaybeStartedRunSerializer},
            refuses=START_REFUSALS,
            once=True,
            location=RUN,
        ),
        **dict.fromkeys(
            ("read_text", "compare"),
            Operation(
                returns=StartedRunSerializer,
                status=status.HTTP_202_ACCEPTED,
                refuses=START_REFUSALS,
                once=True,
                location=RUN,
            ),
        ),
        **ALT_OPERATIONS,
        **EDIT_OPERATIONS,
        **COMMENT_OPERATIONS,
    }
    orderings = {"created_at": (), "object": ("content_type_id", "object_id")}
    created_field = "created_at"
    serializer_class = ImageSerializer
    serializer_classes = {
        "retrieve": ImageDetailSerializer,
        "history": HistorySerializer,
        "publish": PublishSerializer,
        "publish_final": PublishFinalSerializer,
        "escalate": EscalateSerializer,
        **dict.fromkeys(("set_text", "read_text", "compare"), NoBodySerializer),
        **dict.fromkeys(DECISIONS, NoteSerializer),
        **ALT_SERIALIZERS,
        **EDIT_SERIALIZERS,
        **COMMENT_SERIALIZERS,
    }
    filter_class = ImageFilterSerializer
    query_classes = {"events": PictureEventsQuery, "thumbnail": ThumbnailQuery}

    def get_queryset(self):
        rows = ProductImage.objects.select_related("job").prefetch_related("placements")
        if self.action == "retrieve":
            rows = rows.prefetch_related("review_events__actor", "alts")
        return rows

    def get_serializer_context(self):
        with_prompts = self.action in ("retrieve", "history") and self.user_may(Action.READ_PROMPTS)
        return {**super().get_serializer_context(), "with_prompts": with_prompts}

    @action(detail=True)
    def history(self, request, *args, **kwargs):
        """Return the family, recipe, decisions and publications of the picture, and the plan of pictures
        like it."""
        history = review.history_of(self.get_object(), user=request.user)
        return Response(self.get_serializer(history).data)

    @action(detail=False, methods=["get"])
    def events(self, request, *args, **kwargs):
        """Stream what becomes of pictures: made, decided about, published (``text/event-stream``)."""
        return self.events_response()

    def get_feed(self):
        return live.PictureFeed(
            series=self.query.validated_data["series"],
            with_placements=self.user_may(Action.VIEW_PLACEMENTS),
        )

    @action(detail=True, methods=["post"])
    def approve(self, request, *args, **kwargs):
        """Pending becomes approved."""
        return self._decide(review.approve)

    @action(detail=True, methods=["post"])
    def reject(self, request, *args, **kwargs):
        """Pending becomes rejected."""
        return self._decide(review.reject)

    @action(detail=True, methods=["post"])
    def reconsider(self, request, *args, **kwargs):
        """Rejected or approved becomes pending again; refused while the picture is published."""
        return self._decide(review.reconsider)

    @action(detail=True, methods=["post"])
    def retire(self, request, *args, **kwargs):
        """Approved becomes retired; refused while the picture is published."""
        return self._decide(review.retire)

    @action(detail=True, methods=["post"])
    def restore(self, request, *args, **kwargs):
        """Retired becomes approved again."""
        return self._decide(review.restore)

    @action(detail=True, methods=["post"])
    def publish(self, request, *args, **kwargs):
        """Publish an approved picture to a slot, replacing the current picture."""
        placement = placements.publish(
            self.get_object(), actor=request.user, **self.validated_body()
        )
        context = {**self.get_serializer_context(), **placement_context([placement])}
        return Response(
            PlacementSerializer(placement, context=context).data, status=status.HTTP_201_CREATED
        )

    @action(detail=True, methods=["post"], url_path="publish-final")
    def publish_final(self, request, *args, **kwargs):
        """Publish an approved final wherever its draft is published. ``waiting`` places get it with their
        text, which is being set on it; ``staying`` ones show an edit by a model, which is not repeated."""
        result = publishing.publish_final(
            self.get_object(), actor=request.user, **self.validated_body()
        )
        shown = {
            name: PlaceSerializer(getattr(result, name), many=True).data
            for name in ("published", "waiting", "staying")
        }
        return Response(shown)

    @action(detail=True, methods=["post"])
    def escalate(self, request, *args, **kwargs):
        """Have finals of the picture made on a higher tier, which costs money unless the tier renders."""
        image, body = self.get_object(), self.validated_body()
        self.require_plan(*labels_of([image]))

        def start():
            run = review.escalate(
                image, **options_of(body), budget_usd=body["budget_usd"], actor=request.user
            )
            inform_if_asked(run, request=request, notify=body["notify"])
            return Response({"run": run.pk}, status=status.HTTP_201_CREATED)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["post"], url_path="set-text")
    def set_text(self, request, *args, **kwargs):
        """Typeset painted text, free of charge. ``run`` is null if such a picture already exists."""
        image, body = self.get_object(), self.validated_body()

        def start():
            run = review.typeset_instead(image, actor=request.user)
            if run is None:
                return Response({"run": None})
            return Response({"run": run.pk}, status=status.HTTP_201_CREATED)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["post"], url_path="read-text")
    def read_text(self, request, *args, **kwargs):
        """Have painted text read by the OCR provider, which costs money. The result is added to ``checks``
        of the picture once ``run`` is done."""
        image, body = self.get_object(), self.validated_body()

        def start():
            run = review.request_reading(image, actor=request.user)
            return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["post"])
    def compare(self, request, *args, **kwargs):
        """Have a model say how the product differs from its photo, which costs money. The result is added to
        ``checks`` of the picture once ``run`` is done."""
        image, body = self.get_object(), self.validated_body()

        def start():
            run = review.request_comparison(image, actor=request.user)
            return Response({"run": run.pk}, status=status.HTTP_202_ACCEPTED)

        return idempotency.once(self, body, start)

    def _decide(self, decision):
        image = self.get_object()
        decision(image, actor=self.request.user, note=self.validated_body()["note"])
        return Response(ImageSerializer(image, context=self.get_serializer_context()).data)
