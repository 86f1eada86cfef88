"""Where lines may end, and where they must not."""

import pytest

from nb_catalog.typesetting.line_breaking import ideograph_breaks, word_breaks


def parts_of(text, language="en"):
    breaks = [0, *word_breaks(text, language=language), len(text)]
    return [text[start:end] for start, end in zip(breaks, breaks[1:], strict=False)]


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("en", "Free shipping today", ["Free ", "shipping ", "today"]),
        ("en", "well-made", ["well-", "made"]),
        # A free-standing dash ends a line and does not start one.
        ("en", "Sale – now", ["Sale – ", "now"]),
        ("en", "-30 % off", ["-30 % ", "off"]),
        ("en", "only 5-10 left", ["only ", "5-10 ", "left"]),
        ("de", "ab 1.299,50\u00a0€ im Shop", ["ab ", "1.299,50\u00a0€ ", "im ", "Shop"]),
        ("fr", "Soldes\u202f! Profitez", ["Soldes\u202f! ", "Profitez"]),
        ("fr", "Soldes ! Profitez", ["Soldes ! ", "Profitez"]),
        ("de", "die „gute“ Wahl", ["die ", "„gute“ ", "Wahl"]),
        ("da", "den »gode« sko", ["den ", "»gode« ", "sko"]),
        ("es", "oferta ¡Ya! hoy", ["oferta ", "¡Ya! ", "hoy"]),
        ("en", "from €100 on", ["from ", "€100 ", "on"]),
        ("en", "from € 100 on", ["from ", "€ 100 ", "on"]),
        (
            "pl",
            "już od 100 zł i 5 € za sztukę",
            ["już ", "od ", "100 ", "zł ", "i 5 € ", "za ", "sztukę"],
        ),
        # One-letter words stay with the next word.
        ("pl", "plecak w góry i las", ["plecak ", "w góry ", "i las"]),
        ("cs", "batoh s kapsou", ["batoh ", "s kapsou"]),
        ("en", "a b", ["a ", "b"]),
        ("en", "zero\u200bwidth", ["zero\u200b", "width"]),
        ("de", "Regen\u00adjacke", ["Regen\u00ad", "jacke"]),
        ("en", "no\u2060 break", ["no\u2060 ", "break"]),
        ("ko", "무료 배송 가방", ["무료 ", "배송 ", "가방"]),
        ("ar", "شحن مجاني", ["شحن ", "مجاني"]),
    ],
)
def test_words_stay_whole(language, text, parts):
    assert parts_of(text, language) == parts


def test_japanese_breaks_between_phrases_and_never_before_punctuation():
    text = "送料無料、今日だけのセール。"
    parts = parts_of(text, "ja")
    assert len(parts) > 1
    assert all(part[0] not in "、。ー" for part in parts)


def test_thai_breaks_between_words_and_never_within_a_syllable():
    parts = parts_of("ลดราคาฤดูร้อนกระเป๋าเป้กันน้ำ", "th")
    assert len(parts) > 3
    assert "ฤดู" in "|".join(parts), "budoux alone would break it after its first letter"
    for part in parts:
        assert part[-1] not in "เแโใไฤ"
        assert part[0] not in "ะาำๅๆ"


def test_numbers_and_latin_words_stay_whole_in_chinese():
    parts = parts_of("全场1,980元起Pro版", "zh-Hans")
    assert any("1,980" in part for part in parts)
    assert any("Pro" in part for part in parts)


def test_ideographs_may_be_separated_but_not_from_their_punctuation():
    text = "双肩背包，轻便"
    breaks = ideograph_breaks(text, language="zh-Hans")
    assert breaks == [1, 2, 3, 5, 6], "no line starts with the comma"


def test_ideograph_breaks_do_not_break_latin_words():
    assert ideograph_breaks("backpack", language="en") == []
