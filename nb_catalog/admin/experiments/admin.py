"""Experiments: the list, and the pages that each of them has."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import review
from nb_catalog.admin.base import ReadOnlyAdmin
from nb_catalog.admin.experiments.planning import PlanningViews
from nb_catalog.admin.experiments.voting import VotingViews
from nb_catalog.core.permissions import Action, may
from nb_catalog.models import Experiment
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import registered


@admin.register(Experiment)
class ExperimentAdmin(PlanningViews, VotingViews, ReadOnlyAdmin):
    view_action = Action.VOTE
    list_display = ("named", "compared", "products", "votes", "state", "created_at", "actor")
    list_display_links = None
    list_select_related = ("actor",)
    search_fields = ("name",)

    def get_urls(self) -> list[URLPattern]:
        return [*self.planning_urls(), *self.voting_urls(), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.START_EXPERIMENT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        models = [each.model for each in registered().values()]
        visible = [each for each in models if may(request.user, Action.VOTE, model=each)]
        rows = super().get_queryset(request)
        return rows.filter(content_type__in=map(content_type_of, visible)).annotate(
            pair_count=Count("pairs", distinct=True),
            vote_count=Count("pairs__votes", distinct=True),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        for each in rows:
            # Voters are not to know what they compare.
            each.is_revealed = review.may_see_result(request.user, each)
        changelist.result_list = rows
        return changelist

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> Any:
        """Show the result to those who may see it, and the products to vote on to others."""
        if not object_id.isdecimal():
            return super().change_view(request, object_id, *args, **options)
        experiment = self._experiment(request, int(object_id))
        page = "vote" if experiment.closed_at is None else "result"
        return redirect(self.url_of(page, experiment.pk))

    @admin.display(description=_("name"), ordering="name")
    def named(self, experiment: Experiment) -> str:
        page = "vote" if experiment.closed_at is None else "result"
        return format_html('<a href="{}">{}</a>', self.url_of(page, experiment.pk), experiment.name)

    @admin.display(description=_("compared"))
    def compared(self, experiment: Experiment) -> str:
        if not experiment.is_revealed:
            return self.get_empty_value_display()
        return gettext("%(first)s or %(second)s") % {
            "first": experiment.arm_name("a"),
            "second": experiment.arm_name("b"),
        }

    @admin.display(description=_("products"))
    def products(self, experiment: Experiment) -> int:
        return experiment.pair_count

    @admin.display(description=_("votes"))
    def votes(self, experiment: Experiment) -> int:
        return experiment.vote_count

    @admin.display(description=_("state"))
    def state(self, experiment: Experiment) -> str:
        return gettext("open") if experiment.closed_at is None else gettext("closed")
