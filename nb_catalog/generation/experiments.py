"""Plans and starts experiments: two scenes, or a scene and another prompt for it, on the same products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import ClassVar, Final

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from nb_catalog.core.types import Actor, Treatment
from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.generation import runs
from nb_catalog.generation.arguments import choice_of, rows_named
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.plan_parts import make_plan
from nb_catalog.generation.prompts.background import scene_of
from nb_catalog.generation.subjects import Products, source_of
from nb_catalog.models import Experiment, ExperimentPair, Scene
from nb_catalog.models.experiments import Arm, name_of_look, scene_of_look
from nb_catalog.models.generic import content_type_of
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.registry import source_for
from nb_catalog.series.looks import look_of

MOST_PRODUCTS: Final = 100
"""Products of one experiment: more than a person looks at in one go."""


@dataclass(frozen=True, kw_only=True)
class ExperimentPlanner(BackgroundPlanner):
    """Pictures of products in two scenes, those of the arms A and B. ``seed`` is that of the sample."""

    seed: int = 0

    kind: ClassVar[str] = "experiment"
    # Another prompt for a scene is tried beside what there is.
    replaces: ClassVar[bool] = False

    def title(self) -> str:
        first, second = self.scenes
        return _("Experiment: %(first)s or %(second)s (%(tier)s)") % {
            "first": name_of_look(look_of(first)),
            "second": name_of_look(look_of(second)),
            "tier": self.tier.name,
        }

    def as_request(self) -> dict[str, object]:
        edited = {"prompt": self.scenes[1].prompt} if not self.scenes[1].version else {}
        return {**super().as_request(), **edited, "seed": self.seed}

    def objections(self) -> Iterator[str]:
        yield from super().objections()
        first, second = self.scenes
        if self.provider.composites and not second.version:
            yield _(
                "The tier “%(tier)s” renders scenes and does not read prompts. Choose one with a model, or "
                "compare two scenes."
            ) % {"tier": self.tier.name}


def plan_experiment(
    products: Products,
    *,
    scenes: Sequence[str | Scene],
    prompt: str = "",
    sample: int | None = None,
    seed: int = 0,
    ratio: str = "",
    slot: str = "",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    key: str = "",
) -> Plan:
    """Plan the pictures of an experiment: ``products`` in two ``scenes`` (keys or rows), or in one with its
    own prompt and with ``prompt``, which is not saved in it.

    With ``sample``, that many of the products are drawn; the same ``seed`` draws the same ones. Pictures that
    exist are used again. ``start_experiment`` starts the plan.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    source = source_of(products)
    if slot and slot in source.slot_table:
        ratio = ratio or source.slot(slot).ratio
    arms = _arms(rows_named(Scene, scenes), prompt=prompt)
    chosen = _sampled(products, size=sample, seed=seed)
    planner = ExperimentPlanner(
        source=source,
        tier=tier_named(tier),
        scenes=arms,
        variants=1,
        ratio=ratio or "1:1",
        slot=slot,
        treatment=choice_of(Treatment, treatment, name="treatment"),
        seed=seed if sample is not None else 0,
    )
    return make_plan(planner, chosen, key=key, with_photos=True)


def start_experiment(
    plan: Plan, *, name: str, actor: Actor = None, budget_usd: Decimal | None = None
) -> Experiment:
    """Start ``plan``, one of ``plan_experiment``, and write what is voted on. Small runs go first.

    Starting the same plan again returns the experiment that it became. Raises ``RequestRefused`` if no
    product can be shown in both arms, and what ``start_run`` raises.
    """
    planner = plan.planner
    if not isinstance(planner, ExperimentPlanner):
        raise TypeError("Start plans of plan_experiment() only.")
    with transaction.atomic():
        run = runs.start_run(plan, actor=actor, budget_usd=budget_usd, priority=None)
        first, second = planner.scenes
        experiment, created = Experiment.objects.get_or_create(
            run=run,
            defaults={
                # The plan's title names the scenes, which voters are not to know.
                "name": name.strip()[:80]
                or _("Experiment of %(day)s") % {"day": date_format(timezone.localdate())},
                "content_type": content_type_of(plan.source.model),
                "arm_a": look_of(first),
                "arm_b": look_of(second),
                "options": {
                    "ratio": planner.ratio,
                    "slot": planner.slot,
                    "tier": planner.tier.name,
                    "treatment": planner.treatment.value,
                },
                "actor": actor,
            },
        )
        if created and not ExperimentPair.objects.bulk_create(_pairs(experiment, plan)):
            raise RequestRefused(
                _(
                    "No product of the sample can be shown in both scenes. Look at the plan for the reasons."
                )
            )
    return experiment


def _arms(scenes: tuple[Scene, ...], *, prompt: str) -> tuple[Scene, Scene]:
    """Return unsaved copies of the scenes of both arms. Raises ``PlanRefused``."""
    edited = prompt.strip()
    if not edited:
        if len(scenes) != 2:
            raise PlanRefused(
                _("An experiment compares two scenes, or one scene with another prompt for it.")
            )
        first, second = (scene_of_look(look_of(scene)) for scene in scenes)
        return first, second
    if len(scenes) != 1:
        raise PlanRefused(_("Choose one scene for which to try another prompt."))
    first = scene_of_look(look_of(scenes[0]))
    # As a model gets them: cut to the same length, on one line.
    if first.prompt.strip() and scene_of(edited) == scene_of(first.prompt):
        raise PlanRefused(_("The prompt is that of the scene. Change it, or compare two scenes."))
    second = copy(first)
    second.prompt, second.version = edited, 0
    return first, second


def _sampled(products: Products, *, size: int | None, seed: int) -> Products:
    """Return ``products``, or ``size`` of them: those whose keys have the smallest hashes with ``seed``.

    Raises ``PlanRefused`` for more than ``MOST_PRODUCTS``.
    """
    if size is not None and not 1 <= size <= MOST_PRODUCTS:
        raise PlanRefused(
            _("A sample has 1 to %(most)s products, not %(number)s.")
            % {"most": MOST_PRODUCTS, "number": size}
        )
    known = getattr(products, "keys", None)
    if known is None and isinstance(products, QuerySet):
        known = products.order_by().values_list("pk", flat=True)
    keys = [str(each.pk) for each in products] if known is None else [str(key) for key in known]
    if size is None:
        if len(keys) > MOST_PRODUCTS:
            raise PlanRefused(
                _(
                    "An experiment has at most %(most)s products, and these are %(number)s. Draw a sample "
                    "of them."
                )
                % {"most": MOST_PRODUCTS, "number": len(keys)}
            )
        return products
    drawn = set(sorted(keys, key=lambda key: sha256(f"{seed}:{key}".encode()).digest())[:size])
    if isinstance(products, QuerySet):
        queryset = source_for(products.model).queryset()
        return queryset.filter(pk__in=drawn).order_by("pk")
    rows: list[Model] = [each for each in products if str(each.pk) in drawn]
    return rows


def _pairs(experiment: Experiment, plan: Plan) -> list[ExperimentPair]:
    """Return the unsaved pairs of the products that can be shown in both arms."""
    arms = {
        (look["key"], look["version"]): arm
        for arm in (Arm.A, Arm.B)
        for look in [experiment.look(arm)]
    }
    found: dict[str, dict[Arm, str]] = defaultdict(dict)
    for item in plan.items():
        if item.spec is not None:
            arm = arms[item.spec.scene, item.spec.scene_version]
            found[item.object_id][arm] = item.fingerprint
    both = {key: each for key, each in found.items() if len(each) == 2}
    return [
        ExperimentPair(
            experiment=experiment,
            content_type=experiment.content_type,
            object_id=key,
            position=position,
            fingerprint_a=each[Arm.A],
            fingerprint_b=each[Arm.B],
        )
        for position, (key, each) in enumerate(both.items(), start=1)
    ]
