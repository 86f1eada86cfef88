"""A health endpoint: ``path("health/catalog-images/", nb_catalog.operations.views.health)``."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from nb_catalog.operations import status

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when work goes on, 503 with the names of what is wrong. Tells nothing that is secret:
    no names, no figures."""
    try:
        problems = list(status.problems())
    except DatabaseError:
        logger.exception("The health of the app cannot be told.")
        problems = ["database"]
    said = {"status": "degraded" if problems else "ok", "problems": problems}
    return JsonResponse(said, status=503 if problems else 200)
