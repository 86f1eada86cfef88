"""Search fields of the admin's lists: what a term means, and a warning if it names too many products."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext

from nb_catalog.operations import search


class Search(search.Search):
    """A search in the admin, which can warn the user."""

    def warn(self, request: HttpRequest) -> None:
        """Warn the user if only some of the products are taken into account."""
        if self.is_cut:
            message = gettext(
                "More than %(count)s products are called “%(term)s”. Only %(count)s of them are shown: "
                "type more of the name."
            )
            count = number_format(search.MAX_KEYS, force_grouping=True)
            messages.warning(request, message % {"count": count, "term": self.term})
