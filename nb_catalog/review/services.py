"""Decisions about generated pictures. A decision and its event commit together."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from nb_catalog import generation
from nb_catalog.conf import settings
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Actor
from nb_catalog.cutouts.records import CUTOUT_CHECK
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation.escalation_policies import failed_checks
from nb_catalog.imaging.composition import COMPOSITION_CHECK, describe_part
from nb_catalog.imaging.in_photo import SMALL_BACKDROP
from nb_catalog.models import Placement, ProductImage, Run
from nb_catalog.models.alt_text import copy_alt_texts
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.model_specs.sizes import SIZE_CHECK, SizeComparison
from nb_catalog.publishing.rendition_requests import request_ahead
from nb_catalog.review.edits import move_texts_of_approved
from nb_catalog.signals.events import record_move


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReviewResult:
    """The result of a decision about several pictures: the keys of those ``approved``, and in ``refused``
    a message for each that failed."""

    approved: tuple[int, ...]
    refused: tuple[str, ...]

    @property
    def decided(self) -> int:
        return len(self.approved)


def approve(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> approved. With a final, the others of its draft are retired, unless they are published, and
    it gets the draft's alternative texts, as an adjusted picture gets those of the one before. The typeset
    texts of the picture that an edit was made from are set on it.

    Raises ``InvalidTransition`` if someone else decided first, ``RequestRefused`` for a background,
    which is not a picture of the product.
    """
    if image.kind != ImageKind.PICTURE:
        raise RequestRefused(
            _("Picture %(pk)s shows a background without the product.") % {"pk": image.pk}
        )
    with transaction.atomic():
        if image.draft_id is not None:
            # All of them first, in one order: two people may choose different ones at once.
            finals = ProductImage.objects.filter(draft=image.draft_id).order_by("pk")
            list(finals.select_for_update().values_list("pk"))
        record_move(image, "approve", actor=actor, note=note)
        request_ahead(image)
        if image.draft is not None:
            decisions = {ImageState.PENDING: pass_over, ImageState.APPROVED: retire}
            others = ProductImage.objects.filter(
                draft=image.draft_id, kind=ImageKind.PICTURE, state__in=decisions
            ).exclude(pk=image.pk)
            chosen = _("Picture %(pk)s was chosen.") % {"pk": image.pk}
            for other in others.order_by("pk"):
                # Decided about in this moment, or published: it stays until this one is published there.
                with suppress(InvalidTransition, RequestRefused):
                    decisions[ImageState(other.state)](other, actor=actor, note=chosen)
            copy_alt_texts(image.draft, to=image)
        elif image.parent is not None and "adjustments" in image.spec.get("edit", {}):
            # It shows the same; what a model has changed may not.
            copy_alt_texts(image.parent, to=image)
    move_texts_of_approved(image, actor=actor)


def pass_over(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> retired: another final of its draft was chosen. Raises ``InvalidTransition``."""
    record_move(image, "pass_over", actor=actor, note=note)


def reject(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> rejected. Raises ``InvalidTransition`` if someone else decided first."""
    record_move(image, "reject", actor=actor, note=note)


def reconsider(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Rejected or approved -> pending.

    Raises ``InvalidTransition``, ``RequestRefused`` if its file was deleted or while it is published.
    """
    with transaction.atomic():
        lock_image(image)
        if ProductImage.objects.filter(pk=image.pk).exclude(pruned_at=None).exists():
            raise RequestRefused(
                _(
                    "Picture %(pk)s was rejected long ago and its file was deleted. Generate another one."
                )
                % {"pk": image.pk}
            )
        require_unpublished(image)
        record_move(image, "reconsider", actor=actor, note=note)


def retire(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Approved -> retired. Raises ``InvalidTransition``, ``RequestRefused`` while it is published."""
    with transaction.atomic():
        # Locked first, so that nobody publishes it between the check and the transition.
        lock_image(image)
        require_unpublished(image)
        record_move(image, "retire", actor=actor, note=note)


def restore(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Retired -> approved. Raises ``InvalidTransition``, ``RequestRefused`` if its file was deleted."""
    with transaction.atomic():
        lock_image(image)
        if ProductImage.objects.filter(pk=image.pk).exclude(pruned_at=None).exists():
            raise RequestRefused(
                _("The file of picture %(pk)s was deleted. Generate another one.")
                % {"pk": image.pk}
            )
        record_move(image, "restore", actor=actor, note=note)


def require_unpublished(image: ProductImage) -> None:
    """Raise ``RequestRefused`` while ``image`` is published."""
    slots = list(Placement.objects.filter(image=image).values_list("slot", flat=True))
    if slots:
        raise RequestRefused(
            _(
                "Picture %(pk)s is published (%(slots)s). Publish another one there first, or withdraw "
                "it."
            )
            % {"pk": image.pk, "slots": ", ".join(slots)}
        )


def needs_individual_review(image: ProductImage) -> bool:
    """Return whether ``image`` may be approved individually only: its text was not read as requested,
    its product differs from its photo, its composition from that of its draft, or its size is not what
    ``REQUIRE`` accepts."""
    return bool(objections_to(image))


def objections_to(image: ProductImage) -> list[str]:
    """Return why ``image`` may be approved individually only, as sentences."""
    objections = []
    failed = failed_checks(image.checks)
    if "text" in failed:
        objections.append(
            _("OCR did not read the text on picture %(pk)s as requested.") % {"pk": image.pk}
        )
    if "interim" in image.checks or "finish_reason" in image.checks:
        objections.append(
            _("The service did not finish picture %(pk)s as it should.") % {"pk": image.pk}
        )
    if image.checks.get(CUTOUT_CHECK, {}).get("reasons"):
        objections.append(
            _("The cut-out of picture %(pk)s is doubtful: look at the outline of the product.")
            % {"pk": image.pk}
        )
    if "fidelity" in failed and settings.FIDELITY["REQUIRE"] != "none":
        objections.append(
            _("The product on picture %(pk)s differs from its photo.") % {"pk": image.pk}
        )
    composition = image.checks.get(COMPOSITION_CHECK, {})
    if (composition.get("score") or 0) > 1:
        message = _("The composition of picture %(pk)s differs from that of its draft. %(reason)s")
        values = {"pk": image.pk, "reason": describe_part(composition["worst"])}
        objections.append(message % values)
    # The plan has said that the photo is too small, and the picture's checks which one.
    is_small = not {"small_photo", SMALL_BACKDROP}.isdisjoint(image.checks)
    if "size" in failed and not is_small:
        compared = SizeComparison.from_dict(image.checks[SIZE_CHECK])
        values = {
            "pk": image.pk,
            "actual": "{} × {}".format(*compared.actual),
            "requested": "{} × {}".format(*compared.requested),
        }
        message = _("Picture %(pk)s has %(actual)s pixels instead of %(requested)s.")
        objections.append(message % values)
    return objections


def require_individual_review(image: ProductImage) -> None:
    """Raise ``RequestRefused`` for an image that ``needs_individual_review``."""
    if objections := objections_to(image):
        advice = _("Look at the picture, and decide about it individually.")
        raise RequestRefused(" ".join([*objections, advice]))


def approve_all(images: Iterable[ProductImage], *, actor: Actor) -> BulkReviewResult:
    """Approve each picture in its own transaction: one that was already decided does not stop the rest.

    Those that ``needs_individual_review`` names are refused.
    """
    approved: list[int] = []
    refused: list[str] = []
    for image in images:
        try:
            require_individual_review(image)
            approve(image, actor=actor)
        except (InvalidTransition, RequestRefused) as refusal:
            refused.append(str(refusal))
        else:
            approved.append(image.pk)
    return BulkReviewResult(approved=tuple(approved), refused=tuple(refused))


def typeset_instead(image: ProductImage, *, actor: Actor) -> Run | None:
    """Have the text that a model painted on ``image`` typeset instead, free of charge.

    Returns the run, or None if such a picture exists or is being made. Raises ``RequestRefused``
    for a picture without painted text, and if the text cannot be typeset.
    """
    plan = generation.plan_replacement([image])
    [item] = plan.items()
    if item.problem:
        raise RequestRefused(item.problem)
    return generation.start_run(plan, actor=actor, priority=None) if item.is_wanted else None
