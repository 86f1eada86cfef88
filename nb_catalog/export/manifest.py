"""The manifest of an export: what each file shows and how it was made, as JSON and as a table."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import IO, Any, Final, Self

from django.conf import settings as django_settings
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.copydecks.tables import protect
from nb_catalog.core.attributes import host_code
from nb_catalog.core.channels import Channel, channel
from nb_catalog.export.planning import sku_of
from nb_catalog.export.types import ExportedFile, ExportOptions, Finding
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.models import ProductImage
from nb_catalog.registry import source_for
from nb_catalog.storefront.alt_text import overlay_text, resolve_alt

NAMES: Final = ("manifest.json", "manifest.csv")
PASSES: Final = "ok"
# Of each manifest; more is kept in a file.
_MEMORY: Final = 4_000_000
# Excel splits at semicolons, quoted or not, where decimals have a comma: each piece becomes a cell.
_PIECES: Final = re.compile(r"[^;\r\n]+")
_COLUMNS: Final = (
    "file", "image", "model", "object", "sku", "title", "slot", "locale", "position", "width", "height",
    "bytes", "sha256", "mime_type", "smaller_than_requested", "provider", "made_by", "model_version",
    "digital_source_type", "declaration",
)  # fmt: skip


def declaration(term: DigitalSourceType) -> str:
    """Return a sentence that declares how a picture was made, for forms and descriptions."""
    match term:
        case DigitalSourceType.MODEL:
            return _("This picture was generated with AI, the product on it included.")
        case DigitalSourceType.COMPOSITE_WITH_MODEL:
            return _("The product is a photo; its surroundings were generated with AI.")
        case DigitalSourceType.ALGORITHMIC:
            return _("The product is a photo; its surroundings were computed without AI.")
        case DigitalSourceType.COMPOSITE:
            return _("This picture was assembled from several photos.")
        case DigitalSourceType.CREATION:
            return _("This picture is a photo with text that was added by a program.")
        case DigitalSourceType.CAPTURE:
            return _("This picture is a photo.")


def alts_of(image: ProductImage, product: Any) -> dict[str, str]:
    """Return the alternative text of ``image`` in each language of the shop: the one that a person wrote,
    otherwise that of ``product`` and of the text on the picture.

    A picture with text has those of its own language only.
    """
    written = {alt.locale: alt.text for alt in image.alts.all()}
    shown = overlay_text(image)
    texts = {}
    for locale in settings.LOCALES:
        if image.locale and image.locale != locale and locale not in written:
            continue
        of_product = ""
        if product is not None and locale not in written:
            source = source_for(product)
            with host_code(f"{type(source).__name__}.alt()"):
                of_product = source.alt(product, locale)
        texts[locale] = resolve_alt(
            written.get(locale, ""), of_product=of_product, overlay_text=shown
        )
    return {locale: text for locale, text in texts.items() if text}


def record_of(
    file: ExportedFile,
    image: ProductImage,
    product: Any,
    *,
    name: str,
    size: tuple[int, int],
    byte_size: int,
    sha256: str,
    mime_type: str,
    options: ExportOptions,
) -> dict[str, Any]:
    """Return the manifest's entry of one file, without what channels say about it."""
    term = DigitalSourceType(image.digital_source_type)
    side = options.longest_side
    model = image.content_type.model_class()
    return {
        "file": name,
        "image": image.pk,
        "model": model._meta.label_lower if model is not None else str(image.content_type),
        "object": image.object_id,
        "sku": sku_of(product) if product is not None else image.object_id,
        "title": source_for(product).title(product) if product is not None else "",
        "slot": file.picture.slot,
        "locale": file.picture.locale,
        "position": file.picture.position + 1,
        "width": size[0],
        "height": size[1],
        "bytes": byte_size,
        "sha256": sha256,
        "mime_type": mime_type,
        "smaller_than_requested": side is not None and max(size) < side,
        "provider": str(image.provenance.get("provider", "")),
        "made_by": str(image.provenance.get("model", "")),
        "model_version": str(image.provenance.get("model_version", "")),
        "digital_source_type": term.uri,
        "declaration": declaration(term),
        "alt": alts_of(image, product),
    }


class ManifestWriter:
    """Collects the entries of an export in files, however many they are. A context manager."""

    def __init__(self, options: ExportOptions, *, at: datetime) -> None:
        self._options = options
        self._channels: list[Channel] = [channel(key) for key in options.channels]
        self._at = at
        self._locales = list(settings.LOCALES)
        self._json: IO[bytes] = SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 - closed in __exit__
        self._csv: IO[bytes] = SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 - closed in __exit__
        # Without a byte order mark, Excel does not read the table as UTF-8.
        self._text = TextIOWrapper(self._csv, "utf-8-sig", newline="")
        self._table = csv.writer(self._text)
        self._table.writerow(
            [
                *_COLUMNS,
                *(f"alt_{locale}" for locale in self._locales),
                *(each.key for each in self._channels),
            ]
        )
        self._json.write(self._head())
        self._count = 0

    def _head(self) -> bytes:
        options = self._options
        head = {
            "generator": "nb_catalog",
            "created": self._at.isoformat(timespec="seconds"),
            "language": django_settings.LANGUAGE_CODE,
            "pattern": options.pattern,
            "format": options.format,
            "longest_side": options.longest_side,
            "channels": {
                each.key: {"name": each.name, "source": each.source, "checked": each.checked}
                for each in self._channels
            },
        }
        return (_dumped(head)[:-1] + ',"files":[').encode()

    def add(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> None:
        """Add the entry of one file, with what the channels say about it."""
        by_channel = {each.key: [] for each in self._channels}  # type: dict[str, list[Finding]]
        for finding in findings:
            by_channel[finding.channel].append(finding)
        entry = {
            **record,
            "checks": {
                key: [
                    {
                        "rule": each.rule, "level": str(each.level), "found": each.found,
                        "wanted": each.wanted, "mend": each.mend,
                    }
                    for each in of_channel
                ]
                for key, of_channel in by_channel.items()
            },
        }  # fmt: skip
        self._json.write((",\n" if self._count else "\n").encode() + _dumped(entry).encode())
        self._count += 1
        row = [record[name] for name in _COLUMNS]
        row += [record["alt"].get(locale, "") for locale in self._locales]
        row += [
            " ".join(f"[{each.level}] {each}" for each in findings) or PASSES
            for findings in by_channel.values()
        ]
        self._table.writerow(
            [_PIECES.sub(lambda piece: protect(piece[0]), str(cell)) for cell in row]
        )

    def finish(self, left_out: Sequence[Mapping[str, Any]]) -> dict[str, IO[bytes]]:
        """Return the manifests by their names, to be read from their beginning.

        ``left_out`` has the pictures that could not be exported, and why.
        """
        self._json.write(f'\n],"left_out":{_dumped(list(left_out))}}}\n'.encode())
        self._text.flush()
        for file in (self._json, self._csv):
            file.seek(0)
        return dict(zip(NAMES, (self._json, self._csv), strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._json.close()
        self._text.close()


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
