"""What a term typed into a search field names, in every list: products, scenes, layouts, words and a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.billing import budgets
from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import (
    CopyDeck,
    GalleryDelivery,
    ImageJob,
    PhotoCutout,
    Placement,
    ProductImage,
    ProviderCall,
    Run,
    Scene,
    Series,
    SeriesMember,
    TextLayout,
)
from nb_catalog.models.generic import (
    ObjectKey,
    content_type_of,
    fetch_subjects,
    key_condition,
    object_key,
)
from nb_catalog.registry import CatalogSource, registered

# Characters of a term that pages and endpoints take.
MAX_TERM: Final = 200
# More keys would make queries that databases refuse or answer slowly.
MAX_KEYS: Final = 1000
# Products whose subjects are fetched together.
BLOCK: Final = 500
# Runs whose jobs are compared with a layout or a scene: these are not columns of a job.
MAX_RUNS: Final = 200
# Letters of a label that has to be typed at least, because it is not a name that somebody gave.
MIN_LABEL: Final = 4
# Pictures with text that are compared with words, the newest ones: no index knows what is inside a text.
MAX_TEXTS: Final = 50_000
# Letters of a word that has to be typed at least to be found in a text.
MIN_WORD: Final = 2
_NUMBER: Final = re.compile(r"#?([0-9]{1,18})")
_HEX: Final = re.compile("[0-9a-f]{4,64}")
_WITH_ERRORS: Final = (JobState.WAITING, JobState.REFUSED, JobState.FAILED, JobState.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Search:
    """What ``term`` names. ``rows`` are about catalog objects: they say whether it is the key of one.

    Each property is read at most once, with a constant number of queries.
    """

    term: str
    rows: QuerySet[Any]

    @cached_property
    def own_keys(self) -> list[ObjectKey]:
        # With the content type, because no index starts with the object key.
        return [(content_type_of(model).pk, self.term) for model in registered()]

    @cached_property
    def is_key(self) -> bool:
        """Whether the term is a number and a product's key: then it means that one and no other."""
        return self.term.isdecimal() and self.rows.filter(key_condition(self.own_keys)).exists()

    @cached_property
    def named(self) -> list[ObjectKey]:
        """The keys of the first ``MAX_KEYS`` products with that name, and one more if there are more."""
        if self.is_key:
            return []
        keys = (
            key
            for source in registered().values()
            for key in _keys_of(source, self.term, most=MAX_KEYS + 1)
        )
        return list(islice(dict.fromkeys(keys), MAX_KEYS + 1))

    @property
    def is_cut(self) -> bool:
        return len(self.named) > MAX_KEYS

    @cached_property
    def scenes(self) -> list[str]:
        """Keys of scenes; "" is that of the products' own photos."""
        if self.is_key:
            return []
        label = str(Treatment.PHOTO.label).casefold()
        is_photo = len(self.term) >= MIN_LABEL and self.term.casefold() in label
        return [*([""] if is_photo else []), *_designs_named(Scene, self.term)]

    @cached_property
    def layouts(self) -> list[str]:
        return [] if self.is_key else _designs_named(TextLayout, self.term)

    @cached_property
    def run(self) -> int | None:
        """The number of the run that the term is: "#12" always, "12" unless it is a product's key."""
        match = _NUMBER.fullmatch(self.term)
        return int(match[1]) if match and not self.is_key else None

    @property
    def is_run(self) -> bool:
        """Whether the term names a run and nothing else."""
        return self.run is not None and self.term.startswith("#")

    @cached_property
    def about(self) -> Q:
        """Rows about the named products."""
        return key_condition(self.own_keys + self.named[:MAX_KEYS])

    @cached_property
    def _oldest_text(self) -> int:
        rows = ProductImage.objects.filter(locale__gt="").order_by("-pk")
        return rows.values_list("pk", flat=True)[MAX_TEXTS : MAX_TEXTS + 1].first() or 0

    def words(self, prefix: str = "") -> Q | None:
        """Pictures with every word of the term in the text on them; None for a term that is not a text."""
        found = [word.casefold() for word in self.term.split()]
        if self.is_key or self.is_run or max(map(len, found), default=0) < MIN_WORD:
            return None
        condition = Q(**{f"{prefix}locale__gt": "", f"{prefix}pk__gt": self._oldest_text})
        for word in found:
            condition &= Q(**{f"{prefix}words__contains": word})
        return condition

    def condition(self, model: type[Model]) -> Q:
        """Return the condition for those rows of ``model`` that the term means. Every list that can be
        searched finds its rows with it, in the admin and over REST."""
        conditions: dict[type[Model], Callable[[], Q]] = {
            ImageJob: self.jobs,
            ProductImage: self.images,
            Placement: self.placements,
            GalleryDelivery: self.placements,
            Run: self.runs,
            PhotoCutout: lambda: self.about,
            Series: self.series,
            SeriesMember: self.members,
            ProviderCall: self.calls,
        }
        return conditions[model]()

    def jobs(self) -> Q:
        """Jobs about these products or copy decks, for these scenes or layouts, of this run, with this error,
        or that made pictures with these words."""
        if self.is_key or self.is_run:
            return Q(run=self.run) if self.is_run else self.about
        # Without the (possibly millions of) jobs that have no error.
        errors = Q(error__icontains=self.term) | Q(error_code=self.term)
        condition = self._requested() | Q(state__in=_WITH_ERRORS) & errors
        if (words := self.words()) is not None:
            condition |= Q(pk__in=ProductImage.objects.filter(words).order_by().values("job"))
        return condition

    def _requested(self) -> Q:
        decks = CopyDeck.objects.filter(Q(name__icontains=self.term) | Q(key=self.term))
        type_id = content_type_of(CopyDeck).pk
        keys = [(type_id, str(key)) for key in decks.values_list("pk", flat=True)[:MAX_KEYS]]
        condition = self.about | key_condition(keys)
        for name, designs in (("scene", self.scenes), ("layout", self.layouts)):
            if designs:
                condition |= Q(**{f"spec__{name}__in": designs, "run__in": self._runs(designs)})
        return condition | Q(run=self.run) if self.run else condition

    def images(self, prefix: str = "") -> Q:
        """Pictures of these products, in these scenes, with these layouts or words, or of this run; or with
        this fingerprint, or these first digits of their SHA-256.

        ``prefix`` leads from another table to the pictures, whose products are that table's then.
        """
        if self.is_run:
            return Q(**{f"{prefix}job__run": self.run})
        condition = self.about
        if (words := self.words(prefix)) is not None:
            condition |= words
        if not self.is_key and _HEX.fullmatch(digits := self.term.lower()):
            # As a range: not every database uses an index for prefix searches.
            digest = {f"{prefix}sha256__gte": digits, f"{prefix}sha256__lt": f"{digits}g"}
            condition |= Q(**digest) | Q(**{f"{prefix}fingerprint": digits})
        if self.scenes:
            condition |= Q(**{f"{prefix}scene__in": self.scenes})
        if self.layouts:
            layouts = Q(**{f"{prefix}spec__layout__in": self.layouts, f"{prefix}locale__gt": ""})
            runs = Q(**{f"{prefix}job__run__in": self._runs(self.layouts)})
            condition |= layouts & (runs | Q(**{f"{prefix}job": None}))
        return condition | Q(**{f"{prefix}job__run": self.run}) if self.run else condition

    def placements(self) -> Q:
        """Places of these products, with such pictures, or called like this: "gallery", "gallery 2"."""
        condition = self.images("image__")
        if self.is_key or self.is_run:
            return condition
        slot, _space, number = self.term.partition(" ")
        condition |= Q(slot=self.term)
        if number.isdecimal() and 0 < len(number) < 5:
            condition |= Q(slot=slot, position=int(number) - 1)
        return condition

    def runs(self) -> Q:
        """Runs with the term in their titles, this one, and those with jobs about these products, for these
        scenes or layouts, or that made pictures with these words."""
        if self.is_run:
            return Q(pk=self.run)
        jobs = ImageJob.objects.filter(self.about if self.is_key else self._requested()).order_by()
        condition = Q(pk__in=jobs.values("run"))
        if not self.is_key:
            condition |= Q(title__icontains=self.term)
        if (words := self.words()) is not None:
            made = ProductImage.objects.filter(words).order_by()
            condition |= Q(pk__in=made.values("job__run"))
        return condition | Q(pk=self.run) if self.run else condition

    def series(self) -> Q:
        """Series that are called like this, have these products, or these scenes."""
        members = SeriesMember.objects.filter(self.about, removed_at=None).order_by()
        condition = Q(pk__in=members.values("series"))
        if not self.is_key:
            condition |= Q(name__icontains=self.term) | Q(key=self.term)
        scenes = [key for key in self.scenes if key]
        return condition | Q(scene__key__in=scenes) if scenes else condition

    def members(self) -> Q:
        """Members of series that are these products, or variants that are called like this."""
        return self.about if self.is_key else self.about | Q(variant_name__icontains=self.term)

    def calls(self) -> Q:
        """Calls with this request id, of the job with this number, or of such jobs."""
        condition = Q(request_id=self.term)
        if _NUMBER.fullmatch(self.term) and not self.is_run:
            condition |= Q(job=int(self.term))
        return condition | Q(job__in=ImageJob.objects.filter(self.jobs()).order_by().values("pk"))

    def _runs(self, keys: list[str]) -> list[int]:
        """Return the newest runs that may have requested one of the scenes or layouts with ``keys``.

        Some requests, such as a renewal's, do not say which.
        """
        about = ~Q(tier=budgets.TEXT) & ~Q(request__has_any_keys=["scenes", "layouts"])
        for key in keys:
            about |= Q(request__icontains=f'"{key}"')
        return list(Run.objects.filter(about).values_list("pk", flat=True)[:MAX_RUNS])


def _designs_named(model: type[Model], term: str) -> list[str]:
    named = model._default_manager.filter(Q(name__icontains=term) | Q(key=term))
    return list(named.values_list("key", flat=True)[:MAX_KEYS])


def found_keys(term: str, *, source: CatalogSource | None = None) -> frozenset[ObjectKey]:
    """Return the keys under which pictures of all products that ``term`` finds are kept, however many: of one
    ``source``, or of all that are registered.

    Raises ``RequestRefused`` if there are none.
    """
    sources = registered().values() if source is None else [source]
    keys = frozenset(key for each in sources for key in _keys_of(each, term))
    if not keys:
        raise RequestRefused(
            _(
                "No products are found for “%(term)s”. Search for other words, or leave the search out for "
                "all products."
            )
            % {"term": term}
        )
    return keys


def _keys_of(source: CatalogSource, term: str, *, most: int | None = None) -> Iterator[ObjectKey]:
    """Yield the keys under which pictures of the products that ``term`` names are kept; of the first ``most``
    products, by default of all."""
    found = source.search(term).order_by()
    if type(source).subject is CatalogSource.subject:
        type_id = content_type_of(source.model).pk
        for key in found.values_list("pk", flat=True).distinct()[:most]:
            yield type_id, str(key)
        return
    for products in blocks(found[:most].iterator(chunk_size=BLOCK), size=BLOCK):
        fetch_subjects(products)
        yield from map(object_key, products)
