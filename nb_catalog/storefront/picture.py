"""A picture as a page shows it, and how it is drawn in HTML and in JSON-LD."""

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
# HTML asks for sizes wherever a srcset has widths; this is what browsers take without it.
WHOLE_WIDTH: Final = "100vw"

# Browsers take the first source they can show: the smallest format goes first.
SOURCES: Final[Mapping[str, str]] = {"avif": "image/avif", "webp": "image/webp"}

# What could end a <script> element or open a comment in it, as django.utils.html.json_script has it.
_IN_SCRIPT: Final = str.maketrans({"<": "\\u003C", ">": "\\u003E", "&": "\\u0026"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlAttributes:
    """How a picture is put on a page. ``sizes`` and ``rest`` are attributes, escaped already."""

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
    """A look from values that are not escaped yet; an empty one leaves its attribute out."""
    given = {
        "class": class_,
        "loading": loading,
        "decoding": decoding,
        "fetchpriority": fetchpriority,
    }
    return HtmlAttributes(
        sizes=_attribute("sizes", sizes),
        rest="".join(_attribute(name, value) for name, value in given.items()),
    )


def _attribute(name: str, value: object) -> str:
    return f' {name}="{escape(str(value))}"' if value else ""


DEFAULT_ATTRIBUTES: Final = html_attributes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, ready for a template. ``image_id`` is None for the host's own photo.

    A template that escapes draws it: Django's ``{% catalog_picture %}``, Jinja2's ``{{ … }}``.
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
        """Pixels; 0 where nothing is known."""
        return self.picture_data["width"]

    @property
    def height(self) -> int:
        """Pixels; 0 where nothing is known."""
        return self.picture_data["height"]

    @property
    def srcset(self) -> str:
        """The JPEGs, for ``<img>``."""
        return self.picture_data["srcsets"].get("jpeg", "")

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """(type, srcset) pairs for ``<source>``, the smallest format first."""
        srcsets = self.picture_data["srcsets"]
        return tuple((SOURCES[kind], srcsets[kind]) for kind in SOURCES if kind in srcsets)

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
        """The JPEG that is at least ``width`` pixels wide, else the widest."""
        urls = widths_of(self.srcset) if width is not None else {}
        enough = [each for each in sorted(urls) if each >= (width or 0)]
        return urls[enough[0]] if enough else self.src

    def with_attributes(self, *, alt: str | None = None, **options: str) -> Picture:
        """The same picture with other attributes: ``sizes``, ``class_``, ``loading``,
        ``decoding``, ``fetchpriority``; ``alt`` replaces the product's own."""
        alt = self.alt if alt is None else alt
        return replace(
            self,
            alt=alt,
            html_attributes=html_attributes(**options) if options else self.html_attributes,
        )

    def __html__(self) -> str:
        """``<picture>``. Every value that is not ours is escaped here, whoever wrote it.

        Not by ``format_html``, which takes three times as long: a page draws hundreds of these.
        """
        kept = self.picture_data
        srcsets = kept["srcsets"]
        sizes = self.html_attributes.sizes
        drawn = "<picture>"
        for kind, mime_type in SOURCES.items():
            if kind in srcsets:
                drawn += f'<source type="{mime_type}" srcset="{escape(srcsets[kind])}"{sizes}>'
        drawn += f'<img src="{escape(kept["src"])}"'
        if "jpeg" in srcsets:
            drawn += f' srcset="{escape(srcsets["jpeg"])}"{sizes}'
        if kept["width"]:
            drawn += f' width="{kept["width"]:d}" height="{kept["height"]:d}"'
        if kept["origin"]:
            drawn += f' data-digital-source-type="{escape(kept["origin"])}"'
        return f'{drawn} alt="{escape(self.alt)}"{self.html_attributes.rest}></picture>'


class StructuredData(dict[str, Any]):
    """JSON-LD as a dict. A template that escapes draws it as a ``<script>``."""

    def __html__(self) -> str:
        text = json.dumps(self, ensure_ascii=False).translate(_IN_SCRIPT)
        return f'<script type="application/ld+json">{text}</script>'
