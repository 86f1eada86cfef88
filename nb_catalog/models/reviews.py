"""What reviewers do beside moving a picture: decisions that can be repeated and undone, claims, comments."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.images import ProductImage
from nb_catalog.models.publications import Publication, PublicationState

# Of a saved filter, in characters.
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 1000


class ReviewDecision(models.Model):
    """What a person decided about a picture, under a ``key`` that the client has made: sent again, it is
    answered from this row.

    ``batch`` is the same for those that were decided together. ``before`` and ``after`` are the states of
    the pictures that it has moved, by their keys: approving a final also moves the others of its draft.
    ``place`` is where it has published the picture, or has it published by ``publication`` once files are
    made. ``problem`` says why it was refused, or what part of it, and ``code`` is that of the error.
    """

    key = models.UUIDField(editable=False)
    batch = models.UUIDField(null=True, editable=False)
    image = models.ForeignKey(ProductImage, on_delete=models.CASCADE, related_name="decisions")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip
    verb = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    place = models.JSONField(null=True)
    publication = models.ForeignKey(
        Publication, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    problem = models.TextField(blank=True, default="")
    code = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="nb_decision_once")]
        indexes = [
            models.Index(fields=["actor", "batch"], name="nb_decision_batch"),
            models.Index(fields=["at"], name="nb_decision_at"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.image_id}"

    @property
    def outcome(self) -> str:
        """Return "done", "waiting", "refused", or "partly": approved, but not published."""
        publication = self.publication
        if publication is not None and publication.state == PublicationState.WAITING:
            return "waiting"
        if not self.problem and (publication is None or publication.published_at is not None):
            return "done"
        return "partly" if self.after else "refused"

    @property
    def current_problem(self) -> str:
        """Return ``problem``, or why its publication was not made."""
        publication = self.publication
        if self.problem or publication is None or publication.published_at is not None:
            return self.problem
        return publication.problem


class ReviewClaim(models.Model):
    """A picture that is one reviewer's to judge until ``until``; afterwards anyone may claim it."""

    image = models.OneToOneField(
        ProductImage, primary_key=True, on_delete=models.CASCADE, related_name="claim"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["until"], name="nb_claim_until")]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.reviewer_id}"


class ReviewComment(models.Model):
    """What a person wrote about a picture. Append only; ``key`` is the client's, as of a decision."""

    key = models.UUIDField(default=uuid4, editable=False)
    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.CASCADE, related_name="comments"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+", db_index=False,
    )  # fmt: skip
    text = models.TextField(_("comment"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="nb_comment_once")]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.text[:40]}"


class ReviewFilter(models.Model):
    """A filter of the review page under a name: its query string. A shared one is offered to everyone."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True, editable=False)
    is_shared = models.BooleanField(_("for everyone"), default=False)

    class Meta:
        ordering = ("name", "id")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="nb_filter_once")]

    def __str__(self) -> str:
        return self.name
