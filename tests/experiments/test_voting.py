"""Votes: a hidden order, one for each person and product, and what they show together."""

import pytest
from django.utils import timezone

from nb_catalog import generation, review
from nb_catalog.core.intervals import wilson_interval
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import ExperimentVote, ProductImage, ProviderCall
from nb_catalog.review import Side
from nb_catalog.review.votes import picture_on, sides_of
from tests import factories
from tests.experiments.conftest import PROMPT, scene, started
from tests.story.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def choose(pair, arm, *, voter):
    """Vote for ``arm`` on whichever side ``voter`` sees it; "tie" for neither."""
    side = (
        Side.TIE
        if arm == "tie"
        else Side(("left", "right")[sides_of(pair, voter=voter).index(arm)])
    )
    return review.vote(pair, side, voter=voter)


def people(number=2):
    return [factories.staff(name=f"voter{each}") for each in range(number)]


def test_the_order_is_the_voter_s_own_and_stays(script):
    made = started(24)
    first, second = people()
    seen = {
        who: [(each.pair.pk, each.left.pk) for each in review.ballots_of(made.row, voter=who).ready]
        for who in (first, second)
    }
    again = review.ballots_of(made.row, voter=first).ready
    assert seen[first] == [(each.pair.pk, each.left.pk) for each in again]
    assert [pk for pk, _left in seen[first]] != [pk for pk, _left in seen[second]]
    assert dict(seen[first]) != dict(seen[second])
    # Neither arm has a side: of 24 products each is on the left of some.
    lefts = {sides_of(pair, voter=first)[0] for pair in made.pairs}
    assert lefts == {"a", "b"}


def test_a_side_shows_the_picture_that_is_voted_for(script):
    made = started(6)
    [voter] = people(1)
    for ballot in review.ballots_of(made.row, voter=voter).ready:
        assert picture_on(ballot.pair, Side.LEFT, voter=voter) == ballot.left
        row = review.vote(ballot.pair, Side.LEFT, voter=voter)
        assert made.images[ballot.pair.pk, row.choice] == ballot.left
    assert {each.choice for each in review.ballots_of(made.row, voter=voter).ready} == {Side.LEFT}


def test_a_vote_is_changed_and_not_added_until_it_is_closed(script):
    made = started(1)
    [pair], [voter] = made.pairs, people(1)
    choose(pair, "a", voter=voter)
    choose(pair, "tie", voter=voter)
    choose(pair, "b", voter=voter)
    assert [row.choice for row in ExperimentVote.objects.all()] == ["b"]
    review.close_experiment(made.row)
    with pytest.raises(InvalidTransition, match="closed"):
        choose(pair, "a", voter=voter)
    with pytest.raises(InvalidTransition, match="closed already"):
        review.close_experiment(made.row)
    assert ExperimentVote.objects.get().choice == "b"


def test_votes_at_once_are_one_vote_and_none_is_counted_after_the_end(script):
    made = started(1)
    [pair], [voter] = made.pairs, people(1)
    others = [factories.staff(name=f"late{number}") for number in range(4)]

    def end():
        review.close_experiment(made.row)

    outcomes = at_once(
        *[
            lambda choice=choice: choose(pair, choice, voter=voter)
            for choice in ("a", "b", "tie") * 2
        ],
        end,
        *[lambda who=who: choose(pair, "a", voter=who) for who in others],
    )
    unexpected = [
        each
        for each in outcomes
        if isinstance(each, Exception) and not isinstance(each, InvalidTransition)
    ]
    assert not unexpected
    counted = [each for each in outcomes if isinstance(each, ExperimentVote)]
    assert ExperimentVote.objects.count() == len({each.voter_id for each in counted})
    assert ExperimentVote.objects.filter(voter=voter).count() <= 1
    with pytest.raises(InvalidTransition):
        choose(pair, "a", voter=voter)


def test_what_lacks_a_picture_is_skipped_and_counted(script):
    made = started(4, lacks=[(0, "a"), (1, "b")])
    made.row.run.jobs.exclude(state="refused").update(state="succeeded", live_key=None)
    waits = made.images.pop((made.pairs[2].pk, "b"))
    made.row.run.jobs.filter(fingerprint=waits.fingerprint).update(
        state="queued", live_key=waits.fingerprint
    )
    waits.delete()
    [voter] = people(1)
    ballots = review.ballots_of(made.row, voter=voter)
    assert (len(ballots.ready), ballots.waiting, ballots.missing) == (1, 1, 2)
    with pytest.raises(RequestRefused, match="does not exist"):
        review.vote(made.pairs[0], Side.LEFT, voter=voter)
    result = review.result_of(made.row)
    assert (result.waiting, result.missing) == (1, 2)
    assert (result.a.pictures, result.b.pictures) == (3, 2)


def test_a_picture_of_unknown_outcome_is_missing_and_not_being_made(script):
    made = started(1)
    image = made.images[made.pairs[0].pk, "b"]
    jobs = made.row.run.jobs.filter(fingerprint=image.fingerprint)
    assert jobs.update(state="unknown", live_key=image.fingerprint) == 1
    image.delete()
    ballots = review.ballots_of(made.row, voter=people(1)[0])
    assert (len(ballots.ready), ballots.waiting, ballots.missing) == (0, 0, 1)


def test_a_picture_rejected_meanwhile_is_still_voted_on_and_one_without_a_file_is_not(script):
    made = started(2)
    first, second = (made.images[pair.pk, "a"] for pair in made.pairs)
    made.row.run.jobs.update(state="succeeded", live_key=None)
    ProductImage.objects.filter(pk=first.pk).update(state="rejected")
    ProductImage.objects.filter(pk=second.pk).update(pruned_at=second.created_at)
    ballots = review.ballots_of(made.row, voter=people(1)[0])
    assert [each.pair for each in ballots.ready] == [made.pairs[0]] and ballots.missing == 1


def test_products_are_counted_and_not_people(script):
    made = started(10)
    first, second, third = people(3)
    for pair in made.pairs:
        for voter in (first, second):
            choose(pair, "a", voter=voter)
        choose(pair, "b", voter=third)
    result = review.result_of(made.row)
    assert (result.a.votes, result.b.votes, result.ties) == (20, 10, 0)
    # Ten products, not thirty votes: all ten are for A by majority.
    assert (result.a.products, result.b.products) == (10, 0)
    assert result.share == wilson_interval(10, 10) and result.winner == result.a
    assert [(each.name, each.a, each.b) for each in result.voters] == [
        ("voter0", 10, 0), ("voter1", 10, 0), ("voter2", 0, 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "winner"),
    [
        (["a"] * 6 + ["b"] * 2, None),
        (["b"] * 8 + ["a"], "b"),
        (["a"] * 8 + ["b"], "a"),
        (["tie"] * 9, None),
        (["a"] * 4, "a"),
        (["a"] * 3, None),
    ],
)
def test_a_winner_is_named_only_if_half_is_out_of_the_question(script, choices, winner):
    made = started(len(choices))
    [voter] = people(1)
    for pair, choice in zip(made.pairs, choices, strict=True):
        choose(pair, choice, voter=voter)
    result = review.result_of(made.row)
    assert (result.winner and result.winner.arm) == winner
    assert result.ties == choices.count("tie") == result.undecided


def test_an_interval_is_wilson_s():
    # Values of Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I.
    for successes, trials, low, high in (
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
    ):  # fmt: skip
        interval = wilson_interval(successes, trials)
        assert interval == pytest.approx((low, high), abs=5e-5)
        mirrored = wilson_interval(trials - successes, trials)
        assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)
    assert wilson_interval(0, 0) == (0, 1)


def test_costs_and_failed_checks_are_those_of_each_arm(script):
    made = started(2)
    for pair in made.pairs:
        image = made.images[pair.pk, "b"]
        for number, job in enumerate(made.row.run.jobs.filter(fingerprint=image.fingerprint)):
            image.job = job
            image.checks = {"finish_reason": "OTHER"}
            image.save()
            call = ProviderCall.objects.create(
                job=job, run=job.run, epoch=number, provider="paid", model="m",
                started_at=timezone.now(), estimate_microusd=33_600, cost_microusd=30_000,
            )  # fmt: skip
    result = review.result_of(made.row)
    assert (result.a.cost_microusd, result.b.cost_microusd) == (0, 60_000)
    assert (result.a.checks_failed, result.b.checks_failed) == (0, 2)
    # Pictures of A were there before: their rows are of no job of this run.
    assert (result.a.reused, result.b.reused) == (2, 0)
    ProviderCall.objects.filter(pk=call.pk).update(cost_microusd=None)
    assert review.result_of(made.row).b.cost_microusd is None


def test_voters_see_no_result_while_they_can_change_their_votes(script):
    owner = factories.staff(Permission.GENERATE, name="owner")
    other = factories.staff(Permission.GENERATE, name="other")
    [voter] = people(1)
    made = started(2, actor=owner)
    may = review.may_see_result
    assert may(owner, made.row) and not may(other, made.row) and not may(voter, made.row)
    for pair in made.pairs:
        choose(pair, "a", voter=voter)
    assert review.ballots_of(made.row, voter=voter).is_complete and not may(voter, made.row)
    review.close_experiment(made.row)
    assert may(voter, made.row) and may(other, made.row)


def test_the_winning_prompt_becomes_the_scene_s_and_its_pictures_are_used(script):
    factories.scene("marble")
    made = started(2, scenes=["marble"], prompt=PROMPT)
    made.row.run.jobs.update(state="succeeded", live_key=None)
    saved = review.adopt_prompt(made.row)
    assert (saved.version, scene("marble").prompt) == (2, PROMPT)
    whole = generation.plan_backgrounds(
        made.products, scenes=["marble"], ratio="4:5", treatment="painted"
    )
    assert whole.summary().count_of("present") == 2 and whole.summary().wanted == 0
    with pytest.raises(InvalidTransition, match="was changed"):
        review.adopt_prompt(made.row)
    scene("marble").delete()
    with pytest.raises(RequestRefused, match="was deleted"):
        review.adopt_prompt(made.row)
    with pytest.raises(RequestRefused, match="no prompt to save"):
        review.adopt_prompt(started(1).row)


def test_the_result_of_many_products_takes_as_many_queries_as_of_one(
    script, django_assert_num_queries
):
    for number in (1, 8):
        made = started(number)
        [voter] = [factories.staff(name=f"counts{number}")]
        for pair in made.pairs:
            choose(pair, "a", voter=voter)
        with django_assert_num_queries(6):
            review.result_of(made.row)
        with django_assert_num_queries(4):
            review.ballots_of(made.row, voter=voter)
