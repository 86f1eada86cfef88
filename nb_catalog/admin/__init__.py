"""The admin pages: generate pictures, follow runs, review and publish."""

from nb_catalog.admin.billing.calls import ProviderCallAdmin, ProviderPauseAdmin
from nb_catalog.admin.billing.spend import DailyBudgetAdmin
from nb_catalog.admin.cutouts.admin import PhotoCutoutAdmin
from nb_catalog.admin.decks.admin import CopyDeckAdmin
from nb_catalog.admin.experiments.admin import ExperimentAdmin
from nb_catalog.admin.galleries import GalleryDeliveryAdmin
from nb_catalog.admin.images import ProductImageAdmin
from nb_catalog.admin.jobs import ImageJobAdmin, ProviderBatchAdmin
from nb_catalog.admin.mixins import CatalogImagesMixin
from nb_catalog.admin.placements import PlacementAdmin
from nb_catalog.admin.publications.admin import PublicationAdmin
from nb_catalog.admin.runs import RunAdmin
from nb_catalog.admin.scenes import SceneAdmin
from nb_catalog.admin.series.admin import SeriesAdmin
from nb_catalog.admin.text_layouts import TextLayoutAdmin
from nb_catalog.admin.webhooks.deliveries import WebhookDeliveryAdmin
from nb_catalog.admin.webhooks.endpoints import WebhookEndpointAdmin

__all__ = [
    "CatalogImagesMixin",
    "CopyDeckAdmin",
    "DailyBudgetAdmin",
    "ExperimentAdmin",
    "GalleryDeliveryAdmin",
    "ImageJobAdmin",
    "PhotoCutoutAdmin",
    "PlacementAdmin",
    "ProductImageAdmin",
    "ProviderBatchAdmin",
    "ProviderCallAdmin",
    "ProviderPauseAdmin",
    "PublicationAdmin",
    "RunAdmin",
    "SceneAdmin",
    "SeriesAdmin",
    "TextLayoutAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
