"""A picture as a page shows it, rendered as HTML and as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any, Final

from nb_catalog.imaging.provenance import KNOWN_TERMS, DigitalSourceType
from nb_catalog.storefront.picture_data import PictureData, widths_of

SCHEMA_ORG: Final = "https://schema.org"
# HTML requires sizes if a srcset has widths; this is what browsers assume without it.
WHOLE_WIDTH: Final = "100vw"

# Browsers take the first source that they support: the smallest format goes first.
SOURCES: Final[Mapping[str, str]] = {"avif": "image/avif", "webp": "image/webp"}

# What could end a <script> element or open a comment in it, as in django.utils.html.json_script.
_IN_SCRIPT: Final = str.maketrans({"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlAttributes:
    """Attributes of a picture on a page, escaped: ``sizes``, and all others in ``rest``."""

    sizes: str
    rest: str


@lru_cache(maxsize=256)
def html_attributes(
    *,
    sizes: str = WHOLE_WIDTH,
    class_: str = "",
    loading: str = "lazy",
    decoding: str = "async",
    fetchpriority: str = "",
) -> HtmlAttributes:
    """Return attributes with escaped values; an empty value leaves its attribute out."""
    values = {
        "class": class_,
        "loading": loading,
        "decoding": decoding,
        "fetchpriority": fetchpriority,
    }
    return HtmlAttributes(
        sizes=_attribute("sizes", sizes),
        rest="".join(_attribute(name, value) for name, value in values.items()),
    )


def _attribute(name: str, value: object) -> str:
    return f' {name}="{escape(str(value))}"' if value else ""


DEFAULT_ATTRIBUTES: Final = html_attributes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, ready for a template. ``image_id`` is None for the host's own photo.

    A template that escapes renders it as HTML: Django's ``{% catalog_picture %}``, Jinja2's ``{{ … }}``.
    """

    picture_data: PictureData
    alt: str = ""
    image_id: int | None = None
    position: int = 0
    html_attributes: HtmlAttributes = DEFAULT_ATTRIBUTES

    @property
    def src(self) -> str:
        """The address of the widest JPEG, or of the photo."""
        return self.picture_data["src"]

    @property
    def width(self) -> int:
        """Pixels; 0 if unknown."""
        return self.picture_data["width"]

    @property
    def height(self) -> int:
        """Pixels; 0 if unknown."""
        return self.picture_data["height"]

    @property
    def aspect_ratio(self) -> str:
        """The value of CSS's ``aspect-ratio``, such as "928 / 1152"; empty if the size is unknown.

        Browsers derive the same from the attributes ``width`` and ``height``. It is not written into
        the HTML, because a content security policy may forbid inline styles.
        """
        return f"{self.width} / {self.height}" if self.width else ""

    @property
    def has_text(self) -> bool:
        """Whether there is text on the picture, which a page must not crop."""
        return bool(self.picture_data.get("overlay_text"))

    @property
    def srcset(self) -> str:
        """The JPEGs, for ``<img>``."""
        return self.picture_data["srcsets"].get("jpeg", "")

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """(type, srcset) pairs for ``<source>``, the smallest format first."""
        srcsets = self.picture_data["srcsets"]
        return tuple((SOURCES[name], srcsets[name]) for name in SOURCES if name in srcsets)

    @property
    def origin(self) -> str:
        """The IPTC digital source type; empty for the host's own photo."""
        return self.picture_data["origin"]

    @property
    def schema_org(self) -> str:
        """The address of schema.org's term for ``origin``; empty for a photo."""
        if self.origin not in KNOWN_TERMS:
            return ""
        return f"{SCHEMA_ORG}/{DigitalSourceType(self.origin).schema_org}"

    def url(self, *, width: int | None = None) -> str:
        """Return the address of the narrowest JPEG of at least ``width`` pixels, otherwise the widest."""
        urls = widths_of(self.srcset) if width is not None else {}
        sufficient = [each for each in urls if each >= (width or 0)]
        return urls[min(sufficient)] if sufficient else self.src

    def with_attributes(self, *, alt: str | None = None, **options: str) -> Picture:
        """Return the same picture with other attributes; ``alt`` replaces the product's own.

        ``options`` are ``sizes``, ``class_``, ``loading``, ``decoding`` and ``fetchpriority``.
        """
        alt = self.alt if alt is None else alt
        return replace(
            self,
            alt=alt,
            html_attributes=html_attributes(**options) if options else self.html_attributes,
        )

    def __html__(self) -> str:
        """Return ``<picture>``. Every value from outside is escaped here.

        ``format_html`` takes three times as long, and a page has hundreds of these.
        """
        data = self.picture_data
        srcsets = data["srcsets"]
        sizes = self.html_attributes.sizes
        html = "<picture>"
        for name, mime_type in SOURCES.items():
            if name in srcsets:
                html += f'<source type="{mime_type}" srcset="{escape(srcsets[name])}"{sizes}>'
        html += f'<img src="{escape(data["src"])}"'
        if "jpeg" in srcsets:
            html += f' srcset="{escape(srcsets["jpeg"])}"{sizes}'
        if data["width"]:
            html += f' width="{data["width"]:d}" height="{data["height"]:d}"'
        if data["origin"]:
            html += f' data-digital-source-type="{escape(data["origin"])}"'
        if data.get("overlay_text"):
            html += " data-has-text"
        return f'{html} alt="{escape(self.alt)}"{self.html_attributes.rest}></picture>'


class StructuredData(dict[str, Any]):
    """JSON-LD as a dict. A template that escapes renders it as a ``<script>``."""

    def __html__(self) -> str:
        text = json.dumps(self, ensure_ascii=False).translate(_IN_SCRIPT)
        return f'<script type="application/ld+json">{text}</script>'
