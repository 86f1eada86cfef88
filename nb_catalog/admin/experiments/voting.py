"""The pages on which people vote without knowing which picture is which, and that show the result."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from nb_catalog import review
from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.formatting import dollars
from nb_catalog.admin.generate.selection import store_selection
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import (
    InvalidTransition,
    NotRegistered,
    PictureError,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.generation.drawings import MIME_TYPE
from nb_catalog.models import Experiment, ExperimentPair, Scene
from nb_catalog.models.db.money import usd
from nb_catalog.models.experiments import Arm
from nb_catalog.registry import CatalogSource, source_for
from nb_catalog.review.experiments import ArmResult
from nb_catalog.review.votes import Side, ballot_file, picture_on


class VotingViews:
    """Additional pages of ``ExperimentAdmin``."""

    def voting_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/vote/",
                self.vote_page,
                name="vote",
                action=Action.VOTE,
                api="experiment_ballots experiment_votes",
            ),
            # Not cacheable: the address is the same for everyone, and the picture is not.
            self.page(
                "<int:pk>/vote/<int:pair>/<slug:side>/",
                self.picture,
                name="picture",
                action=Action.VOTE,
                api="experiment_picture",
            ),
            self.page(
                "<int:pk>/result/",
                self.result_page,
                name="result",
                action=Action.VOTE,
                api="experiment_result",
            ),
            self.page(
                "<int:pk>/close/",
                require_POST(self.close),
                name="close",
                action=Action.CLOSE_EXPERIMENT,
                api="experiment_close",
            ),
            self.page(
                "<int:pk>/use/",
                require_POST(self.use_winner),
                name="use",
                action=Action.PLAN,
                api="experiment_save_prompt",
            ),
        ]

    def vote_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows one product with both of its pictures, POST notes what was chosen for one."""
        experiment = self._experiment(request, pk)
        if request.method == "POST":
            return self._vote(request, experiment)
        ballots = review.ballots_of(experiment, voter=request.user)
        key = request.GET.get("product", "")
        # The one that the address names, otherwise the first one without a vote, and its number from 1.
        ballot: Any = None
        number = 0
        for place, each in enumerate(ballots.ready, start=1):
            if str(each.pair.pk) == key or (not key and each.choice is None):
                ballot, number = each, place
                break
        ordered = [each.pair.pk for each in ballots.ready]
        infos = catalog_objects.info_for_objects(
            [each.pair for each in ballots.ready], site=self.admin_site
        )
        titles = {
            each.pair.pk: infos[each.pair.content_type_id, each.pair.object_id]
            for each in ballots.ready
        }
        context = self.page_context(
            request,
            title=experiment.name,
            experiment=experiment,
            ballots=ballots,
            ballot=ballot,
            number=number,
            product=titles[ballot.pair.pk] if ballot else None,
            previous=ordered[number - 2] if ballot and number > 1 else None,
            following=ordered[number] if ballot and number < len(ordered) else None,
            chosen=[
                (each.pair.pk, titles[each.pair.pk].title, each.choice) for each in ballots.ready
            ],
            may_see_result=review.may_see_result(request.user, experiment),
            run=self._run_of(request, experiment),
        )
        return TemplateResponse(request, "admin/nb_catalog/experiment/vote.html", context)

    def picture(self, request: HttpRequest, pk: int, pair: int, side: str) -> HttpResponse:
        """Serve the picture that the user sees on one side, under an address that does not identify it."""
        experiment = self._experiment(request, pk)
        row = get_object_or_404(ExperimentPair, pk=pair, experiment=experiment)
        if side not in (Side.LEFT, Side.RIGHT):
            raise Http404
        image = picture_on(row, Side(side), voter=request.user)
        if image is None:
            raise Http404
        try:
            response = HttpResponse(ballot_file(image), content_type=MIME_TYPE)
        except (PictureError, StorageFailed) as error:
            raise Http404(str(error)) from error
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def result_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the votes of everyone and which scene won, to those who may know it."""
        experiment = self._experiment(request, pk)
        if not review.may_see_result(request.user, experiment):
            message = gettext("You see the result once the vote is closed.")
            self.message_user(request, message, messages.WARNING)
            return redirect(self.url_of("vote", pk))
        result = review.result_of(experiment)
        # The interval of arm A's share, or of the winner's.
        low, high = result.share
        if result.winner is not None and result.winner.arm == Arm.B:
            low, high = 1 - high, 1 - low
        decided = result.a.products + result.b.products
        site = self.admin_site
        infos = catalog_objects.info_for_objects([each.pair for each in result.pairs], site=site)
        is_owner = may(request.user, Action.CLOSE_EXPERIMENT, owner=experiment.actor_id)
        context = self.page_context(
            request,
            title=gettext("Result: %s") % experiment.name,
            experiment=experiment,
            result=result,
            share={"low": round(100 * low), "high": round(100 * high), "decided": decided},
            arms=[_arm_context(each, experiment) for each in result.arms],
            products=[
                {
                    "info": infos[each.pair.content_type_id, each.pair.object_id],
                    "pictures": [
                        (arm, each.pictures.get(arm), self._thumbnail(each.pictures.get(arm)))
                        for arm in Arm
                    ],
                }
                for each in result.pairs
            ],
            may_close=is_owner and experiment.closed_at is None,
            may_use=may(request.user, Action.START_EXPERIMENT),
            needs_saving=experiment.edits_prompt and not _is_saved(experiment),
            may_save=may(request.user, Action.SAVE_PROMPT),
            prompt=experiment.arm_b["prompt"]
            if experiment.edits_prompt and may(request.user, Action.READ_SCENE_PROMPTS)
            else "",
            run=self._run_of(request, experiment),
        )
        return TemplateResponse(request, "admin/nb_catalog/experiment/result.html", context)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        experiment = self._experiment(request, pk)
        if not may(request.user, Action.CLOSE_EXPERIMENT, owner=experiment.actor_id):
            raise PermissionDenied
        try:
            review.close_experiment(experiment)
        except InvalidTransition as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            message = gettext("Closed. Everyone who may vote now sees the result.")
            self.message_user(request, message, messages.SUCCESS)
        return redirect(self.url_of("result", pk))

    def use_winner(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save the prompt if the arm has one, and go to the page that generates the whole catalog in it."""
        experiment = self._experiment(request, pk)
        source = self._source(experiment)
        if not may(request.user, Action.PLAN, model=source.model):
            raise PermissionDenied
        arm = Arm.B if request.POST.get("arm") == Arm.B else Arm.A
        if arm == Arm.B and experiment.edits_prompt and not _is_saved(experiment):
            if not may(request.user, Action.SAVE_PROMPT):
                raise PermissionDenied
            try:
                scene = review.adopt_prompt(experiment)
            except (InvalidTransition, RequestRefused) as error:
                self.message_user(request, str(error), messages.ERROR)
                return redirect(self.url_of("result", pk))
            message = gettext("Saved as version %(version)s of the scene “%(scene)s”.")
            values = {"version": scene.version, "scene": scene.name}
            self.log_change(request, scene, message % values)
            self.message_user(request, message % values, messages.SUCCESS)
        keys = source.queryset().order_by("pk").values_list("pk", flat=True)
        token = store_selection(request, model=source.model, keys=keys.iterator())
        query = {
            "selection": token,
            "scenes": experiment.look(arm)["key"],
            **{name: experiment.options[name] for name in ("ratio", "treatment")},
        }
        url = reverse(f"{self.admin_site.name}:nb_catalog_run_generate")
        return redirect(f"{url}?{urlencode(query)}")

    def _vote(self, request: HttpRequest, experiment: Experiment) -> HttpResponse:
        key, side = request.POST.get("product", ""), request.POST.get("choice", "")
        if not key.isdecimal() or len(key) > 18 or side not in list(Side):
            raise Http404
        pair = get_object_or_404(ExperimentPair, pk=int(key), experiment=experiment)
        try:
            review.vote(pair, Side(side), voter=request.user)
        except (InvalidTransition, RequestRefused) as error:
            self.message_user(request, str(error), messages.ERROR)
        return redirect(self.url_of("vote", experiment.pk))

    def _experiment(self, request: HttpRequest, pk: int) -> Experiment:
        """Return the experiment, provided that the user may view its products and vote on it."""
        experiment = get_object_or_404(
            Experiment.objects.select_related("content_type", "run"), pk=pk
        )
        if not may(request.user, Action.VOTE, model=self._source(experiment).model):
            raise PermissionDenied
        return experiment

    def _source(self, experiment: Experiment) -> CatalogSource:
        try:
            return source_for(experiment.label)
        except NotRegistered as error:
            raise Http404(str(error)) from error

    def _run_of(self, request: HttpRequest, experiment: Experiment) -> str:
        """Return the address of the run for its owner: its page shows which picture is which."""
        is_owner = may(request.user, Action.CLOSE_EXPERIMENT, owner=experiment.actor_id)
        return (
            self.url_of("change", experiment.run_id, model="run")
            if (is_owner and experiment.run_id)
            else ""
        )

    def _thumbnail(self, image: Any) -> str:
        if image is None:
            return ""
        name = f"{self.admin_site.name}:nb_catalog_productimage_preview"
        return reverse(name, args=[image.pk, image.sha256[:16], thumbnails.SMALL])


def _is_saved(experiment: Experiment) -> bool:
    """Return whether the scene has the prompt of arm B today."""
    rows = Scene.objects.filter(key=experiment.arm_b["key"]).values_list("prompt", flat=True)
    return experiment.arm_b["prompt"] in list(rows)


def _arm_context(arm: ArmResult, experiment: Experiment) -> dict[str, Any]:
    known = arm.cost_microusd is not None
    return {
        "arm": arm.arm.value,
        "name": arm.name,
        "votes": arm.votes,
        "products": arm.products,
        "pictures": arm.pictures,
        "reused": arm.reused,
        "checks_failed": arm.checks_failed,
        "cost": dollars(usd(arm.cost_microusd)) if known else gettext("not known yet"),
        "is_edited": arm.arm == Arm.B and experiment.edits_prompt,
    }
