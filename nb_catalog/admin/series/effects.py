"""What a change of a series' look does, before it happens: which pictures become stale."""

from __future__ import annotations

from nb_catalog import generation
from nb_catalog.admin.catalog_objects import info_for_product
from nb_catalog.generation import ItemStatus
from nb_catalog.models import Series, SeriesMember


def titles_becoming_stale(series: Series, changed: Series, *, site: object) -> list[str]:
    """Return the titles of the members of ``series`` that have a picture of its look now, and would have none
    with the look of ``changed``, in the order of the members; then those whose text becomes stale, with its
    locale."""
    pictures = list(generation.member_pictures(series))
    current = [each for each in pictures if each.is_current]
    members = [each.member for each in current]
    after = list(generation.member_pictures(changed, members))
    stale = {(each.member.pk, "") for each in after if each.status != ItemStatus.PRESENT}
    stale |= {
        (each.picture.member.pk, each.locale)
        for each in generation.member_texts(changed, after)
        if not each.is_current
    }
    return [
        f"{title} ({locale})" if locale else title
        for each, locale in (
            *((each, "") for each in current),
            *(
                (each.picture, each.locale)
                for each in generation.member_texts(series, current)
                if each.is_current
            ),
        )
        if (each.member.pk, locale) in stale and each.product is not None
        for title in [with_variant(info_for_product(each.product, site=site).title, each.member)]
    ]


def with_variant(title: str, member: SeriesMember) -> str:
    """Return the ``title`` of a member's product with the name of the variant that is shown."""
    variant = member.variant_name or member.variant
    return f"{title}, {variant}" if variant else title
