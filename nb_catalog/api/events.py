"""``events/``: what happens, as it happens, to clients that keep the connection open."""

from copy import copy

from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from nb_catalog import live
from nb_catalog.api.errors import JSON


class EventsMixin:
    """Adds the action ``events`` to a view set. ``get_feed`` returns what it streams."""

    def get_feed(self):
        raise NotImplementedError

    def events_response(self):
        """Return the events, as long as the client is who it was and may see them."""

        def is_allowed(request):
            view = copy(self)
            view.request = view.initialize_request(request, *self.args, **self.kwargs)
            try:
                view.perform_authentication(view.request)
                view.check_permissions(view.request)
            except APIException:
                return False
            return True

        return live.response(self.request._request, self.get_feed(), is_allowed=is_allowed)

    def perform_content_negotiation(self, request, force=False):
        """Accept what browsers ask for a stream: errors are JSON."""
        if self.action == "events":
            return JSONRenderer(), JSON
        return super().perform_content_negotiation(request, force)
