"""Experiments: two looks on the same products, and the votes for them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.designs import Scene
from nb_catalog.models.generic import CatalogObjectModel
from nb_catalog.models.jobs import Run


class Arm(models.TextChoices):
    A = "a", _("A")
    B = "b", _("B")


class VoteChoice(models.TextChoices):
    A = "a", _("A")
    B = "b", _("B")
    TIE = "tie", _("Tie")


class Experiment(models.Model):
    """Two arms over a sample of products of one model, open for votes until it is closed.

    An arm is a scene as it was when the experiment was planned, as ``series.look_of`` returns it. One with
    the version 0 is that scene with a prompt that is not saved in it. ``options`` are those that the pictures
    were planned with: "ratio", "slot", "tier" and "treatment".
    """

    name = models.CharField(_("name"), max_length=80)
    content_type = models.ForeignKey(
        ContentType, verbose_name=_("model of the products"), on_delete=models.CASCADE, related_name="+"
    )  # fmt: skip
    arm_a = models.JSONField(_("arm A"), editable=False)
    arm_b = models.JSONField(_("arm B"), editable=False)
    options = models.JSONField(default=dict, editable=False)
    run = models.OneToOneField(
        Run, verbose_name=_("run"), null=True, on_delete=models.SET_NULL, related_name="experiment"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("started by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """``app_label.modelname`` of its products."""
        return f"{self.content_type.app_label}.{self.content_type.model}"

    def look(self, arm: str) -> dict[str, Any]:
        """Return the scene of ``arm`` as it was."""
        look: dict[str, Any] = self.arm_a if arm == Arm.A else self.arm_b
        return look

    def arm_name(self, arm: str) -> str:
        """Return the name of the scene of ``arm``, in the active language."""
        return name_of_look(self.look(arm))

    @property
    def edits_prompt(self) -> bool:
        """Whether arm B is the scene of arm A with a prompt that was not saved."""
        return int(self.arm_b["version"]) == 0


class ExperimentPair(CatalogObjectModel):
    """A product of an experiment, and the fingerprints of its two pictures."""

    experiment = models.ForeignKey(
        Experiment, on_delete=models.CASCADE, related_name="pairs", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    fingerprint_a = models.CharField(max_length=64)
    fingerprint_b = models.CharField(max_length=64)

    class Meta:
        ordering = ("experiment", "position")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "content_type", "object_id"],
                name="nb_experiment_product_once",
            )
        ]
        indexes = [models.Index(fields=["content_type", "object_id"], name="nb_experiment_object")]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.object_id}"

    def fingerprint(self, arm: str) -> str:
        return str(self.fingerprint_a if arm == Arm.A else self.fingerprint_b)


class ExperimentVote(models.Model):
    """What one person chose for one product. It can be changed until the experiment is closed."""

    pair = models.ForeignKey(
        ExperimentPair, on_delete=models.CASCADE, related_name="votes", db_index=False
    )
    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.CASCADE, related_name="+"
    )
    choice = models.CharField(_("choice"), max_length=3, choices=VoteChoice)
    at = models.DateTimeField(_("at"), auto_now=True)

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["pair", "voter"], name="nb_experiment_vote_once")
        ]

    def __str__(self) -> str:
        return f"{self.pair_id} {self.choice}"


def name_of_look(look: dict[str, Any]) -> str:
    """Return the name of a scene that was kept, and that its prompt was edited if it was."""
    name = str(look["name"])
    return name if look["version"] else gettext("%(scene)s, edited prompt") % {"scene": name}


def scene_of_look(look: dict[str, Any]) -> Scene:
    """Return an unsaved row of a scene that was kept."""
    return Scene(**look)
