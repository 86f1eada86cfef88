"""Abbreviations that stay on one line: "z. B.", "s. r. o.", "Dr. Müller", "p. 12", "20 h 30".

They are recognized by their form, in any language. A sentence that ends with a single letter looks the same;
one more break is then missing, which costs less than a line that starts with "B.".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LETTER: Final = r"[^\W\d_]"
_SPACES: Final = r"\s{1,2}"
# All parts but the first or the last have a single letter: "u. v. m.", "bl. a.", "fr. o. m.", "av. J.-C.",
# "m. in.", "v. Chr."; then "EE. UU.". The French "c. à d." has a part without a full stop.
_LETTERS: Final = re.compile(
    rf"(?<!\w)(?:(?:{_LETTER}\.{_SPACES})+{_LETTER}{{2,4}}\.|([A-Z])\1\.{_SPACES}([A-Z])\2\."
    rf"|(?:{_LETTER}{{1,3}}\.{_SPACES})?(?:{_LETTER}\.{_SPACES})*(?:[àÀ]{_SPACES})?{_LETTER}\."
    rf"(?:-{_LETTER}\.)?)"
)
_INITIALS: Final = re.compile(rf"(?<!\w)(?:{_LETTER}\.{_SPACES}){{2,}}(?={_LETTER})")
_TITLE: Final = re.compile(
    rf"(?<!\w)(?:(?:MM?|Dr|Prof|Mr|Mrs|Ms|Ste?|Hr|Fr|Sra?|Sig|[Dd]hr|mevr|Mgr|Ing|Inż|ul|ул|г|м)\."
    rf"|Mme|Mlle|[Dd]r|Mrs?|Ms|St){_SPACES}(?={_LETTER})"
)
# What comes before a number, "§ 5" and "kl. 20.30", and a single letter after it: "2024 r.", "10 a. m.".
_BEFORE_NUMBER: Final = re.compile(
    rf"(?:§{{1,2}}|(?<!\w)(?:[Aa]rt|Abb|[Ff]ig|[Vv]ol|Bd|[Cc]hap|[Kk]ap|[Pp]{{1,2}}|S|[Ss]tr|[Pp][áa]gs?|blz"
    rf"|[Сс]тр|Č|[Nn]o|[Nn]r|[Kk]l|[Gg]odz|[Hh]od|[a-zà-žа-я])\.|(?<!\w)(?:[Nn]r|[Kk]lo?|[Kk]ell|[Oo]re)"
    rf"|(?<!\w)n\.?[º°ª]){_SPACES}\d"
)
_AFTER_NUMBER: Final = re.compile(rf"\d{_SPACES}{_LETTER}\.(?!\w)")
# A time of day, or a duration: "20 h 30", "20 Uhr 30", "12 h 30 min".
_TIME: Final = re.compile(
    r"(?<![\d.,])\d{1,2}\s{0,2}(?:[hHu]|hrs?|Uhr|ч|год|val|hod|godz|óra)\.?\s{1,2}"
    r"(?:[0-5]\d(?![\d.,]*\d)|\d(?=\s{0,2}(?:min|Min|мин|хв)))"
)


def abbreviations(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each, with the first character of the name or number that it belongs to."""
    for pattern in (_LETTERS, _BEFORE_NUMBER, _AFTER_NUMBER, _TIME):
        for match in pattern.finditer(text):
            yield match.span()
    for pattern in (_INITIALS, _TITLE):
        for match in pattern.finditer(text):
            # Initials and titles stay with the name after them, which starts with a capital letter.
            # "z. B. Äpfel" is not a name.
            letters = [character for character in match[0] if character.isalpha()]
            is_name = pattern is _TITLE or all(letter.isupper() for letter in letters[-2:])
            if is_name and text[match.end()].isupper():
                yield match.start(), match.end() + 1
