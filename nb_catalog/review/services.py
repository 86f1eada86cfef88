"""Decisions about made pictures. A decision and its event commit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction

from nb_catalog import generation
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.models import AltText, Placement, ProductImage, ReviewEvent, Run
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import lock_image, transition_image
from nb_catalog.typesetting.ocr_diff import OCR_CHECK, readings_in


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReviewResult:
    """How a decision about several pictures went; ``refused`` holds a sentence for each that
    could not be decided."""

    decided: int
    refused: tuple[str, ...]


def set_alt_texts(image: ProductImage, texts: Mapping[str, str], *, actor: Actor) -> int:
    """Set alternative texts of ``image``, by locale, and leave others alone; how many changed. An empty
    one is taken out: the storefront then says what product and picture say. What a machine proposed in a
    language that a person has written in is gone.

    Raises ``RequestRefused`` with every objection at once, and then nothing is written.
    """
    wanted = {locale: " ".join(text.split()) for locale, text in texts.items()}
    objections = tuple(_objections_to(wanted))
    if objections:
        raise RequestRefused(*objections)
    with transaction.atomic():
        lock_image(image)
        standing = dict(image.alts.values_list("locale", "text"))
        changed = {code: said for code, said in wanted.items() if standing.get(code, "") != said}
        decided = [code for code, said in wanted.items() if said]
        image.alt_proposals.filter(locale__in=decided).delete()
        for locale, text in changed.items():
            if text:
                said = {"text": text, "changed_by": actor}
                AltText.objects.update_or_create(image=image, locale=locale, defaults=said)
            else:
                image.alts.filter(locale=locale).delete()
    return len(changed)


def _objections_to(texts: Mapping[str, str]) -> Iterator[str]:
    for locale, text in texts.items():
        try:
            parse_locale(locale)
        except ValueError as error:
            yield str(error)
        if len(text) > LONGEST_ALT:
            yield f"{locale}: {len(text)} characters, at most {LONGEST_ALT} are possible."


def approve(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> approved. Raises ``InvalidTransition`` when somebody decided first, ``RequestRefused``
    for surroundings, which are not a picture of the product."""
    if image.kind != ImageKind.PICTURE:
        raise RequestRefused(f"Picture {image.pk} shows surroundings without the product.")
    _decide(image, "approve", actor=actor, note=note)


def reject(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Pending -> rejected. Raises ``InvalidTransition`` when somebody decided first."""
    _decide(image, "reject", actor=actor, note=note)


def reconsider(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Rejected -> pending. Raises ``InvalidTransition``, ``RequestRefused`` when its file is gone."""
    with transaction.atomic():
        lock_image(image)
        if ProductImage.objects.filter(pk=image.pk).exclude(pruned_at=None).exists():
            raise RequestRefused(
                f"Picture {image.pk} was rejected long ago and its file was taken away."
                " Have another one made."
            )
        _decide(image, "reconsider", actor=actor, note=note)


def retire(image: ProductImage, *, actor: Actor, note: str = "") -> None:
    """Approved -> retired. Raises ``InvalidTransition``, ``RequestRefused`` while it is published."""
    with transaction.atomic():
        # Held first: nobody publishes it between the question and the move.
        lock_image(image)
        slots = list(Placement.objects.filter(image=image).values_list("slot", flat=True))
        if slots:
            raise RequestRefused(
                f"Picture {image.pk} is published ({', '.join(slots)}). "
                f"Publish another one there first, or withdraw it."
            )
        _decide(image, "retire", actor=actor, note=note)


def needs_individual_review(image: ProductImage) -> bool:
    """Whether a model wrote on it, and not everybody who read it, or nobody, read every letter as it was
    asked for."""
    if OCR_CHECK not in image.checks:
        return False
    readings = readings_in(image.checks)
    return not readings or not all(reading.is_exact for reading in readings)


def typeset_instead(image: ProductImage, *, actor: Actor) -> Run | None:
    """Have the words that a model painted on ``image`` set exactly instead, free of charge: the run that does
    it, or None where there is such a picture already, or it is being made.

    Raises ``RequestRefused`` for a picture that no model wrote on, and with the reason where the words
    cannot be set.
    """
    plan = generation.plan_replacement([image])
    [item] = plan.items()
    if item.problem:
        raise RequestRefused(item.problem)
    return (
        runs.start_run(plan, actor=actor, priority=None)
        if item.status in generation.WANTED
        else None
    )


def require_individual_review(image: ProductImage) -> None:
    """Raise ``RequestRefused`` for an image that ``needs_individual_review``."""
    if needs_individual_review(image):
        raise RequestRefused(
            f"Picture {image.pk} has words that were not read back as they were asked for. Look at it, and "
            f"decide about it alone."
        )


def approve_all(images: Iterable[ProductImage], *, actor: Actor) -> BulkReviewResult:
    """Approve each picture on its own: one that was decided meanwhile does not stop the rest. One that
    ``needs_individual_review`` is left to somebody who looks at it alone."""
    decided, refused = 0, []
    for image in images:
        try:
            require_individual_review(image)
            approve(image, actor=actor)
        except (InvalidTransition, RequestRefused) as refusal:
            refused.append(str(refusal))
        else:
            decided += 1
    return BulkReviewResult(decided=decided, refused=tuple(refused))


def _decide(image: ProductImage, move: str, *, actor: Actor, note: str) -> None:
    with transaction.atomic():
        transition_image(image, move)
        ReviewEvent.objects.create(
            image=image, move=move, state=image.state, actor=actor, note=note
        )
