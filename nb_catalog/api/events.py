"""``events/``: what happens, as it happens, to clients that keep the connection open."""

from abc import ABC, abstractmethod
from copy import copy
from http import HTTPStatus

from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotAcceptable
from rest_framework.renderers import JSONRenderer

from nb_catalog import live
from nb_catalog.api.errors import JSON
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.core.event_types import EventType
from nb_catalog.core.permissions import Action
from nb_catalog.live.streams import MEDIA_TYPE


class EventSerializer(serializers.Serializer):
    """One event; ``id`` is what ``Last-Event-ID`` resumes after."""

    event = serializers.CharField()
    id = serializers.CharField()
    data = serializers.JSONField()


class PolledEventsSerializer(serializers.Serializer):
    """Events for a client that polls. ``streams`` says whether this server could stream them."""

    events = EventSerializer(many=True)
    last_id = serializers.CharField()
    over = serializers.BooleanField()
    streams = serializers.BooleanField()


class TooManyStreams(APIException):
    """This process serves as many streams as it can."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "too_many_streams"
    default_detail = gettext_lazy("This server streams to as many clients as it can. Try again.")

    def __init__(self, *, wait):
        super().__init__()
        self.wait = wait


EVENTS = Operation(
    returns=PolledEventsSerializer, media_types=(MEDIA_TYPE,), also={204: None}, busy=True
)


class EventsMixin(ABC):
    """Adds the action ``events`` to a view set. ``get_feed`` returns what it streams."""

    @abstractmethod
    def get_feed(self):
        """Return the feed of what the action streams."""

    def may_follow(self):
        """Return whether the user may still see what the feed has, beside the permission of the action."""
        return True

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
            return view.may_follow()

        response = live.response(self.request._request, self.get_feed(), is_allowed=is_allowed)
        if response.status_code == HTTPStatus.NOT_ACCEPTABLE:
            raise NotAcceptable(response.content.decode())
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            raise TooManyStreams(wait=int(response["Retry-After"]))
        return response

    def perform_content_negotiation(self, request, force=False):
        """Accept what browsers ask for a stream: errors are JSON."""
        if self.action == "events":
            return JSONRenderer(), JSON
        return super().perform_content_negotiation(request, force)


# Whose events they are.
NEEDED = {
    EventType.RUN_ENDED: Action.VIEW_RUNS,
    EventType.PICTURE_WAITING: Action.VIEW_IMAGES,
    EventType.PICTURE_DECIDED: Action.VIEW_IMAGES,
    EventType.PICTURE_PUBLISHED: Action.VIEW_PLACEMENTS,
    EventType.PICTURE_WITHDRAWN: Action.VIEW_PLACEMENTS,
    EventType.PICTURE_STALE: Action.VIEW_PLACEMENTS,
    EventType.BUDGET_REACHED: Action.VIEW_RUNS,
    EventType.PROVIDER_PAUSED: Action.VIEW_RUNS,
}


class EventsQuery(serializers.Serializer):
    """Query string ``?event=run.ended&event=picture.published``; by default, all that you may see."""

    event = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices), required=False
    )


class EventViewSet(EventsMixin, CatalogViewSet):
    """What happens to runs and pictures: the same events as signals and webhooks."""

    serializer_class = PolledEventsSerializer
    query_classes = {"events": EventsQuery}
    operations = {"events": EVENTS}
    names = frozenset()

    def needed_permission(self):
        if self.action not in ("events", "metadata"):
            return None
        # One of them is enough: which events are sent depends on all.
        return next(filter(self.user_may, NEEDED.values()), Action.VIEW_RUNS)

    def events(self, request, *args, **kwargs):
        """Stream what happens: runs that end, pictures that wait, are decided about, published, withdrawn or
        out of date, reached budgets and paused providers (``text/event-stream``)."""
        asked = self.query.validated_data.get("event", NEEDED)
        self.names = self.visible().intersection(asked)
        return self.events_response()

    def visible(self):
        """Return the events that the user may see."""
        return frozenset(name for name, action in NEEDED.items() if self.user_may(action))

    def may_follow(self):
        return self.names <= self.visible()

    def get_feed(self):
        return live.CatalogFeed(names=self.names)
