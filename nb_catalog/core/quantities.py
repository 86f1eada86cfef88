"""Names of currencies and units as they are written beside a number: "kr", "zł", "GB", "سم"."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import product
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from babel.units import format_unit

# €, ₹, ฿ and the others of Python's version of Unicode, whose general category is Sc.
CURRENCY_SIGNS: Final = frozenset(
    character for character in map(chr, range(0x10000)) if unicodedata.category(character) == "Sc"
)

# What shops write and CLDR does not list, or lists for other languages only.
_CURRENCY_NAMES: Final = """
    kr kr. kr:- Kr Kr. dkr nkr skr ISK zł zl zł. PLN Ft ft Ft. HUF Kč Kc kč Kčs lei leu RON лв лв.
    BGN ден ден. дин дин. din din. RSD KM КМ руб руб. р р. коп коп. грн грн. ₴. тг тг. тенге сом сум
    so'm soʻm ман манат ман. лари драм бел.руб. Br BYN Rp Rp. RM Rs Rs. Re Re. Tk Tk. INR PKR LKR
    NPR रु रु. रू रू. ৳. टका টাকা রু ரூ ரூ. రూ రూ. ರೂ ರೂ. രൂ ரூபாய் रुपये रुपए રૂ રૂ. ਰੁ đ Đ đồng
    vnđ VNĐ VND บาท บ. THB ກີບ រៀល ကျပ် K Ks MMK LAK KHR 円 圓 圆 元 块 圜 원 만원 RMB CN¥ Fr Fr. fr fr. Frs.
    sFr. SFr. SFr Fr.- Sfr TL tl YTL Lt Lt. Ls Lek lekë Q Bs Bs. S/ S/. C$ B/. Gs Gs. Lps Lps. R R$
    RD$ J$ US$ U$S AU$ A$ CA$ NZ$ HK$ NT$ S$ MX$ Mex$ COL$ CLP$ AR$ $b FCFA CFA F F. FC FG FCFP XPF
    Ar MGA DA DT DH Dh DHs dh Dhs AED SAR QAR OMR KWD BHD JOD EGP LE L.E. E£ KSh Ksh Kes TSh USh GH₵
    GHS MT MTn N$ Kz ZK MK Nfk Sh.So. Birr euro euros Euro Euros EURO евро ευρώ dollars dollar
    Dollar Pfund pounds Franken francs CHF. korun koruna korony euró forint złotych złote złoty
    kronor kroner krónur рублей рубля гривень د.إ د.إ. درهم ر.س ر.س. ريال رس ﷼ ريال. ج.م ج.م. جنيه
    جم د.ك د.ك. دينار د.ب د.ب. ر.ق ر.ق. ر.ع ر.ع. د.م د.م. د.ج د.ج. دج د.ت د.ت. ل.ل ل.ل. ل.س ل.س.
    ليرة د.أ د.ا د.ا. د.أ. د.ع د.ع. ر.ي ر.ي. ج.س ج.س. د.ل د.ل. أ.م يورو دولار تومان ت ریال ریال. ﷼.
    افغانی ؋. روپے روپیہ ש"ח ש״ח ש''ח שח שקל שקלים ₪. אירו דולר ლარი ₾. ֏. դր. դրամ
""".split()  # noqa: SIM905 - a list of this length is easier to read and to extend as text
_UNIT_NAMES: Final = """
    mm cm dm m km µm nm mg g kg t µg ml mL cl cL dl dL l L hl mm² cm² m² m2 m³ m3 cm³ ccm ha W kW MW
    Wh kWh mAh Ah mA A mV V kV VA N Nm Pa hPa kPa bar psi Hz kHz MHz GHz B kB KB MB GB TB PB Mbit
    Gbit Mbit/s Gbit/s Mbps Gbps MB/s GB/s px dpi ppi MP Mpx K °C °F °K ° °e ″ ′ '' in in. ft ft. yd
    mi oz oz. fl lb lb. lbs lm lx cd dB ct kt carat Kt den dtex gsm g/m² U/min rpm km/h mph kcal kJ
    cal J PS hp W/m² BTU GSM TC h Std Std. Stdn Min min Min. min. sec s Sek. Uhr am pm AM PM a.m.
    p.m. hrs hr mins d pcs pcs. pc pc. pz pz. Stk Stk. Stck Stck. St St. stk stk. szt szt. ks buc
    buc. db шт шт. уп уп. ud ud. uds uds. pr prs pr. % ‰ ‱ ٪ ؉ pct см мм м км кг г мг мл л Вт кВт ГБ
    МБ ТБ мАч Гц В А ч ч. мин мин. сек с سم مم م كم كجم كغ كغم جم غ غم مل لتر ل واط جيجا جيجابايت
    غيغابايت بوصة قطعة قطع ملم میلی‌لیتر سانتی‌متر گرم کیلوگرم لیتر اینچ گیگابایت عدد ס"מ מ"מ ס״מ
    מ״מ ק"ג ק״ג מ"ל מ״ל גרם ליטר מטר יח' יח׳ सेमी सेंमी मिमी मी किमी किग्रा किलो ग्राम मिली मिलीलीटर
    लीटर इंच वॉट সেমি কেজি গ্রাম মিলি লিটার กก. ซม. มม. มล. ก. ลิตร กรัม นิ้ว ชิ้น ຊມ ກກ ມລ ກຣາມ ສມ
""".split()  # noqa: SIM905 - the same
_CLDR_UNITS: Final = (
    "area-square-centimeter", "area-square-meter", "concentr-percent", "digital-gigabyte",
    "digital-megabyte", "digital-terabyte", "duration-day", "duration-hour", "duration-minute",
    "duration-month", "duration-second", "duration-week", "duration-year", "electric-ampere",
    "electric-milliampere", "electric-volt", "energy-kilocalorie", "energy-kilojoule",
    "energy-kilowatt-hour", "frequency-gigahertz", "frequency-hertz", "graphics-megapixel",
    "graphics-pixel", "length-centimeter", "length-foot", "length-inch", "length-kilometer",
    "length-meter", "length-millimeter", "light-lumen", "mass-carat", "mass-gram", "mass-kilogram",
    "mass-milligram", "mass-ounce", "mass-pound", "mass-tonne", "power-kilowatt", "power-watt",
    "temperature-celsius", "temperature-fahrenheit", "volume-centiliter", "volume-cubic-centimeter",
    "volume-fluid-ounce", "volume-gallon", "volume-liter", "volume-milliliter",
)  # fmt: skip
# One of each form that CLDR's languages have: one, two, few, many.
_AMOUNTS: Final = (1, 2, 3, 11)
_MAGNITUDE_NAMES: Final = """
    hundred hundreds thousand thousands million millions billion billions trillion bn mn dozen
    lakh lakhs crore crores Tsd Tsd. Tausend Mio Mio. Mrd Mrd. Dutzend mln mln. mld mld. mlrd mlrd. mia
    mia. mio mio. mil mil. milj milj. tys tys. tis tis. tus mille mila тыс тыс. тис тис. млн млн. млрд
    млрд. εκατ. δισ. χιλ.
""".split()  # noqa: SIM905 - the same
_PATTERN_DIGITS: Final = re.compile(r"[0#.,\s\u200e\u200f\u061c\u00a4-]+")
_DIGITS_AND_SPACES: Final = re.compile(r"[\d\s\u200e\u200f]+")


@cache
def currency_names(language: str) -> frozenset[str]:
    """Return names of currencies as texts in ``language``, a BCP 47 tag, write them: symbols with letters,
    abbreviations and ISO 4217 codes. Single signs are in ``CURRENCY_SIGNS``."""
    names = {*_CURRENCY_NAMES, *list_currencies()}
    if locale := _locale(language):
        # Symbols of Arabic currencies end with a direction mark.
        names.update(symbol.strip("\u200e\u200f") for symbol in locale.currency_symbols.values())
    return frozenset(names - CURRENCY_SIGNS - {""})


@cache
def unit_names(language: str) -> frozenset[str]:
    """Return names of units as texts in ``language``, a BCP 47 tag, write them after a number: symbols,
    abbreviations and words, from CLDR, and symbols that are used everywhere."""
    names = set(_UNIT_NAMES)
    if locale := _locale(language):
        for unit, amount in product(_CLDR_UNITS, _AMOUNTS):
            for length in ("short", "long"):
                written = format_unit(amount, unit, length=length, locale=locale)
                name = _DIGITS_AND_SPACES.sub(" ", written).strip()
                # Some languages write one as a word.
                if name != written and not written[:1].isalpha():
                    names.add(name)
    return frozenset(names)


@cache
def magnitude_names(language: str) -> frozenset[str]:
    """Return what texts in ``language``, a BCP 47 tag, write after a number for thousands, millions and more:
    words and abbreviations, from CLDR's compact numbers and others that are used."""
    names = set(_MAGNITUDE_NAMES)
    if locale := _locale(language):
        for length in ("short", "long"):
            for patterns in locale.compact_decimal_formats.get(length, {}).values():
                for pattern in patterns.values():
                    names.add(_PATTERN_DIGITS.sub(" ", pattern.pattern).replace("'", "").strip())
    return frozenset(names - {""})


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
