"""Soft goods by their names: clothing and textiles lie flat, and only words tell a scarf from a board."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Whole words; a plural's "s" may follow. "Tee" is not among them: in German it is tea.
_SOFT: Final = frozenset(
    _words(
        """
shirt tshirt polo poloshirt blouse tunic camisole hoodie hoody sweatshirt sweater jumper pullover
cardigan vest waistcoat gilet jacket coat blazer parka anorak raincoat poncho trousers pants jeans
chinos shorts leggings joggers sweatpants tracksuit skirt dress gown robe bathrobe kimono dungarees
overalls jumpsuit romper onesie bodysuit babygrow pyjama pajama nightdress nightgown nightshirt
underwear briefs boxers knickers bra bralette lingerie bikini swimsuit swimwear sock stocking tights
scarf scarves shawl necktie bowtie glove mitten beanie towel blanket duvet quilt bedding tablecloth
apron bathmat curtain pillowcase outfit clothing clothes apparel garment textile sportswear knitwear
workwear menswear womenswear hemd hemden bluse blusen pulli jacke jacken mantel mäntel weste westen
hose hosen röcke kleid kleider anzug anzüge minirock faltenrock jeansrock socke socken strumpf
strümpfe schal tuch tücher handschuh handschuhe mütze mützen decke decken schürze vorhang vorhänge
wäsche schlafanzug strampler bekleidung kleidung textilien oberteil krawatte chemise chemisier
blouson maillot pull veste manteau manteaux pantalon jupe combinaison salopette peignoir culotte
caleçon chaussette collant écharpe foulard étole cravate gant moufle bonnet serviette couverture
plaid nappe tablier drap rideau rideaux vêtement camisa camiseta blusa sudadera jersey suéter
chaqueta abrigo chaleco pantalón pantalones vaqueros falda vestido pijama albornoz calcetín
calcetines medias bufanda pañuelo corbata guante toalla manta delantal sábana cortina ropa bañador
camicia camicie maglietta magliette maglia maglie maglione maglioni felpa felpe giacca giacche
cappotto gilè gonna gonne vestito vestiti abito abiti pantaloni tuta calza calze calzino calzini
sciarpa sciarpe cravatta guanto guanti asciugamano asciugamani coperta coperte tovaglia grembiule
lenzuolo lenzuola abbigliamento accappatoio overhemd overhemden trui truien jas jassen broek broeken
rokken jurk jurken sok sokken sjaal handschoen handschoenen muts handdoek handdoeken badlaken deken
schort gordijn kleding camisola casaco calças calça saia vestuário meias cachecol lenço luva toalhas
toalha cobertor avental moletom jaqueta roupa koszula koszulka koszule bluza bluzy sweter kurtka
płaszcz spodnie dżinsy spódnica sukienka sukienki skarpety skarpetki szalik szal rękawiczki ręcznik
ręczniki fartuch odzież piżama skjorta tröja tröjor jacka byxor kjol klänning strumpor halsduk
handduk handdukar filt förkläde kläder skjorte trøje jakke frakke bukser nederdel kjole tørklæde
halstørklæde håndklæde tæppe tøj genser bukse skjørt skjerf håndkle teppe klær paita pusero takki
housut hame mekko sukat huivi pyyhe peitto vaatteet košile tričko mikina svetr bunda kabát kalhoty
džíny sukně šaty ponožky šála šátek ručník oblečení футболка рубашка блузка толстовка худи свитер
джемпер кофта куртка пальто жилет брюки джинсы шорты юбка платье носки колготки шарф платок перчатки
варежки полотенце плед одеяло скатерть фартук одежда пижама халат gömlek tişört kazak hırka ceket
pantolon şort etek elbise çorap atkı eldiven havlu battaniye önlük giyim قميص تيشيرت بلوزة سترة
جاكيت معطف بنطلون جينز تنورة فستان جوارب وشاح شال قفازات منشفة بطانية ملابس
"""
    )
)
# The last part of a compound: "Damenstrickkleid". At least three letters come before it.
_SOFT_ENDINGS: Final = _words(
    """
shirt shirts hoodie hoodies hemd hemden bluse blusen pullover pulli jacke jacken mantel weste hose hosen
bekleidung kleidung kleid kleider anzug socke socken strumpf strümpfe schal tuch tücher handschuh
handschuhe mütze mützen decke decken wäsche schürze vorhang jeans leggings sweater trui broek broeken
jurk jurken sjaal doek doeken trøje tröja jacka jakke bukser byxor kjole kjol klänning teppe klær paita
housut takki hame pyyhe huivi
"""
)
# Languages that write no spaces between words.
_SOFT_PARTS: Final = _words(
    """
シャツ ブラウス パーカー フーディー セーター カーディガン ジャケット コート ズボン ジーンズ スカート
ワンピース ドレス 靴下 ソックス タイツ スカーフ マフラー ストール 手袋 タオル 毛布 ブランケット カーテン
エプロン 衣類 着物 浴衣 t恤 衬衫 襯衫 卫衣 衛衣 毛衣 外套 夹克 夾克 大衣 马甲 裤 褲 裙 袜 襪 围巾 圍巾
披肩 手套 毛巾 浴巾 毯 窗帘 围裙 服装 服裝 睡衣 内衣 티셔츠 셔츠 블라우스 후드티 맨투맨 스웨터 가디건
재킷 자켓 코트 조끼 바지 치마 원피스 드레스 양말 스카프 목도리 장갑 수건 타월 담요 커튼 앞치마 의류 잠옷
"""
)
# What soft goods are hung on, kept in or printed on, and what has a foot. "Shirt hanger" is a hanger.
_FIRM: Final = frozenset(
    _words(
        """
hanger rack rail hook holder stand dispenser press steamer iron dryer warmer washer detergent brush
spray box basket bin bag backpack case organiser organizer mug cup bottle glass jar tin book poster
print sticker pin badge brooch cufflink stud clip buckle button keyring keychain figurine doll toy
puzzle game card mannequin dummy bust form pattern shoe boot sneaker trainer sandal slipper heel loafer
watch clock lamp chair sofa table bench bed frame mirror cushion pillow radiator candle soap perfume
ring earring necklace bracelet cover phone speaker handle cap hat monkey bügel halter ständer haken
stange presse trockner wärmer mittel bürste becher flasche glas dose buch korb kiste tasche rucksack
schuh schuhe stiefel sandale uhr lampe stuhl sessel tisch kissen puppe figur spender heizkörper kerze
seife aufkleber schrank kommode kapstok houder haak beker boek tas doos mand schoen schoenen laars
laarzen horloge stoel wieszak kubek książka torba buty zegarek вешалка кружка книга сумка обувь ботинки
часы
"""
    )
)
# In Romance languages the name comes first: "porte-serviettes", "taza camiseta".
_FIRM_FIRST: Final = frozenset(
    _words(
        """
cintre porte sèche fer patère tasse mug livre affiche sac boîte panier chaussure botte montre lampe
chaise coussin poupée bougie savon percha toallero taza libro cartel bolso caja cesta zapato bota reloj
lámpara silla cojín gruccia appendiabiti portasciugamani tazza borsa scatola scarpa scarpe stivali
orologio lampada sedia cuscino caneca livro bolsa sapato
"""
    )
)
_FIRM_ENDINGS: Final = _words(
    """
bügel halter ständer haken stange presse trockner wärmer mittel bürste tasse becher flasche buch korb
kiste tasche schuhe stiefel lampe stuhl sessel tisch kissen puppe figur spender heizkörper schrank
houder haak rek beker boek schoen schoenen hanger rack holder box bag
"""
)
_FIRM_PARTS: Final = _words(
    "ハンガー ラック マグ カップ バッグ 靴 シューズ 衣架 杯 背包 手提包 鞋 옷걸이 머그 가방 신발"
)

# What follows only says more about the product: "Hoodie with zip", "Halter für Handtücher".
_ABOUT: Final = re.compile(
    r"\s(?:with|for|of|from|in|by|mit|für|aus|von|ohne|im|avec|pour|en|sans|à|aux|con|per|para|sin|senza|com"
    r"|voor|met|van|zonder|med|för|till|til|uden|utan|fra|från|do|dla|ze?|na|для|из|с|без|на)\s"
)
_BREAK: Final = re.compile(r"\s[-–—]\s|[,;:|()\[\]/·•–—>]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SPELLINGS: Final = (
    (re.compile(r"\bt[-‐‑ ]?shirt"), "tshirt"),
    (re.compile(r"\b(?:tank|crop|bikini|pyjama|pajama)[- ]tops?\b"), "shirt"),
    (
        re.compile(r"\b(?:graphic|cotton|crew|neck|oversized|unisex|logo|fit|organic) tees?\b"),
        "shirt",
    ),
    (re.compile(r"\b(?:garden|water|air|shower|fuel|vacuum) hoses?\b"), "box"),
)
_CATEGORY: Final = re.compile(
    r"categor|kategor|catégor|\btyp|tipo|\bkind|\bart\b|gruppe|group|genre|genere|soort|rodzaj|druh"
    r"|катег|тип|カテゴリ|种类|類|分类|종류|분류"
)


def lies_flat(title: str, facts: Mapping[str, str] | None = None) -> bool:
    """Return whether the title, or otherwise a fact such as the category, names clothing or a textile.

    The language need not be known. A "towel rail" is not a towel, nor a "T-shirt mug" a T-shirt.
    """
    if (verdict := _names_soft_goods(title)) is not None:
        return verdict
    for name, text in (facts or {}).items():
        if _CATEGORY.search(name.casefold()):
            # The narrowest category comes last: "Home > Bathroom > Towels".
            for part in reversed(_BREAK.split(text)):
                if (verdict := _names_soft_goods(part)) is not None:
                    return verdict
    return False


def _names_soft_goods(text: str) -> bool | None:
    """Return whether the first part of ``text`` that names anything names soft goods; otherwise None."""
    cleaned = unicodedata.normalize("NFKC", text).casefold()
    for spelling, plain in _SPELLINGS:
        cleaned = spelling.sub(plain, cleaned)
    for part in _BREAK.split(cleaned):
        name = _ABOUT.split(f"{part} ")[0]
        if any(each in name for each in _FIRM_PARTS):
            return False
        if any(each in name for each in _SOFT_PARTS):
            return True
        kinds = [kind for word in _WORD.findall(name) if (kind := _kind(word))]
        if kinds:
            return "firm first" not in kinds and kinds[-1] == "soft"
    return None


def _kind(word: str) -> str:
    """Return "soft", "firm" or "firm first", or "" for a word that says nothing."""
    singular = {word, word.removesuffix("s"), word.removesuffix("es")}
    if singular & _FIRM_FIRST:
        return "firm first"
    if singular & _FIRM or _ends(word, _FIRM_ENDINGS):
        return "firm"
    return "soft" if singular & _SOFT or _ends(word, _SOFT_ENDINGS) else ""


def _ends(word: str, endings: tuple[str, ...]) -> bool:
    return any(word.endswith(each) and len(word) >= len(each) + 3 for each in endings)
