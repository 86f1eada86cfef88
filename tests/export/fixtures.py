"""Pictures with a product on a plain background, as rows and as files."""

from io import BytesIO
from itertools import count
from zipfile import ZipFile

from PIL import Image, ImageDraw

from nb_catalog import export
from nb_catalog.core.states import ImageState
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from tests import factories

_numbers = count(1)
MARK = DigitalSourceType.COMPOSITE_WITH_MODEL


def picture(
    size=(400, 500), *, box=(0.05, 0.05, 0.95, 0.95), ground="white", mark=MARK, kind="jpeg"
):
    """A blue product that fills ``box`` (shares of the frame) on ``ground``, as a file with its mark."""
    image = Image.new("RGB", size, ground)
    left, top, right, bottom = box
    width, height = size
    corners = (left * width, top * height, right * width - 1, bottom * height - 1)
    # No two have the same bytes.
    number = next(_numbers)
    ImageDraw.Draw(image).rectangle(corners, fill=(32, number // 200 % 200, number % 200))
    return encode(
        image, format=kind, quality=95 if kind == "jpeg" else None, xmp=mark and xmp_packet(mark)
    )


def approved(about=None, *, size=(400, 500), box=(0.05, 0.05, 0.95, 0.95), data=None, **fields):
    """An approved picture whose stored box is where its product is."""
    left, top, right, bottom = box
    width, height = size
    place = [left * width, top * height, (right - left) * width, (bottom - top) * height]
    checks = fields.pop("checks", {"product": place})
    return factories.image(
        about, state=ImageState.APPROVED, size=size, checks=checks,
        data=data or picture(size, box=box), **fields,
    )  # fmt: skip


def exported(pictures, **options):
    """The report and the opened ZIP of an export."""
    file = BytesIO()
    plan = export.plan_export(pictures, export.ExportOptions(**options))
    report = export.write_archive(plan, file)
    return report, ZipFile(file)
