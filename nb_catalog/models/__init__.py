"""What is remembered. One file a table or a pair of tables that change together."""

from nb_catalog.models.alt_text import AltProposal, AltText
from nb_catalog.models.batches import ProviderBatch
from nb_catalog.models.billing import (
    DailyBudget,
    DailyBudgetShare,
    DailySpendTotal,
    ProviderCall,
    ProviderPause,
)
from nb_catalog.models.copy_decks import CopyDeck, CopyText
from nb_catalog.models.images import ProductImage, Rendition
from nb_catalog.models.jobs import ImageJob
from nb_catalog.models.placements import Placement, PlacementEvent
from nb_catalog.models.rate_limits import RateLimitState
from nb_catalog.models.reviews import ReviewEvent
from nb_catalog.models.runs import Run
from nb_catalog.models.scenes import Scene
from nb_catalog.models.text_calls import TextCall
from nb_catalog.models.text_layouts import TextLayout

__all__ = [
    "AltProposal",
    "AltText",
    "CopyDeck",
    "CopyText",
    "DailyBudget",
    "DailyBudgetShare",
    "DailySpendTotal",
    "ImageJob",
    "Placement",
    "PlacementEvent",
    "ProductImage",
    "ProviderBatch",
    "ProviderCall",
    "ProviderPause",
    "RateLimitState",
    "Rendition",
    "ReviewEvent",
    "Run",
    "Scene",
    "TextCall",
    "TextLayout",
]
