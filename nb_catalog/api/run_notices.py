"""``notify`` of whatever starts a run: an e-mail at its end to the person who starts it."""

from django.urls import NoReverseMatch, reverse
from rest_framework import serializers

from nb_catalog import generation
from nb_catalog.generation import run_notices


class NotifyField(serializers.BooleanField):
    """Whether the person who starts the run gets an e-mail when it ends; null leaves it to ``NOTIFY``."""

    def __init__(self, **options):
        super().__init__(**{"default": None, "allow_null": True} | options)


def inform_if_asked(run, *, request, notify):
    """Have an e-mail sent at the end of ``run`` if ``notify``, the value of a ``NotifyField``, says so."""
    if not (run_notices.inform_by_default() if notify is None else notify):
        return
    try:
        url = request.build_absolute_uri(reverse("admin:nb_catalog_run_change", args=[run.pk]))
    except NoReverseMatch:
        # A project without the admin, or with another one.
        url = ""
    generation.inform(run, url=url)
