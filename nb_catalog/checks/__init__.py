"""System checks: settings, tiers, providers, storage and registered models."""

from typing import Final

from django.core.checks import Tags, register

from nb_catalog.checks.cutouts import check_cutout, describe_cutout
from nb_catalog.checks.galleries import check_galleries
from nb_catalog.checks.settings import check_registry, check_settings, check_time_zones
from nb_catalog.checks.storage import check_storage
from nb_catalog.checks.task_queue import check_task_queue
from nb_catalog.checks.tiers import check_connectivity, check_tiers
from nb_catalog.checks.typesetting import (
    check_alt_text_provider,
    check_comparison_provider,
    check_ocr_provider,
    check_translation_provider,
    check_typesetting,
)

__all__ = [
    "check_alt_text_provider",
    "check_connectivity",
    "check_cutout",
    "check_comparison_provider",
    "check_galleries",
    "check_ocr_provider",
    "check_registry",
    "check_settings",
    "check_storage",
    "check_task_queue",
    "check_tiers",
    "check_time_zones",
    "check_translation_provider",
    "check_typesetting",
    "describe_cutout",
    "register_all",
]

TAG: Final = "nb_catalog"


def register_all() -> None:
    """Register the checks. Called once, when the app is ready."""
    register(check_settings, TAG)
    register(check_time_zones, TAG)
    register(check_tiers, TAG)
    register(check_task_queue, TAG)
    register(check_connectivity, TAG, Tags.database)
    register(check_storage, TAG, Tags.files)
    register(check_typesetting, TAG, Tags.files)
    register(check_translation_provider, TAG)
    register(check_alt_text_provider, TAG)
    register(check_ocr_provider, TAG)
    register(check_comparison_provider, TAG)
    register(check_cutout, TAG)
    register(describe_cutout, TAG, deploy=True)
    register(check_registry, TAG, Tags.models)
    register(check_galleries, TAG, Tags.models)
