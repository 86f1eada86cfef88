"""What an action of a view set returns and refuses, as the view and the OpenAPI schema read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nb_catalog.exceptions import NBCatalogError

RUN = ("run-detail", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One entry of ``operations`` of a view set.

    ``returns`` is the serializer of the body; without one, lists and details have that of the view, and other
    actions return no body. ``also`` has the serializers of further successful statuses. A response with
    ``media_types`` is a file or a stream. ``refuses`` has the errors that the action itself may raise, with
    their codes; ``once`` says that it obeys ``Idempotency-Key``, and ``busy`` that 503 may ask to try again.
    ``location`` is the name of the URL of what was made, and where the response has its key.
    """

    returns: Any = None
    status: int = 200
    also: Mapping[int, Any] = field(default_factory=dict)
    media_types: tuple[str, ...] = ()
    refuses: tuple[type[NBCatalogError], ...] = ()
    once: bool = False
    busy: bool = False
    location: tuple[str, str] | None = None


DEFAULT = Operation()
