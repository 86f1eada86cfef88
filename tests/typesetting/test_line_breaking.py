"""Where lines may end, and where they must not."""

from itertools import pairwise
from pathlib import Path

import pytest

from nb_catalog.typesetting.line_breaking import (
    ideograph_breaks,
    line_breaks,
    unicode_breaks,
    word_breaks,
)  # fmt: skip

CONFORMANCE = Path("/usr/share/unicode/auxiliary/LineBreakTest.txt")


def split(text, breaks):
    return [text[start:end] for start, end in pairwise([0, *breaks, len(text)])]


def parts_of(text, language="en"):
    return split(text, word_breaks(text, language=language))


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
            ["już ", "od ", "100 zł ", "i 5 € ", "za ", "sztukę"],
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
    assert "ฤดู" in "|".join(parts)
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


# A space is written as it is; "|" is where a line may end.
PRICES = {
    "fr": [
        "Maintenant |1 299 €", "dès |1\u202f299,50 € |TTC", "10 000 $ US |dès", "en |24 h",
        "499 MAD |net",
    ],
    "sv": ["för |1 499 kr |nu", "nu |499:- |bara"],
    "da": ["nu |499,- kr. |eller |kr 499,-"],
    "nb": ["nå |1 299 kr"],
    "pl": ["tylko |1499 zł |dziś", "za |1 299,50 zł |brutto", "2 + 1 |gratis"],
    "cs": ["1 299 000 Kč |za |5 ks", "1299 Kč |dnes"],
    "hu": ["1 299 Ft |és |12 990 Ft"],
    "ru": ["12 999 ₽ |вместо |15 999 руб. |сейчас", "1 500 тыс. руб. |вот"],
    "uk": ["999 грн |замість |1 299 грн."],
    "bg": ["само |1 299 лв. |днес"],
    "de": [
        "ab |1 299 EUR |inkl.", "nur |99.– |statt |CHF 120.–", "jetzt |CHF 99 |nur", "Größe |42 CHF 99 |nur",
        "12 € |24 € |36 €", "je |1,99 € / 100 g |heute", "10 €/Stück |nur", "Fr. 1'299.00 |netto",
        "nur |1\u2009299\u2009€ |heute", "1’299 Fr. |netto", "+ 5 € |Versand",
    ],
    "en": [
        "€ 12 |€ 24 |now", "USD 1,299 |only", "from |$ 5 |on", "€5–€10 |each", "SEK 1 299 |now",
        "5 $ |and |up",
    ],
    "hi": ["केवल |₹ 1,299 |में"],
    "pt": ["por |R$ 1.299,90 |já", "R$ 1 299 |já"],
    "id": ["hanya |Rp 1.299.000 |saja"],
    "vi": ["chỉ |199.000 đ |hôm |nay"],
    "tr": ["yalnızca |1.299,00 TL |bugün", "şimdi |%30 |indirim", "% 30 |indirim"],
    "ar": ["فقط |1,299 د.إ |الآن", "فقط |99 ر.س. |الآن", "السعر |\u2068\u200f1,299.50 €\u2069 |اليوم"],
    "he": ["רק |1,299 ש\"ח |היום", "רק |99 ₪ |היום"],
    "th": ["เพียง |1,299 บาท |เท่านั้น"],
    "lo": ["ລາຄາ |1.299 ກີບ |ມື້ນີ້"],
    "ko": ["지금 |9,900 원 |부터"],
    "kk": ["тек |1 299 ₸ |бүгін"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "marked"), [(code, text) for code, texts in PRICES.items() for text in texts]
)
def test_a_price_stays_on_one_line(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("en", "only |30 x 40 cm |or |2 x 100 ml |each"),
        ("de", "Akku |5 000 mAh |bis |30 °C, |20 W"),
        ("en", "with |256 GB |of |storage"),
        ("fr", "jusqu’à - 30 % |sur |tout"),
        ("de", "nur |5 % |mehr"),
        ("ru", "вес |2 кг, |объём |500 мл"),
        ("ar", "سعة |500 مل |فقط"),
        ("de", "5 Jahre |Garantie"),
        ("en", "24/7 |help |1/2 |price"),
        ("de", "Tel. |0800 123 456 |oder |+49 170 1234567 |heute"),
        ("fr", "le |№ 5 |ou |n° 5 |ici"),
        # Sizes are no number in groups of three.
        ("de", "Größen |104 |110 |116 |122 |128"),
        ("en", "Galaxy |S24+ |256 GB"),
    ],
)
def test_measures_and_numbers_stay_on_one_line(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("en", "only |$1.5 million |raised"),
        ("en", "€2 billion |and |5 dozen |eggs"),
        ("en", "3 million |users |now"),
        ("en", "K 5 000 |or |5 K |steps"),
        ("de", "2 Mrd. Euro |und |3 Millionen |Kunden"),
        ("fr", "1,5 million |d’euros |et |2 Md €"),
        ("es", "1,5 millones |de |euros"),
        ("it", "2 miliardi |di |euro |o |3 mila euro"),
        ("pl", "2 mld zł |i 5 tys. |sztuk"),
        ("cs", "2 mld. Kč |a 5 tis. |kusů"),
        ("hu", "1,5 millió Ft |ma"),
        ("nl", "€ 1,5 miljoen |winst"),
        ("ru", "2 млрд ₽ |за |3 миллиона рублей"),
        ("el", "1,5 εκατ. € |σήμερα"),
        ("tr", "1,5 milyon TL |bugün"),
        ("vi", "1,5 triệu đồng |thôi"),
        ("id", "Rp 1,5 juta |saja"),
        ("hi", "₹1.5 लाख |में |₹2 करोड़ |में"),
        ("ar", "1.5 مليون ريال |فقط"),
        ("fa", "۱٫۵ میلیون تومان |فقط"),
    ],
)
def test_a_number_stays_with_its_magnitude(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("fr", "ouvert |de |9 h 05 |à |20 h 30 |environ"),
        ("fr", "dès |8 h 00 |et |en |12 h 30 min"),
        ("pt", "às |20 h 30 |hoje"),
        ("nl", "om |20 u 30 |open"),
        ("de", "um |20 Uhr 30 |oder |20 Uhr |heute"),
        ("ru", "за |20 ч 30 мин |до |дома"),
        ("lt", "20 val. 30 min. |iki"),
        ("sv", "öppet |kl. 20.30 |idag"),
        ("fi", "avoinna |klo 20.30 |asti"),
        # Two sizes or prices are not a time.
        ("fr", "24 h |7 jours"),
    ],
)
def test_a_time_stays_on_one_line(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("de", "Obst, |z. B. |Äpfel, |d. h. |hier, |i. d. R. |süß, |o. Ä."),
        ("de", "z.\u202fB. |hier |u. v. m. |seit |500 v. Chr."),
        ("de", "§ 5, |Abb. 3, |S. 12 |und |Prof. Dr. Müller"),
        ("fr", "p. ex. |ici, |c. à d. |av. J.-C., |M. Dupont |et |Mme Durand"),
        ("fr", "l’art. 5 |et |la |p. 12"),
        ("pl", "m. in. |tu, |2024 r. |i ul. Długa, |str. 12"),
        ("cs", "Firma |s. r. o. |a a. s. |Praha, |t. j. |zde"),
        ("sk", "Firma |v. o. s. |Praha"),
        ("hr", "Tvrtka |d. o. o. |Zagreb"),
        ("es", "en |EE. UU. |a |las |10 a. m. |hoy, |p. ej. |aquí"),
        ("it", "Alfa |S. p. A. |e |Beta |s. r. l. |qui"),
        ("nl", "o. a. |hier |t. e. m. |vandaag, |blz. 5"),
        ("sv", "t. ex. |bl. a. |fr. o. m. |idag"),
        ("nb", "f. eks. |her"),
        ("ru", "и т. д., |в т. ч. |тут, |А. С. Пушкин, |г. Москва, |д. 5"),
        ("uk", "і т. д. |тут, |м. Київ"),
        ("el", "π. χ. |εδώ |κ. λπ. |και"),
        ("lt", "t. y. |čia"),
        ("en", "by |J. R. R. Tolkien, |e. g. |at |10:30 p. m. |in |St. John"),
        # The ends of sentences are not abbreviations.
        ("en", "It |is |on. |Buy |it. |Now"),
        ("de", "so |gut. |Das |ist |es. |Nur |heute"),
        ("de", "Größe |M. Jetzt |kaufen"),
    ],
)
def test_an_abbreviation_stays_on_one_line(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("fr", "« la |collection » |dès |demain"),
        ("fr", "dès |« la |collection |d’été » |de |la |marque"),
        ("fr", "oui ; |non : |vrai ? |oui ! |fin"),
        ("fr", "oui\u2009; |non\u202f: |vrai\u00a0? |oui"),
        ("hi", "यह |नया |संग्रह |है । |अभी |खरीदें ॥ |आज"),
        ("am", "ስልክ ። |አዲስ"),
        ("he", "שבת/ערב |טוב"),
        ("en", "9/10 |of |you"),
        ("en", "word—|word"),
    ],
)
def test_punctuation_stays_with_its_word(language, marked):
    assert "|".join(parts_of(marked.replace("|", ""), language)) == marked


@pytest.mark.parametrize(
    "pair",
    ["T-Shirt", "e-mail", "3-in-1", "X-Large", "Wi-Fi", "All-in-One", "S/M", "and/or", "100-ml-Flasche"],
)  # fmt: skip
def test_a_short_pair_is_separated_only_where_nothing_else_fits(pair):
    text = f"new {pair} here"
    assert parts_of(text) == ["new ", f"{pair} ", "here"]
    assert len(ideograph_breaks(text, language="en")) > 2


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("lo", "ສິນຄ້າໃໝ່ຫຼຸດລາຄາ", ["ສິນຄ້າ", "ໃໝ່", "ຫຼຸດລາຄາ"]),
        ("km", "ការបញ្ចុះតម្លៃពិសេស", ["ការ", "បញ្ចុះតម្លៃ", "ពិសេស"]),
        ("my", "နွေရာသီအထူးလျှော့စျေး", ["နွေရာသီ", "အထူး", "လျှော့", "စျေး"]),
        ("th", "กระเป๋ากันน้ำ", ["กระเป๋า", "กัน", "น้ำ"]),
        # In any locale: a text may quote another language.
        ("en", "ສິນຄ້າໃໝ່", ["ສິນຄ້າ", "ໃໝ່"]),
    ],
)
def test_scripts_without_spaces_break_between_the_words_of_a_dictionary(language, text, words):
    assert parts_of(text, language) == words


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("ja", "新作コレクション登場", ["新作", "コレクション", "登場"]),
        ("zh-Hans", "防水双肩背包", ["防水", "双肩", "背包"]),
        ("zh-Hans", "人工智能让购物更轻松", ["人工", "智能", "让", "购物", "更", "轻松"]),
        ("zh-Hant", "限時優惠", ["限時", "優惠"]),
    ],
)
def test_words_of_japanese_and_chinese_stay_whole(language, text, words):
    assert split(text, line_breaks(text, language=language).tight) == words


def test_a_chinese_character_alone_stays_with_its_neighbour():
    assert parts_of("人工智能让购物更轻松", "zh-Hans") == ["人工", "智能", "让购物", "更轻松"]
    assert parts_of("夏季特卖轻便的背包", "zh-Hans") == ["夏季", "特卖", "轻便的", "背包"]
    assert parts_of("全场1,980元起", "zh-Hans") == ["全场", "1,980元起"]


def test_no_break_separates_a_number_from_its_counter():
    for text, language in [
        ("全品1980円です", "ja"),
        ("買2件送1件", "zh-Hant"),
        ("9900원부터", "ko"),
    ]:
        for index in ideograph_breaks(text, language=language):
            assert not text[index - 1].isdigit(), text


def test_indices_count_characters_beyond_the_basic_plane_once():
    text = "😀 𝒮ale 😀 now"
    assert parts_of(text) == ["😀 ", "𝒮ale ", "😀 ", "now"]


@pytest.mark.once
def test_unicode_s_own_cases_hold():
    """At least 99 %: the file is of Unicode 15.0, and ICU implements later rules."""
    if not CONFORMANCE.is_file():
        pytest.skip("LineBreakTest.txt is missing: apt-get install unicode-data")
    wrong, count = [], 0
    for line in CONFORMANCE.read_text(encoding="utf-8").splitlines():
        if not (case := line.partition("#")[0].split()):
            continue
        text, expected = "", []
        for token in case:
            if token == "÷":
                expected.append(len(text))
            elif token != "×":
                text += chr(int(token, 16))
        count += 1
        if list(unicode_breaks(text, language="en")) != [i for i in expected if 0 < i < len(text)]:
            wrong.append(line)
    assert count > 7000
    assert len(wrong) <= count / 100, wrong[:20]
