"""What an experiment has shown: votes, checks and costs of both arms, and what becomes of the winner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from nb_catalog.core.intervals import Interval, wilson_interval
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Experiment, ExperimentVote, ProviderCall, Scene
from nb_catalog.models.experiments import Arm, VoteChoice
from nb_catalog.review.services import needs_individual_review
from nb_catalog.review.votes import PairPictures, pictures_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """What became of one arm. ``products`` are those that most of their votes chose it for; ``checks_failed``
    counts pictures that may be approved individually only. ``cost_microusd`` is that of this experiment's own
    calls, None if one of them has no known cost; ``reused`` pictures were there before."""

    arm: Arm
    name: str
    votes: int
    products: int
    pictures: int
    reused: int
    checks_failed: int
    cost_microusd: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoterResult:
    """The votes of one person."""

    name: str
    a: int
    b: int
    ties: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentResult:
    """``share`` is the interval of the share of products, of those with a majority, that chose arm A.

    A product counts once however many people voted on it, because products are what was sampled: several
    people who look at the same pictures do not add evidence about the rest of the catalog.
    """

    a: ArmResult
    b: ArmResult
    votes: int
    ties: int
    undecided: int
    share: Interval
    voters: tuple[VoterResult, ...]
    waiting: int
    missing: int
    pairs: tuple[PairPictures, ...]

    @property
    def arms(self) -> tuple[ArmResult, ArmResult]:
        return self.a, self.b

    @property
    def winner(self) -> ArmResult | None:
        """The arm that is shown to be preferred; None if no difference is shown."""
        if self.share.holds_half:
            return None
        return self.a if self.share.low > 0.5 else self.b


def result_of(experiment: Experiment) -> ExperimentResult:
    """Return the result so far. A constant number of queries."""
    pairs = pictures_of(experiment)
    rows = ExperimentVote.objects.filter(pair__experiment=experiment).select_related("voter")
    by_pair: dict[int, Counter[str]] = {}
    by_voter: dict[str, Counter[str]] = {}
    for row in rows.order_by("voter", "pk"):
        by_pair.setdefault(row.pair_id, Counter())[row.choice] += 1
        by_voter.setdefault(row.voter.get_username(), Counter())[row.choice] += 1
    votes = sum(by_pair.values(), Counter())
    ahead = Counter(_majority(each) for each in by_pair.values())
    costs, made = _costs(experiment)
    arms = {}
    for arm in Arm:
        images = [each.pictures[arm] for each in pairs if arm in each.pictures]
        prints = {each.pair.fingerprint(arm) for each in pairs}
        arm_costs = [cost for key, cost in costs.items() if key in prints]
        arms[arm] = ArmResult(
            arm=arm,
            name=experiment.arm_name(arm),
            votes=votes[arm],
            products=ahead[arm],
            pictures=len(images),
            reused=sum(image.job_id not in made for image in images),
            checks_failed=sum(map(needs_individual_review, images)),
            cost_microusd=None if None in arm_costs else sum(filter(None, arm_costs)),
        )
    waiting = sum(each.is_underway for each in pairs if not each.is_ready)
    return ExperimentResult(
        a=arms[Arm.A],
        b=arms[Arm.B],
        votes=votes.total(),
        ties=votes[VoteChoice.TIE],
        undecided=ahead[""],
        share=wilson_interval(ahead[Arm.A], ahead[Arm.A] + ahead[Arm.B]),
        voters=tuple(
            VoterResult(name=name, a=each[Arm.A], b=each[Arm.B], ties=each[VoteChoice.TIE])
            for name, each in by_voter.items()
        ),
        waiting=waiting,
        missing=sum(not each.is_ready for each in pairs) - waiting,
        pairs=tuple(pairs),
    )


def adopt_prompt(experiment: Experiment) -> Scene:
    """Save the prompt of arm B in its scene, as the scene's new version. The pictures of arm B are then those
    of the scene as it is: a plan of the whole catalog finds them.

    Raises ``RequestRefused`` if both arms are saved scenes or the scene was deleted, ``InvalidTransition`` if
    the scene was changed since the experiment was planned.
    """
    if not experiment.edits_prompt:
        raise RequestRefused(
            _("Both arms are scenes as they are saved. There is no prompt to save.")
        )
    with transaction.atomic():
        rows = Scene.objects.select_for_update().filter(key=experiment.arm_b["key"])
        scene: Scene | None = rows.first()
        if scene is None:
            raise RequestRefused(
                _(
                    "The scene “%(scene)s” was deleted. Create it again with the prompt of this experiment."
                )
                % {"scene": experiment.arm_b["name"]}
            )
        if scene.version != experiment.arm_a["version"]:
            raise InvalidTransition(
                _(
                    "The scene “%(scene)s” was changed since the experiment was planned. Open the scene, and "
                    "take over the prompt there."
                )
                % {"scene": scene.name}
            )
        scene.prompt = experiment.arm_b["prompt"]
        scene.save()
    return scene


def _majority(votes: Mapping[str, int]) -> str:
    """Return the arm with most votes for a product; "" if there is none."""
    first, second = votes.get(Arm.A, 0), votes.get(Arm.B, 0)
    return "" if first == second else str(Arm.A if first > second else Arm.B)


def _costs(experiment: Experiment) -> tuple[dict[str, int | None], set[int]]:
    """Return what was paid for each fingerprint in the run of ``experiment``, None if not all of it is known,
    and the keys of its jobs. Two queries."""
    if experiment.run is None:
        return {}, set()
    calls = ProviderCall.objects.filter(job__run=experiment.run_id).order_by()
    sums = calls.values_list("job__fingerprint").annotate(
        Sum("cost_microusd"), Count("pk"), Count("cost_microusd")
    )
    costs = {key: total if number == priced else None for key, total, number, priced in sums}
    return costs, set(experiment.run.jobs.values_list("pk", flat=True))
