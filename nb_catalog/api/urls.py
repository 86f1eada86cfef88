"""URL patterns of the API; include them under a prefix of its own."""

from django.conf import settings as django_settings
from django.http import Http404, HttpResponsePermanentRedirect
from django.urls import Resolver404, path, re_path, resolve
from rest_framework.permissions import AllowAny
from rest_framework.routers import APIRootView, DefaultRouter
from rest_framework.views import APIView

from nb_catalog.api.border import BorderView
from nb_catalog.api.catalog import ModelViewSet, SceneViewSet
from nb_catalog.api.claims import ClaimViewSet
from nb_catalog.api.copydecks import DeckViewSet, LayoutViewSet
from nb_catalog.api.cutouts import CutoutViewSet
from nb_catalog.api.decisions import DecisionViewSet
from nb_catalog.api.events import EventViewSet
from nb_catalog.api.experiments import ExperimentViewSet
from nb_catalog.api.exports import ExportViewSet
from nb_catalog.api.galleries import GalleryDeliveryViewSet
from nb_catalog.api.images import ImageViewSet
from nb_catalog.api.jobs import JobViewSet
from nb_catalog.api.placements import PlacementViewSet
from nb_catalog.api.plans import PlanViewSet
from nb_catalog.api.provider_calls import BatchViewSet, PauseViewSet, ProviderCallViewSet
from nb_catalog.api.publications import PublicationViewSet
from nb_catalog.api.review_filters import ReviewFilterViewSet
from nb_catalog.api.rollbacks import RollBackViewSet
from nb_catalog.api.runs import RunViewSet
from nb_catalog.api.schema import SchemaView
from nb_catalog.api.series import SeriesViewSet
from nb_catalog.api.spending import SpendingViewSet, StatusViewSet
from nb_catalog.api.webhooks import WebhookDeliveryViewSet, WebhookViewSet

app_name = "nb_catalog_api"


class CatalogRootView(BorderView, APIRootView):
    """The addresses of the API."""


class CatalogRouter(DefaultRouter):
    include_format_suffixes = False
    APIRootView = CatalogRootView


class UnknownAddressView(BorderView, APIView):
    """Everything below the prefix that is not an address of the API: a problem document, 404."""

    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        raise Http404

    def dispatch(self, request, *args, **kwargs):
        """Append a slash where Django would, had no pattern matched."""
        is_read = request.method in ("GET", "HEAD") and not request.path_info.endswith("/")
        if is_read and django_settings.APPEND_SLASH and self._is_known(request):
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)

    def _is_known(self, request):
        """Return whether the address of ``request`` is one of ours with a slash behind it."""
        try:
            match = resolve(f"{request.path_info}/", getattr(request, "urlconf", None))
        except Resolver404:
            return False
        return getattr(match.func, "view_class", None) is not UnknownAddressView


router = CatalogRouter(use_regex_path=False)
router.register("models", ModelViewSet, basename="model")
router.register("scenes", SceneViewSet, basename="scene")
router.register("layouts", LayoutViewSet, basename="layout")
router.register("decks", DeckViewSet, basename="deck")
router.register("plans", PlanViewSet, basename="plan")
router.register("runs", RunViewSet, basename="run")
router.register("jobs", JobViewSet, basename="job")
router.register("images", ImageViewSet, basename="image")
router.register("claims", ClaimViewSet, basename="claim")
router.register("review-filters", ReviewFilterViewSet, basename="review-filter")
router.register("decisions", DecisionViewSet, basename="decision")
router.register("series", SeriesViewSet, basename="series")
router.register("experiments", ExperimentViewSet, basename="experiment")
router.register("cutouts", CutoutViewSet, basename="cutout")
router.register("placements", PlacementViewSet, basename="placement")
router.register("gallery-deliveries", GalleryDeliveryViewSet, basename="gallery-delivery")
router.register("webhooks", WebhookViewSet, basename="webhook")
router.register("webhook-deliveries", WebhookDeliveryViewSet, basename="webhook-delivery")
router.register("exports", ExportViewSet, basename="export")
router.register("publications", PublicationViewSet, basename="publication")
router.register("rollbacks", RollBackViewSet, basename="rollback")
router.register("pauses", PauseViewSet, basename="pause")
router.register("batches", BatchViewSet, basename="batch")
router.register("calls", ProviderCallViewSet, basename="call")
router.register("spending", SpendingViewSet, basename="spending")

urlpatterns = [
    path("events/", EventViewSet.as_view({"get": "events"}), name="events"),
    path(
        "cutouts/<int:pk>/mask.png",
        CutoutViewSet.as_view({"get": "mask_picture"}),
        name="cutout-mask-picture",
    ),
    path(
        "cutouts/<int:pk>/preview.webp",
        CutoutViewSet.as_view({"get": "preview"}),
        name="cutout-preview",
    ),
    *(
        path(f"{prefix}/<{key}>/thumbnail.webp", view.as_view({"get": "thumbnail"}), name=name)
        for prefix, key, view, name in (
            ("images", "int:pk", ImageViewSet, "image-thumbnail"),
            ("scenes", "slug:key", SceneViewSet, "scene-thumbnail"),
            ("layouts", "slug:key", LayoutViewSet, "layout-thumbnail"),
        )
    ),
    path(
        "experiments/<int:pk>/pictures/<int:pair>/<slug:side>/",
        ExperimentViewSet.as_view({"get": "picture"}),
        name="experiment-picture",
    ),
    path("status/", StatusViewSet.as_view({"get": "status"}), name="status"),
    path("schema/", SchemaView.as_view(), name="schema"),
    *router.urls,
    re_path("", UnknownAddressView.as_view()),
]
