"""What the checks of a picture found, as badges with reasons: product, series, text, size, cut-out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from nb_catalog.cutouts.records import CUTOUT_CHECK
from nb_catalog.imaging.cutout.reasons import describe_reason as describe_doubt
from nb_catalog.imaging.drift import DRIFT_CHECK, describe_missing, describe_part
from nb_catalog.models import ProductImage
from nb_catalog.providers.model_specs.sizes import SIZE_CHECK, SizeComparison
from nb_catalog.typesetting.ocr_diff import OCR_CHECK

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"


class Badge(NamedTuple):
    """``level`` is GOOD, BAD or UNKNOWN. The reasons of a bad one are shown, those of others on demand."""

    label: str
    level: str
    reasons: tuple[str, ...] = ()


def badges_of(image: ProductImage, *, origin: str) -> list[Badge]:
    """Return a badge for each subject that was checked. ``image`` has the attributes of its card; ``origin``
    is how it was made, in words."""
    found = [
        *_fidelity(image),
        *_drift(image.checks),
        *_text(image),
        *_size(image),
        *_cutout(image),
    ]
    return [*found, Badge(origin, UNKNOWN, (str(image.digital_source_type),))]


def _fidelity(image: Any) -> Iterator[Badge]:
    found = image.fidelity
    if found is None:
        return
    if found.percent is None:
        yield Badge(_("Product not compared"), UNKNOWN, found.left_out)
        return
    likeness = _("Likeness: %(percent)s of 100") % {"percent": found.percent}
    if found.fails:
        # The reasons are listed below, beside the photo.
        yield Badge(_("Product differs"), BAD, (likeness,))
    else:
        yield Badge(_("Product kept"), GOOD, (likeness,))


def _drift(checks: Any) -> Iterator[Badge]:
    found = checks.get(DRIFT_CHECK)
    if found is None:
        return
    if "score" not in found:
        yield Badge(_("Series not compared"), UNKNOWN, (describe_missing(found["missing"]),))
    elif found["score"] <= 1:
        yield Badge(_("Look of its series"), GOOD)
    else:
        yield Badge(_("Off its series"), BAD, (describe_part(found["worst"]),))


def _text(image: Any) -> Iterator[Badge]:
    checks = image.checks
    if OCR_CHECK in checks:
        results = image.ocr.results
        if results and all(each.reading.is_exact for each in results):
            yield Badge(_("Text as requested"), GOOD)
        elif not results:
            yield Badge(_("Text not read"), BAD)
        else:
            percent = min(each.percent for each in results)
            reason = _("%(percent)s %% of the letters") % {"percent": percent}
            yield Badge(_("Text differs"), BAD, (reason,))
    elif checks.get("text_read"):
        yield Badge(_("Text differs"), BAD, tuple(checks["text_read"].values()))
    elif "text_proof" in checks:
        yield Badge(_("Text as requested"), GOOD)


def _size(image: ProductImage) -> Iterator[Badge]:
    if SIZE_CHECK in image.checks:
        compared = SizeComparison.from_dict(image.checks[SIZE_CHECK])
        sentence = _("The picture has %(actual)s pixels; %(requested)s were requested.") % {
            "actual": "{} × {}".format(*compared.actual),
            "requested": "{} × {}".format(*compared.requested),
        }
        yield Badge(_("Another size"), BAD, (sentence,))
    elif image.spec.get("ratio"):
        ratio, size = (image.spec.get(name, "") for name in ("ratio", "size"))
        yield Badge(_("Ratio and size"), GOOD, (f"{ratio} {size}".strip(),))


def _cutout(image: ProductImage) -> Iterator[Badge]:
    found = image.checks.get(CUTOUT_CHECK)
    if found is None:
        return
    if found.get("reasons"):
        reasons = tuple(describe_doubt(code) for code in found["reasons"])
        yield Badge(
            _("Cut-out doubtful"), BAD, (_("Look at the outline of the product."), *reasons)
        )
    else:
        yield Badge(_("Cut-out"), GOOD)
