"""Sample texts for tests, in 22 locales, and the fonts for them."""

import json
from pathlib import Path

from babel.numbers import format_currency, format_percent

from nb_catalog.core import locales
from nb_catalog.typesetting import fonts
from nb_catalog.typesetting.paragraphs import Paragraph

PHRASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "phrases.json"

# A headline in each locale, most with an en dash.
HEADLINES = {
    "en": "Autumn offer – rain jacket",
    "de": "Herbstangebot – Regenjacke für draußen",
    "fr": "Offre d’automne – veste de pluie à capuche",
    "es": "Oferta de otoño – ¡chaqueta impermeable!",
    "pl": "Jesienna okazja – kurtka w góry",
    "cs": "Podzimní nabídka – bunda s kapucí",
    "el": "Φθινοπωρινή προσφορά – αδιάβροχο",
    "ru": "Осеннее предложение – дождевик",
    "uk": "Осіння пропозиція – їжа й ґаджети",
    "tr": "Sonbahar fırsatı – YAĞMURLUK İÇİN",
    "vi": "Ưu đãi mùa thu – áo khoác chống thấm",
    "ar": "عرض الخريف – سترة مطر X-200",
    "fa": "پیشنهاد پاییز – بارانی سبک",
    "he": "מבצע סתיו – מעיל גשם X-200",
    "hi": "शरद ऋतु ऑफ़र – वर्षा जैकेट",
    "bn": "শরতের অফার – বৃষ্টির জ্যাকেট",
    "ta": "இலையுதிர் சலுகை – மழை அங்கி",
    "th": "ข้อเสนอฤดูใบไม้ร่วงเสื้อกันฝนน้ำหนักเบา",
    "ja": "秋のセール – 軽くて丈夫なレインジャケット。",
    "zh-Hans": "秋季优惠 – 轻便耐用的防水夹克。",
    "zh-Hant": "秋季優惠 – 輕便耐用的防水夾克。",
    "ko": "가을 할인 – 가볍고 튼튼한 비옷",
}


def texts_for(locale):
    """Headline, price and badge of a locale."""
    parsed = locales.parse_locale(locale)
    return {
        "headline": HEADLINES[locale],
        "price": format_currency(1299.5, "EUR", locale=parsed),
        # Babel omits the mark that keeps the minus before the number in Arabic.
        "badge": "\u200e" + format_percent(-0.3, locale=parsed),
    }


def shared_texts():
    """Further headlines and badges; empty if the file of phrases is missing."""
    if not PHRASES.is_file():
        return {}
    phrases = json.loads(PHRASES.read_text(encoding="utf-8"))
    return {
        locale: {**texts_for(locale), "headline": phrase["headline"], "badge": phrase["badge"]}
        for locale, phrase in phrases.items()
    }


def paragraph(text, locale="en", *, weight=700):
    return Paragraph(
        text,
        fonts.chain_for(locale),
        weight,
        locales.language_tag(locale),
        locales.direction(locale),
    )
