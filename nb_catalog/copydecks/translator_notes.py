"""What a translator should know of a text: where it goes, how much fits, what its values look like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from nb_catalog.copydecks import placeholders
from nb_catalog.copydecks.vocabulary import placeholder_examples
from nb_catalog.core.locales import parse_locale
from nb_catalog.models import CopyDeck, Placement, TextLayout
from nb_catalog.models.copy_decks import LONGEST_TEXT
from nb_catalog.typesetting.layouts import Box

# The average advance of a letter in ems; narrow faces have less. Chinese, Japanese and Korean fill the em.
_ADVANCE: Final = 0.45
_WIDE_ADVANCE: Final = 1.0
_WIDE_LANGUAGES: Final = ("zh", "ja", "ko", "yue")
# Below this a limit of characters says nothing about a text with values.
_LEAST_LIMIT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """By role: sentences for the translator, and the characters that fit in the smallest size."""

    texts: Mapping[str, list[str]]
    limits: Mapping[str, int]


def notes_for(source: Mapping[str, str], *, locale: str, target_locale: str) -> Notes:
    """Return the notes for the texts ``source`` in ``locale``, to be translated to ``target_locale``.

    Notes are in English: not every translator reads the language of the person who exports.
    """
    boxes: dict[str, list[tuple[str, Box]]] = defaultdict(list)
    for row in TextLayout.objects.filter(is_active=True):
        try:
            layout = row.layout
        except ValueError:
            continue  # its own page reports the error
        for box in layout.boxes:
            boxes[box.role].append((row.name, box))
    names: dict[str, list[str]] = defaultdict(list)
    for role, text in source.items():
        with suppress(ValueError):
            names[role] = [f"{{{name}}}" for name in placeholders.names(text)]
    examples = (
        {name: example for each in placeholder_examples(locale) for name, example in each.examples}
        if any(names.values())
        else {}
    )
    texts: dict[str, list[str]] = defaultdict(list)
    limits = {}
    for role in source:
        if found := boxes.get(role):
            limits[role] = min(_fits(box, target_locale) for _name, box in found)
            layouts = ", ".join(f"“{name}”" for name, _box in found)
            lines = min(box.lines for _name, box in found)
            texts[role].append(
                f"“{role}” on pictures with the layout {layouts}: at most {lines} "
                f"{'line' if lines == 1 else 'lines'}, about {limits[role]} characters."
            )
        if values := [
            f"{name} is “{examples[name]}”" for name in names[role] if examples.get(name)
        ]:
            texts[role].append(f"For example, {', '.join(values)}. Values may be moved.")
    return Notes(texts=texts, limits=limits)


def picture_of(deck: CopyDeck, *, root_url: str = "") -> str:
    """Return the address of the newest published picture with the deck's own texts; "" if there is none."""
    shown = Placement.objects.filter(image__spec__deck=deck.key, locale=deck.locale)
    data = shown.order_by("-published_at").values_list("picture_data", flat=True).first() or {}
    address = str(data.get("src", ""))
    return urljoin(root_url, address) if address and root_url else address


def _fits(box: Box, locale: str) -> int:
    """Return about how many characters fit into ``box`` in its smallest size, on a square picture."""
    is_wide = parse_locale(locale).language in _WIDE_LANGUAGES
    per_line = box.place.width / (box.smallest * (_WIDE_ADVANCE if is_wide else _ADVANCE))
    lines = min(box.lines, max(1, int(box.place.height / (box.smallest * 1.2))))
    return max(_LEAST_LIMIT, min(LONGEST_TEXT, int(per_line * lines)))
