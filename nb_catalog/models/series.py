"""Series: one look for many products, and the products that share it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.types import SCENE_TREATMENTS, Treatment
from nb_catalog.models.copy_decks import CopyDeck
from nb_catalog.models.designs import Design, Scene, TextLayout
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.images import ProductImage


class SeriesView(models.TextChoices):
    """The camera of a series: the same for all members, or for each of two groups."""

    FRONT = "front", _("From the front, for all")
    TOP = "top", _("From above, for all")
    GROUPS = "groups", _("Standing goods from the front, lying goods from above")


class SeriesGroup(models.TextChoices):
    """How a member rests. In a series with one camera, all members are in the group "all"."""

    ALL = "all", _("All")
    STANDING = "standing", _("Standing")
    LYING = "lying", _("Lying")


# How the members of a group rest, and the camera that shows them, by the series' own view.
POSE_OF_GROUP: Final = {
    (SeriesView.FRONT, SeriesGroup.ALL): ("standing", "front"),
    (SeriesView.TOP, SeriesGroup.ALL): ("lying", "top"),
    (SeriesView.GROUPS, SeriesGroup.STANDING): ("standing", "front"),
    (SeriesView.GROUPS, SeriesGroup.LYING): ("lying", "top"),
}


class Series(Design):
    """The look that many products of one model share.

    ``look`` is the scene as it was when it was adopted: the fields of ``Scene.CONTENT``, its ``key``,
    ``name``, ``version`` and ``backdrop`` file. A scene that is edited or deleted later changes nothing.
    ``overrides`` are parts of a recipe that replace those of the scene's, such as ``{"light": {"side":
    "left"}}``, and ``framing`` is that of a recipe. ``heights_cm`` has the real height that fills the
    framing, by group; empty if all products are shown equally large. ``seed_number`` selects the arrangement:
    another one is another look. Provider, model, size and thinking are those that the tier stood for.

    ``layout`` puts text on the pictures of the members, with the words of ``deck``, or of the catalog source
    without one. ``anchor`` is the approved picture that shows the look. ``order_version`` is incremented by
    each new order of the members.
    """

    CONTENT = (
        "look", "overrides", "framing", "heights_cm", "treatment", "ratio", "provider", "model", "size",
        "thinking", "view", "bundles", "seed_number", "anchor_id", "layout_id", "deck_id",
    )  # fmt: skip

    content_type = models.ForeignKey(
        ContentType, verbose_name=_("model of the products"), on_delete=models.CASCADE, related_name="+"
    )  # fmt: skip
    scene = models.ForeignKey(
        Scene, verbose_name=_("scene"), null=True, on_delete=models.SET_NULL, related_name="series"
    )
    look = models.JSONField(_("scene as adopted"), editable=False)
    overrides = models.JSONField(_("changes to the scene's recipe"), default=dict, blank=True)
    framing = models.JSONField(_("framing"), default=dict, blank=True)
    heights_cm = models.JSONField(_("real heights that fill the frame"), default=dict, blank=True)
    view = models.CharField(
        _("camera"), max_length=10, choices=SeriesView, default=SeriesView.FRONT
    )
    treatment = models.CharField(
        _("treatment"), max_length=10, default=Treatment.LOCKED,
        choices=[(each.value, each.label) for each in SCENE_TREATMENTS],
    )  # fmt: skip
    ratio = models.CharField(_("ratio"), max_length=10)
    slot = models.SlugField(_("slot"), max_length=40, db_index=False)
    tier = models.CharField(_("tier"), max_length=40)
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    size = models.CharField(_("size"), max_length=10)
    thinking = models.CharField(_("thinking"), max_length=20, blank=True, default="")
    bundles = models.BooleanField(_("show bundles as their products together"), default=False)
    seed_number = models.PositiveSmallIntegerField(_("arrangement"), default=1)
    anchor = models.ForeignKey(
        ProductImage, verbose_name=_("anchor"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="anchored_series",
    )  # fmt: skip
    layout = models.ForeignKey(
        TextLayout, verbose_name=_("text layout"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="series",
    )  # fmt: skip
    deck = models.ForeignKey(
        CopyDeck, verbose_name=_("copy deck"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="series",
    )  # fmt: skip
    order_version = models.PositiveIntegerField(
        _("version of the order"), default=1, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta(Design.Meta):
        verbose_name = _("series")
        verbose_name_plural = _("series")

    @property
    def label(self) -> str:
        """``app_label.modelname`` of its products."""
        return f"{self.content_type.app_label}.{self.content_type.model}"

    @property
    def groups(self) -> tuple[SeriesGroup, ...]:
        """The groups that its members are in."""
        return tuple(group for view, group in POSE_OF_GROUP if view == self.view)

    @property
    def scene_key(self) -> str:
        """The key of the scene, also after it was deleted."""
        return str(self.look["key"])

    @property
    def scene_version(self) -> int:
        return int(self.look["version"])

    def frozen_scene(self, group: str) -> Scene:
        """Return the scene of the look for the members of ``group``: an unsaved row, seen by the group's
        camera, with the series' own overrides."""
        look = dict(self.look)
        if look["renderer"]:
            look["renderer"] = self.recipe_for(group)
        return Scene(**look)

    def recipe_for(self, group: str) -> dict[str, Any]:
        """Return the recipe of the look for the members of ``group``, as a mapping."""
        _pose, view = POSE_OF_GROUP[SeriesView(self.view), SeriesGroup(group)]
        recipe = dict(self.look["renderer"])
        for name, part in self.overrides.items():
            whole = isinstance(part, dict) and isinstance(recipe.get(name), dict)
            recipe[name] = {**recipe[name], **part} if whole else part
        # Recipes used to have the fill beside their framing.
        recipe.pop("fill", None)
        recipe.pop("framing", None)
        return {**recipe, "view": view}

    def camera_for(self, group: str) -> dict[str, Any]:
        """Return the camera that all members of ``group`` have, as ``ImageSpec.camera``."""
        _pose, view = POSE_OF_GROUP[SeriesView(self.view), SeriesGroup(group)]
        return {"view": view, "framing": self.framing, "to_scale": group in self.heights_cm}

    def pose_for(self, group: str) -> str:
        """Return how the members of ``group`` rest: "standing" or "lying"."""
        return POSE_OF_GROUP[SeriesView(self.view), SeriesGroup(group)][0]


class SeriesMember(CatalogObjectModel):
    """A product of a series, or one of its variants. One that was removed keeps its row, so that no rule adds
    it again.

    Positions are in ascending order and may have gaps. ``variant`` is the key of a variant of the product, ""
    for the product itself; ``variant_name`` is its name when it was added, for when the shop does not have it
    any more. ``added_at`` is when it was first added, and ``absences`` has the times for which it had been
    removed, from when until when.
    """

    series = models.ForeignKey(
        Series, verbose_name=_("series"), on_delete=models.CASCADE, related_name="members",
        db_index=False,
    )  # fmt: skip
    position = models.PositiveIntegerField(_("position"))
    group = models.CharField(
        _("group"), max_length=10, choices=SeriesGroup, default=SeriesGroup.ALL
    )
    by_rule = models.BooleanField(_("added by a rule"), default=False)
    note = models.TextField(_("note"), blank=True, default="")
    variant = models.CharField(_("variant"), max_length=40, blank=True, default="")
    variant_name = models.CharField(_("name of the variant"), max_length=80, blank=True, default="")
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    absences = models.JSONField(default=list, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("series", "position", "id")
        verbose_name = _("member of a series")
        verbose_name_plural = _("members of series")
        constraints = [
            models.UniqueConstraint(
                fields=["series", "content_type", "object_id", "variant"],
                name="nb_series_member_once",
            )
        ]
        indexes = [
            models.Index(fields=["series", "removed_at", "position", "id"], name="nb_series_order"),
            models.Index(fields=["content_type", "object_id"], name="nb_series_object"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.key}"

    @property
    def key(self) -> str:
        """What names it among the members of its series: the product's key, and that of the variant after a
        colon."""
        return self.key_of(self.object_id, self.variant)

    def was_member_at(self, moment: datetime) -> bool:
        """Return whether it was in the series at ``moment``, which has passed."""
        if moment < self.added_at or (self.removed_at is not None and self.removed_at <= moment):
            return False
        absences = (map(datetime.fromisoformat, each) for each in self.absences)
        return not any(removed <= moment < added for removed, added in absences)

    def absences_until(self, moment: datetime) -> list[list[str]]:
        """Return what ``absences`` are once it is added again at ``moment``."""
        ended = (
            [] if self.removed_at is None else [[self.removed_at.isoformat(), moment.isoformat()]]
        )
        return [*self.absences, *ended]

    @staticmethod
    def key_of(object_id: str, variant: str) -> str:
        """Return the ``key`` of a member."""
        return f"{object_id}:{variant}" if variant else object_id
