"""Why text was not read back: recorded with the picture as a code, explained in its reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from nb_catalog.core.text import message as _


def missing_because(code: str, detail: str = "") -> dict[str, str]:
    """Return plain data for a JSON column: ``code`` is one of those in ``explain_missing``, and
    ``detail`` what its sentence names."""
    return {"code": code, "detail": detail}


def explain_missing(missing: Mapping[str, str] | str) -> str:
    """Return in the active language why a text was not read back; "" if ``missing`` is empty."""
    if not missing or isinstance(missing, str):
        # Earlier versions recorded a sentence.
        return str(missing or "")
    sentences = {
        "language_unsupported": _("nothing that is installed reads this language reliably."),
        "extra_missing": _("the extra “ocr” is not installed."),
        "program_missing": _("the program Tesseract is not installed."),
        "data_missing": _("Tesseract’s data “%(detail)s” is not installed."),
        "timed_out": _("Tesseract did not answer in time."),
        "paused": _("Tesseract did not answer in time, and is not asked for some minutes."),
        "picture_timed_out": _("Tesseract took too long for all texts of the picture."),
        "failed": _("Tesseract failed with status %(detail)s."),
        "not_runnable": _("Tesseract cannot be run: %(detail)s."),
        "photo_unreadable": _("the product’s photo cannot be read."),
        "reading_failed": _("%(detail)s while reading."),
    }
    code = missing["code"]
    return sentences[code] % missing if code in sentences else code
