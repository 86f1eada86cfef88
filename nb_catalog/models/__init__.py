"""The tables. Tables that change together share a file."""

from nb_catalog.models.alt_text import AltProposal, AltText
from nb_catalog.models.billing import (
    DailyBudget,
    DailyBudgetShare,
    DailySpendTotal,
    ProviderCall,
)
from nb_catalog.models.copy_decks import CopyDeck, CopyText
from nb_catalog.models.designs import Scene, TextLayout
from nb_catalog.models.images import ProductImage, Rendition, ReviewEvent
from nb_catalog.models.jobs import ImageJob, ProviderBatch, Run, WakeUp
from nb_catalog.models.placements import Placement, PlacementEvent
from nb_catalog.models.rate_limits import ProviderPause, RateLimitState
from nb_catalog.models.text_calls import TextCall

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
    "WakeUp",
]
