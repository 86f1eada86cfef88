"""URL patterns of the API; include them under any prefix."""

from rest_framework.routers import DefaultRouter

from nb_catalog.api.catalog import ModelViewSet, SceneViewSet
from nb_catalog.api.copydecks import DeckViewSet, LayoutViewSet
from nb_catalog.api.images import ImageViewSet
from nb_catalog.api.jobs import JobViewSet
from nb_catalog.api.placements import PlacementViewSet
from nb_catalog.api.plans import PlanViewSet
from nb_catalog.api.runs import RunViewSet

app_name = "nb_catalog_api"


class CatalogRouter(DefaultRouter):
    include_format_suffixes = False


router = CatalogRouter(use_regex_path=False)
router.register("models", ModelViewSet, basename="model")
router.register("scenes", SceneViewSet, basename="scene")
router.register("layouts", LayoutViewSet, basename="layout")
router.register("decks", DeckViewSet, basename="deck")
router.register("plans", PlanViewSet, basename="plan")
router.register("runs", RunViewSet, basename="run")
router.register("jobs", JobViewSet, basename="job")
router.register("images", ImageViewSet, basename="image")
router.register("placements", PlacementViewSet, basename="placement")

urlpatterns = router.urls
