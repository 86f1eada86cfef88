"""Writes the ZIP of an export, a picture at a time, whatever it is written to."""

from __future__ import annotations

import logging
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from time import monotonic
from typing import IO, Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.channels import Channel, channel
from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import message_line
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.export import rules
from nb_catalog.export.manifest import ManifestWriter, record_of
from nb_catalog.export.names import EXTENSIONS
from nb_catalog.export.planning import ExportPlan, products_of
from nb_catalog.export.types import ORIGINAL, ExportedFile, Finding, Level
from nb_catalog.imaging.encode import MIME_TYPES
from nb_catalog.imaging.exported import export_file
from nb_catalog.imaging.file_measures import measure_file
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.models import ProductImage

logger = logging.getLogger(__name__)

# Pictures whose rows are fetched together.
BLOCK: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A picture that could not be exported, and why."""

    image: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that was made for export: its name, its bytes, its entry in the manifest, and what channels say
    about it."""

    name: str
    data: bytes = field(repr=False)
    record: dict[str, Any]
    findings: tuple[Finding, ...]


@dataclass(slots=True, kw_only=True)
class ExportReport:
    """What became of an export: how many files it has, how many of them are smaller than the longest side
    that was asked for, which pictures were left out, and how many files each channel refuses."""

    written: int = 0
    smaller: int = 0
    byte_size: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    failing: dict[str, int] = field(default_factory=dict)

    def add(self, file: CheckedFile | LeftOut) -> None:
        """Count a file that was made, or a picture that was left out."""
        if isinstance(file, LeftOut):
            self.left_out.append(file)
            return
        self.written += 1
        self.byte_size += len(file.data)
        self.smaller += file.record["smaller_than_requested"]
        for key in {each.channel for each in file.findings if each.level is Level.FAILS}:
            self.failing[key] += 1


def checked_files(plan: ExportPlan) -> Iterator[CheckedFile | LeftOut]:
    """Yield each file of ``plan``, made and checked, or why it cannot be.

    A constant number of queries for each ``BLOCK``; one picture at a time is in memory.
    """
    channels = [channel(key) for key in plan.options.channels]
    for block in blocks(plan.files, size=BLOCK):
        keys = {each.picture.image for each in block}
        rows = ProductImage.objects.filter(pk__in=keys).select_related("content_type")
        images = {row.pk: row for row in rows.prefetch_related("alts")}
        products = products_of({(row.content_type_id, row.object_id) for row in images.values()})
        for file in block:
            image = images.get(file.picture.image)
            try:
                if image is None:
                    raise RequestRefused(_("The picture was deleted meanwhile."))
                product = products.get((image.content_type_id, image.object_id))
                yield _checked(file, image, product, plan=plan, channels=channels)
            except NBCatalogError as error:
                reason = message_line(error)
                logger.warning("Picture %s was not exported: %s", file.picture.image, reason)
                yield LeftOut(image=file.picture.image, name=file.stem, reason=reason)


def _checked(
    file: ExportedFile,
    image: ProductImage,
    product: Any,
    *,
    plan: ExportPlan,
    channels: list[Channel],
) -> CheckedFile:
    options, limits = plan.options, picture_limits()
    origin = DigitalSourceType(image.digital_source_type)
    data, made_as = export_file(
        storage.read(str(image.file.name)),
        format=None if options.format == ORIGINAL else options.format,  # type: ignore[arg-type]
        longest_side=options.longest_side,
        xmp=xmp_packet(origin),
        **limits,
    )
    box = rules.box_in(image)
    # Measured on the file that is delivered, not on what its row says.
    measures = measure_file(data, product=box, **limits)
    subject = rules.Subject(
        file=measures,
        box=box,
        text=rules.text_on(image),
        origin=origin,
        is_reduced=max(measures.width, measures.height) < max(image.width, image.height),
    )
    name = file.stem + EXTENSIONS[made_as]
    return CheckedFile(
        name=name,
        data=data,
        record=record_of(
            file, image, product, name=name, size=(measures.width, measures.height),
            byte_size=len(data), sha256=sha256(data).hexdigest(), mime_type=MIME_TYPES[made_as],
            options=options,
        ),
        findings=tuple(rules.check(subject, channels)),
    )  # fmt: skip


def write_archive(
    plan: ExportPlan,
    target: IO[bytes],
    *,
    seconds: float | None = None,
    progress: Callable[[], object] = bool,
) -> ExportReport:
    """Write the ZIP of ``plan`` to ``target``, which need not be seekable, and call ``progress`` after each
    picture.

    A picture that cannot be read is left out, and named in the report and in the manifest. Raises
    ``RequestRefused`` if none can be read, or if the ZIP is not finished within ``seconds``.
    """
    until = inf if seconds is None else monotonic() + seconds
    at = timezone.localtime()
    report = ExportReport(failing=dict.fromkeys(plan.options.channels, 0))
    # Stored, not compressed: pictures are compressed already. ZIP64 where it needs to be.
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
        ManifestWriter(plan.options, at=at) as manifest,
    ):
        for number, file in enumerate(checked_files(plan), start=1):
            report.add(file)
            if isinstance(file, CheckedFile):
                archive.writestr(_entry(file.name, at=at), file.data)
                manifest.add(file.record, file.findings)
            if number < len(plan.files) and monotonic() >= until:
                raise RequestRefused(
                    _(
                        "Only %(written)s of %(number)s pictures were exported in the time of a web page. "
                        "Choose fewer, or run “manage.py nb_export”, which has no limit."
                    )
                    % {"written": number, "number": len(plan.files)}
                )
            progress()
        if not report.written:
            raise RequestRefused(
                _("None of the pictures could be exported."),
                *(f"#{each.image}: {each.reason}" for each in report.left_out[:5]),
            )
        left_out = [
            {"image": each.image, "name": each.name, "reason": each.reason}
            for each in report.left_out
        ]
        for name, content in manifest.finish(left_out).items():
            entry = _entry(name, at=at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as written:
                shutil.copyfileobj(content, written)
    return report


def _entry(name: str, *, at: Any) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=at.timetuple()[:6])
    # Readable by everybody, once unpacked.
    entry.external_attr = 0o100644 << 16
    return entry
