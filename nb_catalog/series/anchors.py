"""The anchor of a series: the approved picture that shows its look."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

from django.utils.translation import gettext as _

from nb_catalog.core.slots import RATIO_TOLERANCE
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.providers.model_specs import PIXELS


def with_anchor(series: Series, image: ProductImage | None) -> Series:
    """Return an unsaved copy of ``series`` with ``image`` as its anchor; ``save_look`` writes it.

    Raises ``RequestRefused`` with everything that speaks against ``image``.
    """
    changed = copy(series)
    changed.anchor = image
    if objections := tuple(anchor_objections(changed)):
        raise RequestRefused(*objections)
    return changed


def anchor_objections(series: Series) -> Iterator[str]:
    """Yield why the anchor of ``series`` cannot stand for its look; nothing without an anchor."""
    image = series.anchor
    if image is None:
        return
    number = {"pk": image.pk}
    if image.kind != ImageKind.PICTURE:
        yield (
            _("Picture %(pk)s shows a background without a product. Choose one with a product.")
            % number
        )
    if image.locale:
        yield _("Picture %(pk)s has text on it. Choose the picture below the text.") % number
    if image.pruned_at is not None:
        yield _("The file of picture %(pk)s was deleted. Choose another anchor.") % number
    elif image.state == ImageState.PENDING:
        yield _("Picture %(pk)s is not approved. Approve it before it becomes the anchor.") % number
    elif image.state == ImageState.REJECTED:
        yield (
            _("Picture %(pk)s was rejected. Choose another anchor, or reconsider the picture.")
            % number
        )
    elif image.state == ImageState.RETIRED:
        yield (
            _("Picture %(pk)s was retired. Choose another anchor, or restore the picture.") % number
        )
    expected = PIXELS.get(series.ratio, {}).get(series.size)
    if expected is not None:
        ratio = expected.width / expected.height
        if abs(image.width / image.height / ratio - 1) > RATIO_TOLERANCE:
            yield (
                _(
                    "Picture %(pk)s has %(width)s × %(height)s pixels, and the series the ratio %(ratio)s. "
                    "Choose an anchor of that ratio."
                )
                % {**number, "width": image.width, "height": image.height, "ratio": series.ratio}
            )
