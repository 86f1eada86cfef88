"""What ``manage.py check`` says about settings, tiers, providers, storage and registered models."""

from typing import Final

from django.core.checks import Tags, register

from nb_catalog.checks.connectivity import check_reach
from nb_catalog.checks.registry import check_registry
from nb_catalog.checks.settings import check_settings
from nb_catalog.checks.storage import check_storage
from nb_catalog.checks.task_queue import check_waking
from nb_catalog.checks.tiers import check_tiers
from nb_catalog.checks.typesetting import (
    check_describer,
    check_lettering,
    check_reader,
    check_translator,
)

__all__ = [
    "check_describer",
    "check_reader",
    "check_lettering",
    "check_translator",
    "check_reach",
    "check_registry",
    "check_settings",
    "check_storage",
    "check_tiers",
    "check_waking",
    "register_all",
]

TAG: Final = "nb_catalog"


def register_all() -> None:
    """Called once, when the app is ready."""
    register(check_settings, TAG)
    register(check_tiers, TAG)
    register(check_waking, TAG)
    register(check_reach, TAG, Tags.database)
    register(check_storage, TAG, Tags.files)
    register(check_lettering, TAG, Tags.files)
    register(check_translator, TAG)
    register(check_describer, TAG)
    register(check_reader, TAG)
    register(check_registry, TAG, Tags.models)
