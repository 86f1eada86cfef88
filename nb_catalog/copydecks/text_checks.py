"""Mistakes that texts bring from spreadsheets and files, and what is probably one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import ftfy
from django.utils.translation import gettext as _

# What spreadsheets show in place of a result. Not a pattern: "#SALE!" is a text.
_SPREADSHEET_ERRORS: Final = frozenset(
    # English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian, Turkish, Czech
    """
    #BLOCKED! #CALC! #CONNECT! #DIV/0! #ERROR! #FIELD! #GETTING_DATA #N/A #NAME? #NULL! #NUM! #REF! #SPILL!
    #UNKNOWN! #VALUE! #BEZUG! #NV #WERT! #ZAHL! #ÜBERLAUF! #NOM? #NOMBRE! #PROPAGATION! #VALEUR! #¡DIV/0!
    #¡NULO! #¡NUM! #¡REF! #¡VALOR! #¿NOMBRE? #DESBORDAMIENTO! #N/D #VALOR! #NOME? #NULLO! #RIF! #VALORE!
    #NÚM! #DESPEJAR! #DEEL/0! #GETAL! #LEEG! #N/B #NAAM? #OVERLOOP! #VERW! #WAARDE! #ADR! #ARG! #DZIEL/0!
    #LICZBA! #N/D! #NAZWA? #ZERO! #ДЕЛ/0! #ЗНАЧ! #ИМЯ? #Н/Д #ПУСТО! #ССЫЛКА! #ЧИСЛО! #DEĞER! #SAYI/0! #AD?
    #BAŞV! #SAYI! #YOK #HODNOTA! #NÁZEV? #ODKAZ! #ČÍSLO!
    """.split()  # noqa: SIM905 - 70 words
)
_OFFICE_ERROR: Final = re.compile(r"Err:\d{3}|#{3,}")
_FORMULA: Final = re.compile(r"=\s*[\w.]+\(|=\$?[A-Z]{1,3}\$?\d")
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9A-Fa-f]+);")
# A capital A with tilde before a closing guillemet also occurs in Portuguese.
_MAYBE_MEANT: Final = "Ã»"


def accidents(text: str) -> Iterator[str]:
    """Yield what programs have made of ``text`` on its way: errors of spreadsheets, a wrong encoding."""
    if text in _SPREADSHEET_ERRORS or _OFFICE_ERROR.fullmatch(text):
        message = _("%(text)r is an error of a spreadsheet. Correct its formula, or type the text.")
        yield message % {"text": text}
    elif repaired := _repaired(text.replace(_MAYBE_MEANT, "")):
        message = _(
            "%(text)r was read in the wrong encoding; %(meant)r is meant. Save it as UTF-8, or type "
            "the text."
        )
        yield message % {"text": text, "meant": _repaired(text) or repaired}


def text_warnings(text: str) -> Iterator[str]:
    """Yield what is probably a mistake in ``text``, and could be meant."""
    if _MAYBE_MEANT in text and (repaired := _repaired(text)):
        message = _("It may have been read in the wrong encoding: is %(meant)r meant?")
        yield message % {"meant": repaired}
    if _FORMULA.match(text):
        yield _("It begins like a formula. It is drawn as it is.")
    if tag := _TAG.search(text):
        yield _("%(code)r looks like HTML. It is drawn as it is.") % {"code": tag[0]}


def _repaired(text: str) -> str:
    """Return ``text`` as it was before its UTF-8 was read as another encoding; "" if it was not."""
    if text.isascii():
        return ""
    repaired = ftfy.fix_encoding(text)
    return repaired if repaired != text else ""
