"""``experiments/``: two looks on the same products, voted on without knowing which is which."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.response import Response
from rest_framework.reverse import reverse

from nb_catalog import generation, review
from nb_catalog.api import idempotency
from nb_catalog.api.experiment_fields import (
    BallotsSerializer,
    ExperimentSerializer,
    NewExperimentSerializer,
    ResultSerializer,
    SavedPromptSerializer,
    VotedSerializer,
    VoteSerializer,
    experiment_plan_from,
    result_as_dict,
)
from nb_catalog.api.fields import NoBodySerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.plans import PLAN_REFUSALS, models_of
from nb_catalog.api.run_notices import inform_if_asked
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import (
    InvalidTransition,
    NotRegistered,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import Experiment, ExperimentPair
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import registered, source_for
from nb_catalog.review.votes import Side, ballot_file, picture_on


class ExperimentViewSet(CatalogReadViewSet):
    """Experiments whose products the user may view."""

    read_permission = Action.VOTE
    action_permissions = {
        "create": Action.START_EXPERIMENT,
        **dict.fromkeys(("ballots", "votes", "result", "picture"), Action.VOTE),
        "close": Action.CLOSE_EXPERIMENT,
        "save_prompt": Action.SAVE_PROMPT,
    }
    operations = {
        "retrieve": Operation(refuses=(NotRegistered,)),
        "create": Operation(
            returns=ExperimentSerializer,
            status=status.HTTP_201_CREATED,
            refuses=PLAN_REFUSALS,
            once=True,
            location=("experiment-detail", "id"),
        ),
        "ballots": Operation(returns=BallotsSerializer, refuses=(NotRegistered,)),
        "votes": Operation(returns=VotedSerializer, refuses=(NotRegistered, InvalidTransition)),
        "result": Operation(returns=ResultSerializer, refuses=(NotRegistered,)),
        "close": Operation(
            returns=ExperimentSerializer, refuses=(NotRegistered, InvalidTransition)
        ),
        "save_prompt": Operation(
            returns=SavedPromptSerializer,
            refuses=(NotRegistered, RequestRefused, InvalidTransition),
        ),
        "picture": Operation(media_types=("image/webp",), refuses=(NotRegistered, StorageFailed)),
    }
    orderings = {"created_at": (), "name": ("name",)}
    created_field = "created_at"
    serializer_class = ExperimentSerializer
    serializer_classes = {
        "create": NewExperimentSerializer,
        "votes": VoteSerializer,
        **dict.fromkeys(("close", "save_prompt"), NoBodySerializer),
    }

    def get_queryset(self):
        rows = Experiment.objects.select_related("content_type", "actor", "run")
        if self.action != "list":
            # Of others, ``get_object`` says that they may not be seen.
            return rows
        user = getattr(self.request, "user", None)
        models = [each.model for each in registered().values()]
        visible = [each for each in models if user and may(user, Action.VOTE, model=each)]
        return rows.filter(content_type__in=[content_type_of(each) for each in visible])

    def create(self, request, *args, **kwargs):
        """Start an experiment. The pictures that are missing are made by its run."""
        body = self.validated_body()
        self.require_plan(*models_of(body))

        def start():
            experiment = generation.start_experiment(
                experiment_plan_from(body, key=""),
                name=body["name"],
                actor=request.user,
                budget_usd=body["budget_usd"],
            )
            inform_if_asked(experiment.run, request=request, notify=body["notify"])
            return Response(self._shown(experiment), status=status.HTTP_201_CREATED)

        return idempotency.once(self, body, start)

    @action(detail=True, methods=["get"])
    def ballots(self, request, *args, **kwargs):
        """Return the products to vote on, in an order of your own, and what you chose so far.

        Nothing in it says which picture is which.
        """
        experiment = self.get_object()
        ballots = review.ballots_of(experiment, voter=request.user)
        return Response(
            {
                "ready": [
                    {
                        "product": each.pair.pk,
                        "object": each.pair.object_id,
                        "left": self._picture_url(experiment, each.pair, Side.LEFT),
                        "right": self._picture_url(experiment, each.pair, Side.RIGHT),
                        "choice": each.choice,
                    }
                    for each in ballots.ready
                ],
                "voted": ballots.voted,
                "waiting": ballots.waiting,
                "missing": ballots.missing,
            }
        )

    @action(detail=True, methods=["post"])
    def votes(self, request, *args, **kwargs):
        """Vote on one product, in place of your earlier vote. 409 once the experiment is closed."""
        experiment, body = self.get_object(), self.validated_body()
        pair = ExperimentPair.objects.filter(experiment=experiment, pk=body["product"]).first()
        if pair is None:
            message = _("This experiment has no such product.")
            raise serializers.ValidationError({"product": [message]})
        review.vote(pair, body["choice"], voter=request.user)
        return Response({"product": pair.pk, "choice": body["choice"]})

    @action(detail=True, methods=["get"])
    def result(self, request, *args, **kwargs):
        """Return the votes of everyone. 403 before the experiment is closed, unless you may close it."""
        experiment = self.get_object()
        if not review.may_see_result(request.user, experiment):
            raise PermissionDenied(_("You see the result once the vote is closed."))
        return Response(result_as_dict(review.result_of(experiment)))

    @action(detail=True, methods=["post"])
    def close(self, request, *args, **kwargs):
        """Close the vote of one's own experiment, or with permission to change experiments of any."""
        experiment = self.get_object()
        self.require(Action.CLOSE_EXPERIMENT, owner=experiment.actor_id)
        self.validated_body()
        review.close_experiment(experiment)
        return Response(self._shown(experiment))

    @action(detail=True, methods=["post"], url_path="save-prompt")
    def save_prompt(self, request, *args, **kwargs):
        """Save the prompt that was tried in its scene, as the scene's new version."""
        experiment = self.get_object()
        self.validated_body()
        scene = review.adopt_prompt(experiment)
        return Response({"scene": scene.key, "version": scene.version})

    def picture(self, request, *args, pair, side, **kwargs):
        """Return the picture that you see on one side, at most 960 pixels wide."""
        row = get_object_or_404(ExperimentPair, pk=pair, experiment=self.get_object())
        if side not in (Side.LEFT, Side.RIGHT):
            raise NotFound
        image = picture_on(row, Side(side), voter=request.user)
        if image is None:
            raise NotFound
        response = HttpResponse(ballot_file(image), content_type="image/webp")
        # The address is the same for everyone, and the picture is not.
        response["Cache-Control"] = "private, no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def check_object_permissions(self, request, obj):
        """The user must be allowed to view the products of the experiment."""
        super().check_object_permissions(request, obj)
        self.require(Action.VOTE, model=source_for(obj.label).model)

    def _shown(self, experiment):
        return ExperimentSerializer(experiment, context=self.get_serializer_context()).data

    def _picture_url(self, experiment, pair, side):
        keys = {"pk": experiment.pk, "pair": pair.pk, "side": side.value}
        name = f"{self.request.resolver_match.namespace}:experiment-picture"
        return reverse(name, kwargs=keys, request=self.request)
