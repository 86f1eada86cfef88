"""The admin: ask for pictures, watch them being made, judge and publish them."""

from nb_catalog.admin.batches import ProviderBatchAdmin
from nb_catalog.admin.billing.calls import ProviderCallAdmin, ProviderPauseAdmin
from nb_catalog.admin.billing.spend import DailyBudgetAdmin
from nb_catalog.admin.billing.text_calls import TextCallAdmin
from nb_catalog.admin.decks.admin import CopyDeckAdmin
from nb_catalog.admin.images import ProductImageAdmin
from nb_catalog.admin.jobs import ImageJobAdmin
from nb_catalog.admin.mixins import CatalogImagesMixin
from nb_catalog.admin.placements import PlacementAdmin
from nb_catalog.admin.runs import RunAdmin
from nb_catalog.admin.scenes import SceneAdmin
from nb_catalog.admin.text_layouts import TextLayoutAdmin

__all__ = [
    "CatalogImagesMixin",
    "CopyDeckAdmin",
    "DailyBudgetAdmin",
    "ImageJobAdmin",
    "PlacementAdmin",
    "ProductImageAdmin",
    "ProviderBatchAdmin",
    "ProviderCallAdmin",
    "ProviderPauseAdmin",
    "RunAdmin",
    "SceneAdmin",
    "TextCallAdmin",
    "TextLayoutAdmin",
]
