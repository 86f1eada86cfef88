"""``series/``: one look for many products; its members, its anchor, its pictures and their publication."""

from collections import defaultdict
from dataclasses import replace

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import generation, publishing, review
from nb_catalog import series as catalog_series
from nb_catalog.api import idempotency
from nb_catalog.api.fields import NoBodySerializer, SearchFilter, objects_of
from nb_catalog.api.idempotency import key_of
from nb_catalog.api.plans import ItemsPageSerializer, plan_as_dict
from nb_catalog.api.results import PublicationResultSerializer
from nb_catalog.api.run_notices import inform_if_asked
from nb_catalog.api.series_fields import (
    MOST_MEMBERS,
    TEXTS,
    AnchorSerializer,
    LookChangeSerializer,
    MembersSerializer,
    NewSeriesSerializer,
    OfferedSerializer,
    OrderSerializer,
    PartialSerializer,
    PublishSeriesSerializer,
    RemovedSerializer,
    SeriesPlanSerializer,
    SeriesRunSerializer,
    SeriesSerializer,
    StepSerializer,
    TrialSerializer,
    VariantsSerializer,
)
from nb_catalog.api.series_operations import SERIES_OPERATIONS
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.text import shorten
from nb_catalog.exceptions import (
    InvalidTransition,
)
from nb_catalog.generation import runs
from nb_catalog.models import ProductImage, Series, SeriesMember
from nb_catalog.operations.search import Search
from nb_catalog.publishing.series import REQUEST_SECONDS
from nb_catalog.registry import source_for, subject_of, variants_of

# Products that are read to apply a rule while a person waits; of larger catalogs, the upkeep does it.
MOST_SCANNED = 20_000


class SeriesFilter(SearchFilter):
    """Query string ``?search=mug``: a series' name or scene, or a product in it."""

    keys_of = SeriesMember


class MembersQuery(serializers.Serializer):
    """``search`` finds those of products, or variants, that are called so."""

    search = serializers.CharField(required=False, max_length=200)


class SeriesViewSet(CatalogReadViewSet):
    """Series, by their keys."""

    filter_class = SeriesFilter
    paged_actions = ("list", "members")

    lookup_field = "key"
    lookup_value_converter = "slug"
    own_order = frozenset({"plan", "trial", "publish", "roll_back"})
    read_permission = Action.VIEW_SERIES
    action_permissions = {
        **dict.fromkeys(("members", "variants"), Action.VIEW_SERIES),
        "create": Action.CREATE_SERIES,
        "destroy": Action.DELETE_SERIES,
        **dict.fromkeys(
            (
                "partial_update", "adopt_scene", "accept_successor", "take_sizes", "set_anchor", "add",
                "add_variants", "remove", "order",
            ),
            Action.CHANGE_SERIES,
        ),
        **dict.fromkeys(("plan", "trial"), Action.PLAN),
        "run": Action.START_RUN,
        "approve": Action.REVIEW,
        "publish": Action.PUBLISH,
        "roll_back": Action.UNPUBLISH,
    }  # fmt: skip
    operations = SERIES_OPERATIONS
    orderings = {
        "position": ("position", "name"),
        "name": ("name",),
        "key": ("key",),
        "created_at": (),
    }
    created_field = "created_at"
    serializer_class = SeriesSerializer
    serializer_classes = {
        "create": NewSeriesSerializer,
        "partial_update": LookChangeSerializer,
        **dict.fromkeys(("adopt_scene", "accept_successor", "take_sizes"), StepSerializer),
        "set_anchor": AnchorSerializer,
        "add": MembersSerializer,
        "add_variants": VariantsSerializer,
        "remove": RemovedSerializer,
        "order": OrderSerializer,
        "plan": SeriesPlanSerializer,
        "trial": TrialSerializer,
        "run": SeriesRunSerializer,
        "approve": NoBodySerializer,
        "publish": PublishSeriesSerializer,
        "roll_back": PartialSerializer,
    }
    query_classes = {
        "members": MembersQuery,
        **dict.fromkeys(("plan", "trial"), ItemsPageSerializer),
        "variants": OfferedSerializer,
    }

    def get_queryset(self):
        return Series.objects.select_related("content_type", "anchor", "scene", "layout", "deck")

    def check_object_permissions(self, request, obj):
        """The user must be allowed to do this to the products of the series. Raises ``NotRegistered``."""
        super().check_object_permissions(request, obj)
        self.require(self.needed_permission(), model=source_for(obj.label).model)

    def create(self, request, *args, **kwargs):
        body = self.validated_body()
        self.require(Action.CREATE_SERIES, model=source_for(body["model"]).model)
        row = catalog_series.create(**body)
        return Response(SeriesSerializer(row).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request, *args, **kwargs):
        """Change the look, or show with ``dry_run`` which pictures would become stale."""
        row, body = self.get_object(), self.validated_body()
        changes = {
            name: value for name, value in body.items() if name not in ("version", "dry_run")
        }
        return self._change(row, body, lambda: catalog_series.with_changes(row, **changes))

    def destroy(self, request, *args, **kwargs):
        """Delete a series. Its pictures and what is published stay."""
        self.get_object().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], url_path="adopt-scene")
    def adopt_scene(self, request, *args, **kwargs):
        """Take the scene as it is today."""
        row, body = self.get_object(), self.validated_body()
        return self._change(row, body, lambda: catalog_series.with_current_scene(row))

    @action(detail=True, methods=["post"], url_path="accept-successor")
    def accept_successor(self, request, *args, **kwargs):
        """Have the series made by the successor of its model."""
        row, body = self.get_object(), self.validated_body()
        return self._change(row, body, lambda: catalog_series.with_successor(row))

    @action(detail=True, methods=["post"], url_path="take-sizes")
    def take_sizes(self, request, *args, **kwargs):
        """Show the members in proportion, by their real heights."""
        row, body = self.get_object(), self.validated_body()
        return self._change(row, body, lambda: catalog_series.with_real_sizes(row))

    @action(detail=True, methods=["put"], url_path="anchor")
    def set_anchor(self, request, *args, **kwargs):
        """Make a picture the anchor, or show with ``dry_run`` which pictures would become stale."""
        row, body = self.get_object(), self.validated_body()
        image = body["image"] and ProductImage.objects.filter(pk=body["image"]).first()
        if body["image"] and image is None:
            message = _("There is no picture with this key.")
            raise serializers.ValidationError({"image": [message]})
        return self._change(row, body, lambda: catalog_series.with_anchor(row, image))

    @action(detail=True, methods=["get"])
    def members(self, request, *args, **kwargs):
        """Return one page of the members in their order, with their pictures."""
        row = self.get_object()
        rows = row.members.filter(removed_at=None).order_by("position", "pk")
        if term := self.query.validated_data.get("search", ""):
            search = Search(term=term, rows=SeriesMember.objects)
            rows = rows.filter(search.condition(SeriesMember))
        shown = self.paginate_queryset(rows)
        pictures = list(generation.member_pictures(row, shown))
        texts = defaultdict(list)
        for text in generation.member_texts(row, pictures, are_set=False):
            texts[text.picture.member.pk].append(text)
        response = self.get_paginated_response(
            [
                {
                    "key": each.member.key,
                    "object": each.member.object_id,
                    "variant": each.member.variant,
                    "variant_name": each.member.variant_name,
                    "group": each.member.group,
                    "by_rule": each.member.by_rule,
                    "note": each.member.note,
                    "status": each.status.value,
                    "image": each.image and each.image.pk,
                    "state": each.image and each.image.state,
                    "problem": each.problem,
                    "texts": [
                        {
                            "locale": text.locale,
                            "status": text.status.value,
                            "image": text.image and text.image.pk,
                            "state": text.image and text.image.state,
                            "problem": text.problem,
                        }
                        for text in texts[each.member.pk]
                    ],
                }
                for each in pictures
            ]
        )
        response.data["order_version"] = row.order_version
        return response

    @action(detail=True, methods=["post"], url_path="members/add")
    def add(self, request, *args, **kwargs):
        """Append objects."""
        row = self.get_object()
        added = catalog_series.add(row, self._objects(row))
        return Response(_added_as_dict(added))

    @action(detail=True, methods=["get"])
    def variants(self, request, *args, **kwargs):
        """Return the variants of an object that can be added."""
        row = self.get_object()
        [product] = objects_of(source_for(row.label), [self.query.validated_data["object"]])
        return Response(
            {
                "results": [
                    {
                        "key": each.key,
                        "name": each.name,
                        "colour": each.colour,
                        "has_photo": each.photo is not None or each.product is not None,
                    }
                    for each in variants_of(subject_of(product)).values()
                ]
            }
        )

    @action(detail=True, methods=["post"], url_path="members/add-variants")
    def add_variants(self, request, *args, **kwargs):
        """Append the variants of objects, after the objects themselves."""
        row = self.get_object()
        keys = self.validated_body().get("variants")
        added = catalog_series.add_variants(row, self._objects(row), keys=keys)
        return Response(_added_as_dict(added))

    @action(detail=True, methods=["post"], url_path="members/remove")
    def remove(self, request, *args, **kwargs):
        """Remove objects with their variants, or single members; no rule adds them again."""
        row, body = self.get_object(), self.validated_body()
        if "members" in body:
            return Response({"removed": catalog_series.remove_members(row, body["members"])})
        return Response({"removed": catalog_series.remove(row, self._objects(row))})

    @action(detail=True, methods=["put"])
    def order(self, request, *args, **kwargs):
        """Sort the members; 409 if someone else has sorted since the version that was seen."""
        row, body = self.get_object(), self.validated_body()
        seen = self._seen_version(body, current=row.order_version)
        version = catalog_series.reorder(row, body["order"], version=seen)
        return Response({"order_version": version})

    @action(detail=True, methods=["post"])
    def plan(self, request, *args, **kwargs):
        """Return what is missing and what it costs. Rules are applied before."""
        row, body = self.get_object(), self.validated_body()
        plan = self._plan(row, body, key=key_of(self, body))
        response = plan_as_dict(plan, **self.query.validated_data)
        generation.request_cutouts(plan)
        return Response(response)

    @action(detail=True, methods=["post"])
    def trial(self, request, *args, **kwargs):
        """Return the plan of one picture by the successor of the series' model."""
        row, body = self.get_object(), self.validated_body()
        plan = generation.plan_trial(row, key=key_of(self, body))
        return Response(plan_as_dict(plan, **self.query.validated_data))

    @action(detail=True, methods=["post"])
    def run(self, request, *args, **kwargs):
        """Start the plan of a series; the response has the key of the run."""
        row, body = self.get_object(), self.validated_body()
        key = key_of(self, body)

        def start():
            plan = self._plan(row, body)
            plan = replace(plan, request={**plan.request, **({"key": key} if key else {})})
            started = runs.start_run(
                plan,
                actor=self.request.user,
                budget_usd=body["budget_usd"],
                priority=body["priority"],
            )
            inform_if_asked(started, request=self.request, notify=body["notify"])
            return Response({"run": started.pk}, status=status.HTTP_201_CREATED)

        return idempotency.once(self, {**body, "series": row.key}, start)

    @action(detail=True, methods=["post"])
    def approve(self, request, *args, **kwargs):
        """Approve the pending pictures that have the look of the series."""
        row = self.get_object()
        self.validated_body()
        result = review.approve_series(row, actor=request.user)
        return Response({"approved": list(result.approved), "refused": list(result.refused)})

    @action(detail=True, methods=["post"])
    def publish(self, request, *args, **kwargs):
        """Publish the pictures of all members, or none. With the ``state`` "waiting", a worker makes their
        files first; `publications/` has its progress."""
        row = self.get_object()
        publication = publishing.publish_series(
            row, actor=request.user, background=True, **self.validated_body()
        )
        return Response(PublicationResultSerializer(publication).data, status=201)

    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request, *args, **kwargs):
        """Undo the last publication as a whole."""
        row = self.get_object()
        publication = publishing.roll_back_series(
            row, actor=request.user, seconds=REQUEST_SECONDS, **self.validated_body()
        )
        return Response({"publication": publication.pk})

    def _change(self, row, body, change):
        """Write a changed look and return it; with ``dry_run`` return what would become stale."""
        version = self._seen_version(body, current=row.version)
        if version != row.version:
            raise InvalidTransition(
                _(
                    "Someone else has changed the series “%(name)s” meanwhile. Look at it, and try again."
                )
                % {"name": row.name}
            )
        changed = change()
        if body["dry_run"]:
            pictures = generation.member_pictures(changed)
            stale = [each.member.key for each in pictures if each.status == "stale"]
            return Response({"stale": len(stale), "objects": stale[:MOST_MEMBERS]})
        catalog_series.save_look(changed, version=version)
        changed.refresh_from_db()
        return Response(SeriesSerializer(changed).data)

    def _seen_version(self, body, *, current):
        """Return the version in the body, or the ``current`` one if ``If-Match`` has been compared with it.
        Raises ``ValidationError`` without one."""
        if "version" in body:
            return body["version"]
        if "If-Match" in self.request.headers:
            return current
        message = _("Send the version that you have seen, here or as If-Match.")
        raise serializers.ValidationError({"version": [message]})

    def _objects(self, row):
        return objects_of(source_for(row.label), self.validated_body()["objects"])

    def _plan(self, row, body, *, key=""):
        """Return the plan of ``row``, or of the members that ``body`` names, after its rule was applied.

        ``key`` is the plan's own, of which there is one run: keys of clients belong to ``idempotency``.
        """
        source = source_for(row.label)
        if source.queryset().count() <= MOST_SCANNED:
            catalog_series.apply_rules(source, only=row)
        products = None
        if "objects" in body:
            products = objects_of(source, body["objects"])
            keys = [str(product.pk) for product in products]
            members = row.members.filter(removed_at=None, object_id__in=keys)
            if strangers := set(keys).difference(members.values_list("object_id", flat=True)):
                message = _("These are not members of the series: %(keys)s.")
                names = {"keys": shorten(", ".join(sorted(strangers)))}
                raise serializers.ValidationError({"objects": [message % names]})
        if body["step"] == TEXTS:
            return generation.plan_series_texts(row, products=products, key=key)
        return generation.plan_series(
            row, products=products, members=body.get("members"), mode=body["mode"], key=key
        )


def _added_as_dict(added):
    return {"added": added.added, "present": added.present, "warnings": list(added.warnings)}
