"""Jobs that request texts: how each kind is sent, read and stored.

They take the way of pictures: claimed, within budgets, recorded, spooled and recovered alike.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, fields
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.services import REPLACEMENT, missing_texts, save_texts
from nb_catalog.copydecks.validation import text_problems
from nb_catalog.core.specs import TextSpec
from nb_catalog.core.text import single_line
from nb_catalog.core.types import JobKind, Photo, Reference
from nb_catalog.exceptions import (
    NoText,
    PictureMissing,
    RequestRejected,
)
from nb_catalog.imaging.fidelity.report import MODEL_COMPARISON_CHECK
from nb_catalog.imaging.references import Limits, as_reference
from nb_catalog.models import AltProposal, CopyDeck, ProductImage
from nb_catalog.models.alt_text import LONGEST_ALT
from nb_catalog.models.transitions import lock_image
from nb_catalog.providers.alt_text import AltTextProvider, PictureContext
from nb_catalog.providers.comparison import ComparisonProvider
from nb_catalog.providers.ocr import OcrProvider
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.translation import TranslationProvider
from nb_catalog.providers.types import ImageResult, Payload
from nb_catalog.registry import all_photos, read_photo
from nb_catalog.typesetting import ocr_detect
from nb_catalog.typesetting.ocr_diff import MODEL_OCR_CHECK, Token, compare
from nb_catalog.worker.outcomes import outcome_for_texts
from nb_catalog.worker.types import ClaimedJob, JobOutcome, TextContent

logger = logging.getLogger(__name__)

# What every text model reads.
READS: Final = ("image/jpeg", "image/png", "image/webp")
# Longest side in pixels of a picture that is described, and of one whose letters are read.
DESCRIBED_SIDE: Final = 1024
READ_SIDE: Final = 2048
COMPARED_SIDE: Final = 1536
# Of what a model says: a sentence is shorter, and a list that is longer says nothing more.
LONGEST_DIFFERENCE: Final = 400
MOST_DIFFERENCES: Final = 20

_RECEIPT: Final = {each.name for each in fields(TextResult)}


class TextTask(ABC):
    """One kind of texts. ``build`` and ``read`` run in threads that do not use the database."""

    @abstractmethod
    def build(self, job: ClaimedJob, provider: Any) -> Payload:
        """Return the service's request. Raises ``NBCatalogError``."""

    @abstractmethod
    def read(self, job: ClaimedJob, content: Mapping[str, Any], *, provider: str) -> TextContent:
        """Return what may be stored of ``content``, the fields of the provider's result.

        Raises ``NoText`` if nothing may.
        """

    @abstractmethod
    def is_done(self, spec: TextSpec) -> bool:
        """Return whether nothing that ``spec`` requests is missing any more."""

    @abstractmethod
    def store(self, spec: TextSpec, texts: TextContent) -> None:
        """Store ``texts``, in the transaction that ends the job. Leaves alone what people wrote."""


class TranslationTask(TextTask):
    def build(self, job: ClaimedJob, provider: TranslationProvider) -> Payload:
        spec = job.text_spec
        return provider.build(spec.texts, source=spec.source, target=spec.locales[0])

    def read(self, job: ClaimedJob, content: Mapping[str, Any], *, provider: str) -> TextContent:
        spec = job.text_spec

        def objection(role: str, text: str) -> str:
            # A broken character is for a person to repair: the rest is paid for.
            if problems := text_problems(text.replace(REPLACEMENT, ""), locale=spec.locales[0]):
                return f"the proposal {text!r}: {problems[0]}"
            if sorted(placeholders.names(text)) != sorted(placeholders.names(spec.texts[role])):
                return f"the placeholders of the proposal {text!r} differ from the original's."
            return ""

        proposed = {role: content["texts"].get(role, "") for role in spec.texts}
        return _sorted_out(proposed, provider=provider, objection=objection)

    def is_done(self, spec: TextSpec) -> bool:
        deck = CopyDeck.objects.filter(pk=spec.object_id).first()
        if deck is None:
            return False
        missing = missing_texts(deck, spec.locales)
        return not any(spec.texts.keys() & missing[code].keys() for code in spec.locales)

    def store(self, spec: TextSpec, texts: TextContent) -> None:
        deck = CopyDeck.objects.filter(pk=spec.object_id).first()
        if deck is None:
            return
        proposals = {(spec.locales[0], role): text for role, text in texts.values.items()}
        save_texts(deck, proposals, proposed_by=texts.provider)


class AltTextTask(TextTask):
    def build(self, job: ClaimedJob, provider: AltTextProvider) -> Payload:
        spec = job.text_spec
        data, mime_type = _picture(spec, longest_side=DESCRIBED_SIDE)
        context = PictureContext(title=spec.title, texts=spec.texts)
        return provider.build(data, mime_type, locales=spec.locales, about=context)

    def read(self, job: ClaimedJob, content: Mapping[str, Any], *, provider: str) -> TextContent:
        def objection(_code: str, text: str) -> str:
            if len(text) <= LONGEST_ALT:
                return ""
            return f"the proposal has {len(text)} characters; at most {LONGEST_ALT} are possible."

        proposed = {code: content["texts"].get(code, "") for code in job.text_spec.locales}
        return _sorted_out(proposed, provider=provider, objection=objection)

    def is_done(self, spec: TextSpec) -> bool:
        image = ProductImage.objects.filter(pk=spec.object_id).first()
        if image is None:
            return False
        written = image.alts.values_list("locale", flat=True)
        return not set(spec.locales) - {
            *written,
            *image.alt_proposals.values_list("locale", flat=True),
        }

    def store(self, spec: TextSpec, texts: TextContent) -> None:
        image = ProductImage.objects.filter(pk=spec.object_id).first()
        if image is None:
            return
        lock_image(image)
        # Somebody may have written a text meanwhile.
        written = set(image.alts.values_list("locale", flat=True))
        for code, text in texts.values.items():
            if code not in written:
                values = {"text": text, "proposed_by": texts.provider}
                AltProposal.objects.update_or_create(image=image, locale=code, defaults=values)


class OcrTask(TextTask):
    """The result is stored beside that of the OCR here, not in its place: a model may read what should be
    there."""

    def build(self, job: ClaimedJob, provider: OcrProvider) -> Payload:
        spec = job.text_spec
        data, mime_type = _picture(spec, longest_side=READ_SIDE)
        return provider.build(data, mime_type, locale=spec.locales[0])

    def read(self, job: ClaimedJob, content: Mapping[str, Any], *, provider: str) -> TextContent:
        spec, printed = job.text_spec, content.get("printed", ())
        # What the model takes for print on the product is accepted only if the product's photo shows it.
        tokens = [
            Token(word, line=number)
            for number, line in enumerate(chain(content["lines"], printed))
            for word in single_line(line).split()
        ]
        known: list[str] = []
        if printed and job.photo is not None:
            try:
                known = ocr_detect.read_words(
                    read_photo(job.photo), locale=spec.locales[0], **picture_limits()
                )
            except Exception:  # noqa: BLE001 - foreign programs; the result is paid for already
                logger.exception("The text on the product of job %s cannot be read.", job.job_id)
        comparison = compare(spec.texts, {provider: tokens}, locale=spec.locales[0], known=known)
        return TextContent(values=comparison.as_dict(), provider=provider)

    def is_done(self, spec: TextSpec) -> bool:
        return False

    def store(self, spec: TextSpec, texts: TextContent) -> None:
        _add_check(spec, {MODEL_OCR_CHECK: dict(texts.values)})


class ComparisonTask(TextTask):
    """The result is stored beside the comparison made here. It clears nothing: a model overlooks what it has
    drawn itself."""

    def build(self, job: ClaimedJob, provider: ComparisonProvider) -> Payload:
        if job.photo is None:
            raise PictureMissing(
                "The product no longer has the photo that the picture was made of."
            )
        photo = _as_read(read_photo(job.photo), longest_side=COMPARED_SIDE)
        picture = _as_read(storage.read(job.text_spec.picture), longest_side=COMPARED_SIDE)
        return provider.build(photo, picture, locale=job.text_spec.locales[0])

    def read(self, job: ClaimedJob, content: Mapping[str, Any], *, provider: str) -> TextContent:
        differences = [single_line(each)[:LONGEST_DIFFERENCE] for each in content["differences"]]
        values = {
            "reader": provider,
            "locale": job.text_spec.locales[0],
            "is_same_product": bool(content["is_same_product"]),
            "differences": [each for each in differences if each][:MOST_DIFFERENCES],
        }
        return TextContent(values=values, provider=provider)

    def is_done(self, spec: TextSpec) -> bool:
        return False

    def store(self, spec: TextSpec, texts: TextContent) -> None:
        _add_check(spec, {MODEL_COMPARISON_CHECK: dict(texts.values)})


TASKS: Final[Mapping[str, TextTask]] = MappingProxyType(
    {
        JobKind.TRANSLATION: TranslationTask(),
        JobKind.ALT_TEXT: AltTextTask(),
        JobKind.OCR: OcrTask(),
        JobKind.COMPARISON: ComparisonTask(),
    }
)


def build_payload(job: ClaimedJob, *, provider: TextProvider[Any]) -> Payload:
    """Return the service's request for ``job``. Raises ``NBCatalogError``."""
    spec = job.text_spec
    if (provider.alias, provider.model) != (spec.provider, spec.model):
        raise RequestRejected(
            f"This was to be requested from {spec.provider} ({spec.model}), and the settings name "
            f"{provider.alias} ({provider.model}) now. Request it again."
        )
    return TASKS[spec.kind].build(job, provider)


def pack(result: TextResult) -> ImageResult:
    """Return ``result`` in the form in which a picture goes through the spool: its fields as JSON."""
    content = {name: value for name, value in asdict(result).items() if name not in _RECEIPT}
    return ImageResult(
        data=json.dumps(content).encode(),
        mime_type="application/json",
        usage=result.usage,
        model_version=result.model_version,
        request_id=result.request_id,
    )


def outcome_of(job: ClaimedJob, packed: ImageResult, *, provider: TextProvider[Any]) -> JobOutcome:
    """Return the outcome of a request whose result ``packed`` is. Raises ``NoText``."""
    try:
        texts = TASKS[job.text_spec.kind].read(job, json.loads(packed.data), provider=provider.name)
    except NoText as error:
        raise NoText(
            str(error),
            usage=dict(packed.usage),
            model_version=packed.model_version,
            request_id=packed.request_id,
        ) from error
    return outcome_for_texts(job, texts, packed)


def _sorted_out(proposed: Mapping[str, str], *, provider: str, objection: Any) -> TextContent:
    usable: dict[str, str] = {}
    refused: list[str] = []
    for key, each in proposed.items():
        text = single_line(each)
        if problem := "nothing was proposed." if not text else objection(key, text):
            refused.append(f"{key}: {problem}")
        else:
            usable[key] = text
    if not usable:
        raise NoText("None of the proposed texts can be used. " + " ".join(refused))
    return TextContent(values=usable, provider=provider, refused=tuple(refused))


def _picture(spec: TextSpec, *, longest_side: int) -> tuple[bytes, str]:
    picture = _as_read(storage.read(spec.picture), longest_side=longest_side)
    return picture.data, picture.mime_type


def _as_read(file: bytes, *, longest_side: int) -> Reference:
    """Return a picture file as every text model reads it."""
    limits = Limits(reads=READS, longest_side=longest_side)
    reference, _sent = as_reference(file, limits=limits, **picture_limits())
    return reference


def _add_check(spec: TextSpec, check: Mapping[str, Any]) -> None:
    """Store ``check`` with the others of the picture that ``spec`` is about."""
    image = ProductImage.objects.filter(pk=spec.object_id).select_for_update().first()
    if image is not None:
        image.checks = {**image.checks, **check}
        image.save(update_fields=["checks"])


def photo_for(job: ClaimedJob) -> Photo | None:
    """Return the photo of the product on the picture that ``job`` is about; None if it is not needed.

    Queries the database. Raises what the host's own code does.
    """
    spec = job.text_spec
    if spec.kind not in (JobKind.OCR, JobKind.COMPARISON) or not spec.photo:
        return None
    image = ProductImage.objects.filter(pk=spec.object_id).first()
    product = None if image is None else image.catalog_object
    if product is None:
        return None
    photos = all_photos(product)
    return next((each for each in photos if each.name == spec.photo), None)
