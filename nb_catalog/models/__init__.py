"""The tables. Tables that change together share a file."""

from nb_catalog.models.alt_text import AltProposal, AltText
from nb_catalog.models.billing import (
    CostCeiling,
    DailyBudget,
    DailyBudgetShare,
    DailySpendTotal,
    ProviderCall,
)
from nb_catalog.models.copy_decks import CopyDeck, CopyText, DeckImport
from nb_catalog.models.cutouts import CutoutEvent, PhotoCutout
from nb_catalog.models.designs import Scene, TextLayout
from nb_catalog.models.experiments import Experiment, ExperimentPair, ExperimentVote
from nb_catalog.models.exports import Export
from nb_catalog.models.galleries import GalleryDelivery
from nb_catalog.models.idempotency import IdempotencyKey
from nb_catalog.models.images import ProductImage, Rendition, ReviewEvent
from nb_catalog.models.jobs import ImageJob, JobWriteLock, ProviderBatch, Run, WakeUp
from nb_catalog.models.photos import CatalogPhoto, PhotoRendition
from nb_catalog.models.placements import (
    Placement,
    PlacementEvent,
    PlannedPlacement,
    StaleScan,
)
from nb_catalog.models.publications import Publication, RenditionRequest
from nb_catalog.models.rate_limits import ProviderPause, RateLimitState
from nb_catalog.models.reviews import ReviewClaim, ReviewComment, ReviewDecision, ReviewFilter
from nb_catalog.models.run_notices import RunNotice
from nb_catalog.models.run_starts import RunStart, RunStartBlock
from nb_catalog.models.selections import ProductSelection
from nb_catalog.models.series import Series, SeriesMember
from nb_catalog.models.webhooks import CatalogEvent, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AltProposal",
    "AltText",
    "CatalogEvent",
    "CatalogPhoto",
    "CopyDeck",
    "CopyText",
    "CostCeiling",
    "CutoutEvent",
    "DailyBudget",
    "DailyBudgetShare",
    "DailySpendTotal",
    "DeckImport",
    "Experiment",
    "ExperimentPair",
    "ExperimentVote",
    "Export",
    "GalleryDelivery",
    "IdempotencyKey",
    "ImageJob",
    "JobWriteLock",
    "PhotoCutout",
    "PhotoRendition",
    "Placement",
    "PlacementEvent",
    "PlannedPlacement",
    "ProductImage",
    "ProductSelection",
    "ProviderBatch",
    "ProviderCall",
    "ProviderPause",
    "Publication",
    "RateLimitState",
    "Rendition",
    "RenditionRequest",
    "ReviewClaim",
    "ReviewComment",
    "ReviewDecision",
    "ReviewEvent",
    "ReviewFilter",
    "Run",
    "RunNotice",
    "RunStart",
    "RunStartBlock",
    "Scene",
    "Series",
    "SeriesMember",
    "StaleScan",
    "TextLayout",
    "WakeUp",
    "WebhookDelivery",
    "WebhookEndpoint",
]
