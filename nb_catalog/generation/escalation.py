"""Plans finals: chosen pictures made again on a higher tier, with the draft to keep its composition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Final, Self

from django.conf import settings as django_settings
from django.db.models import Model
from django.utils import translation
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import JOB_LIVE, ImageState
from nb_catalog.core.types import Photo, RequestMode, Treatment
from nb_catalog.exceptions import NBCatalogError, PictureMissing, RequestRefused
from nb_catalog.generation.lookups import USABLE_STATES
from nb_catalog.generation.photo_report import (
    CutoutTable,
    PhotoReport,
    cutout_in,
    cutouts_of,
    require_usable,
)
from nb_catalog.generation.photos import PhotoReader, size_warning
from nb_catalog.generation.planners import PaidPlanner, plural_name
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.generation.prompts.final import final_prompt
from nb_catalog.models import ImageJob, ProductImage, Scene, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.model_specs import PIXELS
from nb_catalog.providers.tiers import Tier, tiers
from nb_catalog.registry import CatalogSource

MAX_CANDIDATES: Final = 4
# Products whose drafts are in memory together.
BLOCK: Final = 500


@dataclass(frozen=True, kw_only=True)
class EscalationPlanner(PaidPlanner):
    """Finals of ``images`` on ``tier``, ``candidates`` of each.

    ``treatment`` is another one than the drafts have; with None they keep theirs. ``drafts`` are the images
    as they are now, by product, ``taken`` says which have a final already, and ``cutouts`` are those of their
    products; ``for_block`` sets the three.
    """

    source: CatalogSource
    images: tuple[ProductImage, ...]
    tier: Tier
    candidates: int = 2
    treatment: Treatment | None = None
    mode: RequestMode = RequestMode.DIRECT
    drafts: Mapping[str, Sequence[ProductImage]] = field(default_factory=dict)
    taken: Mapping[int, str] = field(default_factory=dict)
    cutouts: CutoutTable = field(default_factory=dict)
    photos: PhotoReport | None = None
    # A field, so that the copies for blocks share its time.
    photo_reader: PhotoReader = field(default_factory=PhotoReader, compare=False)

    kind: ClassVar[str] = "escalation"
    products_per_block: ClassVar[int] = BLOCK

    @property
    def per_product(self) -> int:
        return self.each_draft

    @property
    def each_draft(self) -> int:
        """The number of finals of each draft. A renderer would make the same one again."""
        return 1 if self.provider.composites else self.candidates

    @property
    def reference_count(self) -> int:
        specs = (ImageSpec.of_image(image.spec) for image in self.images)
        return max((_references(each, has_draft=True) for each in specs), default=1)

    def title(self) -> str:
        return _("%(what)s: finals (%(tier)s)") % {
            "what": plural_name(self.source),
            "tier": self.tier.name,
        }

    def as_request(self) -> dict[str, object]:
        return {
            "model": self.source.label,
            "images": sorted(image.pk for image in self.images),
            "tier": self.tier.name,
            "candidates": self.candidates,
            "treatment": "" if self.treatment is None else self.treatment.value,
            "mode": self.mode.value,
        }

    def objections(self) -> Iterator[str]:
        if not 1 <= self.candidates <= MAX_CANDIDATES:
            yield _("Candidates must be between 1 and %(most)s, not %(number)s.") % {
                "most": MAX_CANDIDATES,
                "number": self.candidates,
            }
        if self.treatment == Treatment.PHOTO:
            yield _("A final has the treatment of its draft, locked, relit or painted.")
        # Ratio, treatment and references depend on the draft; here they are any that the model takes.
        model_spec = self.tier.model_spec
        yield from self.tier_objections(
            ratio=model_spec.ratios[0], treatment=model_spec.treatments[0], references=0
        )

    def for_block(self, products: Sequence[Model]) -> Self:
        """Return a copy with the drafts of ``products`` as they are now, which of them have a final, and the
        cut-outs. Four queries."""
        keys = [str(product.pk) for product in products]
        wanted = {image.pk for image in self.images if image.object_id in set(keys)}
        rows = ProductImage.objects.filter(pk__in=wanted).select_related("parent")
        drafts: dict[str, list[ProductImage]] = defaultdict(list)
        for image in rows.defer("provenance", "parent__provenance", "parent__spec"):
            drafts[image.object_id].append(image)
        return replace(
            self,
            drafts=drafts,
            taken=taken_drafts([each for group in drafts.values() for each in group]),
            cutouts=cutouts_of(self.source, products),
        )

    def specs(self, product: Model) -> Iterator[ImageSpec | NBCatalogError]:
        for image in self.drafts.get(str(product.pk), ()):
            try:
                spec = self.final_of(image, product)
            except NBCatalogError as error:
                yield error
                continue
            for number in range(1, self.each_draft + 1):
                yield replace(spec, candidate=number)

    def final_of(self, image: ProductImage, product: Model) -> ImageSpec:
        """Return the spec of the first final of ``image``.

        Raises ``RequestRefused`` if it cannot have one, ``PictureError`` without the draft's photo.
        """
        draft = ImageSpec.of_image(image.spec)
        if reason := self.taken.get(image.pk) or objection_to(image, draft, tier=self.tier):
            raise RequestRefused(reason)
        spec = self._on_tier(image, draft)
        objections = tuple(
            self.tier_objections(
                ratio=spec.ratio,
                treatment=spec.treatment,
                references=0 if self.provider.composites else _references(spec),
            )
        )
        if objections:
            raise RequestRefused(*objections)
        if not draft.parts:
            photo = self._photo_of(draft, product)
            if spec.shows_photo:
                cutout = cutout_in(self.cutouts, product, photo)
                require_usable(spec.photo_kind, cutout)
                spec = replace(spec, cutout=cutout.person_mask if cutout is not None else "")
        if not self.provider.composites:
            spec = replace(spec, prompt=self._prompt(spec, draft, image, product))
        return spec

    def next_variant(self, spec: ImageSpec) -> ImageSpec:
        """Return the spec of another candidate, in place of one that was rejected."""
        return replace(spec, candidate=spec.candidate + self.each_draft)

    def warnings(self, product: Model) -> Iterator[str]:
        """Yield that the photo is too small for a larger picture, and that the scene's prompt is newer than
        the draft where a model gets it."""
        for image in self.images:
            draft, scene = ImageSpec.of_image(image.spec), self._scenes.get(image.scene)
            if image.object_id != str(product.pk):
                continue
            if draft.shows_photo and not draft.parts:
                photos = [each for each in self.source.photos(product) if each.name == draft.photo]
                size = PIXELS.get(draft.ratio, {}).get(self.tier.size)
                if photos and size and (warning := size_warning(photos[0], requested=size)):
                    yield warning
            is_written = not draft.prompt and not self.provider.composites and not image.series
            if is_written and scene is not None and scene.version != draft.scene_version:
                yield (
                    _(
                        "The scene “%(scene)s” was changed since the draft was made. The model gets its "
                        "prompt of today, and the draft."
                    )
                    % {"scene": scene.name}
                )

    def _on_tier(self, image: ProductImage, draft: ImageSpec) -> ImageSpec:
        """Return the draft's spec with the tier's model, the draft, and what of it this model needs."""
        renders = self.provider.composites
        common: dict[str, Any] = {
            "provider": self.tier.provider,
            "model": self.tier.model,
            "size": self.tier.size,
            "thinking": self.tier.thinking,
            "treatment": self._treatment_of(draft),
            # What the edit changed is seen in the draft.
            "edit": {},
            "draft": image.sha256,
            "draft_request": image.request_hash,
            "candidate": 1,
        }
        if renders:
            if not draft.renderer or draft.prompt:
                raise RequestRefused(
                    _(
                        "The tier “%(tier)s” renders scenes, and cannot keep the composition of picture "
                        "%(pk)s, which a model painted. Choose a tier with a model."
                    )
                    % {"tier": self.tier.name, "pk": image.pk}
                )
            if draft.edit:
                raise RequestRefused(
                    _(
                        "Picture %(pk)s was edited, which a renderer cannot repeat. Make picture "
                        "%(below)s, from which it was made, final and edit that, or choose a tier with a "
                        "model."
                    )
                    % {"pk": image.pk, "below": image.parent_id}
                )
            return replace(draft, **common, draft_file="")
        painted = common["treatment"] == Treatment.PAINTED
        camera = draft.camera
        if not painted and not camera and image.checks.get("view") == "top":
            camera = {"view": "top"}
        of_photo: dict[str, Any] = {"pose": "", "photo_kind": "", "cutout": ""} if painted else {}
        return replace(
            draft,
            **common,
            **of_photo,
            # Letters that a model has painted wrong would be copied; the picture below them goes along.
            draft_file="" if draft.paints_text else self._draft_file(image, common["treatment"]),
            renderer=draft.renderer if draft.base else {},
            camera=camera,
        )

    def _treatment_of(self, draft: ImageSpec) -> str:
        if self.treatment is not None:
            return self.treatment.value
        # The product's own pixels stay where no model can put light on them.
        treatments = self.tier.model_spec.treatments
        is_relit = draft.treatment == Treatment.RELIT and Treatment.RELIT not in treatments
        return Treatment.LOCKED.value if is_relit else draft.treatment

    def _draft_file(self, image: ProductImage, treatment: str) -> str:
        """Return the file that shows a model the composition: of a locked product the background alone, if
        there is one."""
        parent = image.parent
        if (
            treatment != Treatment.PAINTED
            and parent is not None
            and parent.kind == ImageKind.BACKDROP
            and parent.pruned_at is None
        ):
            return str(parent.file.name)
        return str(image.file.name)

    def _photo_of(self, draft: ImageSpec, product: Model) -> Photo:
        """Return the photo that the draft was made from. Raises ``PictureMissing`` if it is another one
        now."""
        with host_code(f"{type(self.source).__name__}.photos()"):
            photos = self.source.photos(product)
        photo = next((each for each in photos if each.name == draft.photo), None)
        if photo is None or photo.version != draft.photo_version:
            raise PictureMissing(
                _(
                    "The photo that the draft was made from was replaced or removed since. Make a new draft "
                    "from the photo of today."
                )
            )
        self.photo_reader.check(photo)
        return photo

    def _prompt(
        self, spec: ImageSpec, draft: ImageSpec, image: ProductImage, product: Model
    ) -> str:
        prompt = draft.prompt
        if not prompt or spec.treatment != draft.treatment:
            prompt = self._new_prompt(spec, image, product)
        if not spec.draft_file:
            return prompt
        return final_prompt(
            prompt,
            treatment=spec.treatment,
            references=_references(spec),
            products=len(spec.parts) or 1,
            shows_product=spec.draft_file == str(image.file.name),
            is_edited=bool(draft.edit),
        )

    def _new_prompt(self, spec: ImageSpec, image: ProductImage, product: Model) -> str:
        """Return the prompt of a draft that was rendered, or had another treatment."""
        about = {"pk": image.pk}
        if spec.parts or spec.base:
            raise RequestRefused(
                _(
                    "Picture %(pk)s shows several products or text, and has no prompt for this tier and "
                    "treatment. Keep its treatment, or choose a tier that renders."
                )
                % about
            )
        scene = self._scenes.get(image.scene)
        if scene is None:
            raise RequestRefused(
                _(
                    "The scene of picture %(pk)s was deleted, so there is no prompt for a model. Choose a "
                    "tier that renders, or make a new draft."
                )
                % about
            )
        # Always in the site's language: the same picture requested in two languages would be paid for twice.
        reading = host_code(f"{type(self.source).__name__}, title() or facts(),")
        with translation.override(django_settings.LANGUAGE_CODE), reading:
            return background_prompt(
                treatment=spec.treatment,
                title=self.source.title(product),
                facts=self.source.facts(product),
                scene_prompt=scene.prompt,
                ratio=spec.ratio,
                has_backdrop=bool(spec.backdrop),
                view=str(spec.camera.get("view", "")),
                has_anchor=bool(spec.anchor_file),
            )

    @cached_property
    def _scenes(self) -> Mapping[str, Scene]:
        """The scenes of the drafts by key; those of series as they were adopted."""
        scenes = Scene.objects.filter(key__in={image.scene for image in self.images})
        found = {scene.key: scene for scene in scenes}
        rows = Series.objects.filter(key__in={image.series for image in self.images} - {None})
        return found | {row.scene_key: row.frozen_scene(row.groups[0]) for row in rows}


def objection_to(image: ProductImage, draft: ImageSpec, *, tier: Tier) -> str:
    """Return why ``image`` cannot have a final on ``tier``; "" if it can, as far as the picture itself
    says."""
    about = {"pk": image.pk, "tier": tier.name, "own": image.tier, "below": image.parent_id}
    order = [each.name for each in tiers()]
    is_higher = image.tier not in order or order.index(tier.name) > order.index(image.tier)
    made_by = (draft.provider, draft.model, draft.size)
    if image.kind != ImageKind.PICTURE:
        text = _("Picture %(pk)s shows a background without the product.")
    elif image.state == ImageState.REJECTED:
        text = _("Picture %(pk)s was rejected. Return it to review before it is made final.")
    elif image.state == ImageState.RETIRED:
        text = _("Picture %(pk)s is retired. Approve it again before it is made final.")
    elif image.pruned_at is not None:
        text = _("The file of picture %(pk)s was deleted. Generate another one.")
    elif draft.is_own_photo:
        text = _("Picture %(pk)s is the product’s own photo, which no tier makes better.")
    elif draft.sets_text:
        text = _(
            "The text on picture %(pk)s is typeset. Make picture %(below)s, which is below it, final: the "
            "text follows."
        )
    elif not is_higher:
        text = _(
            "Picture %(pk)s is of the tier “%(own)s”, and “%(tier)s” is not a higher one. Choose a higher "
            "tier."
        )
    elif made_by == (tier.provider, tier.model, tier.size):
        text = _(
            "The tier “%(tier)s” has the model and the size that picture %(pk)s was made with. Choose "
            "another tier."
        )
    else:
        return ""
    return text % about


def taken_drafts(images: Sequence[ProductImage]) -> dict[int, str]:
    """Return, by key, why those of ``images`` that have a final already cannot have another one. Two
    queries."""
    if not images:
        return {}
    taken: dict[int, str] = {}
    made = ProductImage.objects.filter(
        draft__in=[image.pk for image in images], kind=ImageKind.PICTURE, state__in=USABLE_STATES
    )
    for final in made.only("pk", "draft_id", "state").order_by("-pk"):
        text = _(
            "Picture %(pk)s has a final already: picture %(final)s (%(state)s). Decide about that one."
        )
        taken[final.draft_id or 0] = text % {
            "pk": final.draft_id,
            "final": final.pk,
            "state": final.get_state_display().lower(),
        }
    by_digest = {(each.content_type_id, each.object_id, each.sha256): each.pk for each in images}
    jobs = ImageJob.objects.filter(
        content_type__in={image.content_type_id for image in images},
        object_id__in={image.object_id for image in images},
        state__in=JOB_LIVE,
    )
    for job in jobs.only("content_type_id", "object_id", "run_id", "spec"):
        key = (job.content_type_id, job.object_id, str(job.spec.get("draft", "")))
        if key in by_digest:
            text = _(
                "A final of picture %(pk)s is being made by run %(run)s, or its outcome is not known yet. "
                "Wait for it."
            )
            taken[by_digest[key]] = text % {"pk": by_digest[key], "run": job.run_id}
    return taken


def _references(spec: ImageSpec, *, has_draft: bool = False) -> int:
    """Return how many pictures are sent along with the request for ``spec`` to a model."""
    files = (spec.canvas, spec.anchor_file, spec.backdrop_file, spec.draft_file or has_draft)
    return sum(map(bool, files)) + (0 if spec.locked and not has_draft else len(spec.parts) or 1)
