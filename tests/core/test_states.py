"""Every state and every move, from the tables."""

import pytest

from nb_catalog import review
from nb_catalog.core.states import (
    IMAGE_TRANSITIONS,
    JOB_LIVE,
    JOB_TRANSITIONS,
    JOB_UNDERWAY,
    ImageState,
    JobState,
)
from nb_catalog.exceptions import InvalidTransition
from nb_catalog.models import ImageJob, ReviewEvent
from nb_catalog.models.transitions import transition_image, transition_jobs
from tests import factories

pytestmark = pytest.mark.django_db

# Written out once more by hand, from the design: a change of the table must be meant.
DESIGN = {
    ("queued", "leased"), ("leased", "calling"), ("leased", "queued"), ("leased", "failed"),
    ("calling", "succeeded"), ("calling", "refused"), ("calling", "failed"),
    ("calling", "unknown"), ("calling", "waiting"), ("waiting", "queued"),
    ("queued", "submitted"), ("submitted", "succeeded"), ("submitted", "refused"),
    ("submitted", "failed"), ("submitted", "queued"), ("queued", "cancelled"),
    ("waiting", "cancelled"), ("submitted", "cancelled"), ("refused", "queued"),
    ("failed", "queued"), ("unknown", "queued"), ("cancelled", "queued"),
    ("calling", "failed"), ("unknown", "succeeded"), ("submitted", "unknown"),
    ("unknown", "refused"), ("unknown", "failed"), ("unknown", "waiting"), ("queued", "failed"),
}  # fmt: skip


def test_the_table_of_moves_is_the_design_s():
    drawn = {(source, move.target) for move in JOB_TRANSITIONS.values() for source in move.sources}
    assert {(str(a), str(b)) for a, b in drawn} == DESIGN


@pytest.mark.parametrize("state", JobState.values)
@pytest.mark.parametrize("move", JOB_TRANSITIONS)
def test_a_job_makes_the_moves_of_the_table_and_no_other(state, move):
    job = factories.job(state=state)
    sources, target = JOB_TRANSITIONS[move]
    moved = transition_jobs(ImageJob.objects.filter(pk=job.pk), move)
    job.refresh_from_db()
    assert (moved, job.state) == ((1, target) if state in sources else (0, state))


@pytest.mark.parametrize("state", ImageState.values)
@pytest.mark.parametrize("move", IMAGE_TRANSITIONS)
def test_an_image_makes_the_moves_of_the_table_and_no_other(state, move):
    image = factories.image(state=state)
    sources, target = IMAGE_TRANSITIONS[move]
    if state in sources:
        transition_image(image, move)
        image.refresh_from_db()
        assert image.state == target
    else:
        with pytest.raises(InvalidTransition, match=move.replace("_", " ")):
            transition_image(image, move)
        image.refresh_from_db()
        assert image.state == state


@pytest.mark.parametrize("move", IMAGE_TRANSITIONS)
def test_a_decision_is_a_function_and_writes_its_event(move):
    source = next(iter(IMAGE_TRANSITIONS[move].sources))
    image, actor = factories.image(state=source), factories.staff()
    getattr(review, move)(image, actor=actor, note="Because.")
    event = ReviewEvent.objects.get()
    assert (event.image, event.move, event.actor, event.note) == (image, move, actor, "Because.")
    assert event.state == image.state == IMAGE_TRANSITIONS[move].target


@pytest.mark.parametrize("move", JOB_TRANSITIONS)
def test_a_job_holds_its_place_exactly_while_it_should(move):
    sources, target = JOB_TRANSITIONS[move]
    job = factories.job(state=next(iter(sources)))
    transition_jobs(ImageJob.objects.filter(pk=job.pk), move)
    job.refresh_from_db()
    assert job.live_key == (job.fingerprint if target in JOB_LIVE else None)


def test_an_unknown_outcome_holds_its_place_and_is_not_underway():
    assert JobState.UNKNOWN in JOB_LIVE
    assert JobState.UNKNOWN not in JOB_UNDERWAY


def test_every_end_but_success_can_be_taken_up_again():
    ends = set(JobState) - JOB_UNDERWAY - {JobState.SUCCEEDED}
    assert ends == JOB_TRANSITIONS["retry"].sources


def test_a_decision_that_fails_leaves_no_event():
    image = factories.image(state=ImageState.REJECTED)
    with pytest.raises(InvalidTransition):
        review.approve(image, actor=None)
    assert not ReviewEvent.objects.exists()
