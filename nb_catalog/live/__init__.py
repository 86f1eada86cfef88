"""Server-sent events: pages and clients of the API learn of changes as they are committed."""

from nb_catalog.live.catalog import CatalogFeed
from nb_catalog.live.feeds import Event, Feed
from nb_catalog.live.pictures import PictureFeed
from nb_catalog.live.runs import RunFeed
from nb_catalog.live.streams import end_streams, is_asgi, response

__all__ = [
    "CatalogFeed",
    "Event",
    "Feed",
    "PictureFeed",
    "RunFeed",
    "end_streams",
    "is_asgi",
    "response",
]
