"""What a title or a category says about lying: scarves and towels, in a shop's own language."""

import pytest

from nb_catalog.core.soft_goods import lies_flat

LIE = [
    "Organic Cotton T-Shirt", "Blue Hoodie", "Levi's 501 Jeans",
    "Slim Fit Chinos, navy", "Linen Summer Dress", "Silk scarf with fringes",
    "Bath Towel 70 x 140", "Wool Socks (3 pack)", "Button-down shirt",
    "Stand-collar shirt", "Damenkleid aus Leinen", "Herrenhose Cord",
    "Strickpullover", "Handtuch-Set", "Badetuch",
    "Kapuzenpullover schwarz", "Wollschal", "Tischdecke",
    "Robe d'été à fleurs", "T-shirt en coton bio", "Pantalon cargo",
    "Écharpe en laine", "Serviette de bain", "Camiseta básica",
    "Vestido largo", "Pantalones vaqueros", "Toalla de playa",
    "Bufanda", "Sudadera con capucha", "Camicia di lino",
    "Pantaloni chino", "Vestito estivo", "Sciarpa di seta",
    "Asciugamano", "Spijkerbroek", "Zomerjurk",
    "Handdoek", "Trui", "Koszulka męska",
    "Spodnie", "Sukienka", "Ręcznik",
    "Tröja", "Skjorte", "Klänning",
    "футболка хлопок", "Брюки", "Платье летнее",
    "Erkek Gömlek", "Tişört", "メンズ Tシャツ",
    "スカーフ シルク", "タオル", "男士T恤",
    "连衣裙", "牛仔裤", "围巾",
    "여성 원피스", "청바지", "قميص قطني",
    "Nike – Sportswear Hoodie", "Calça jeans", "Bluza z kapturem",
    "Pyjamas", "Baby bodysuit", "Leggings",
    "Ski jacket", "Tank top", "Crew Tee",
    "Villapaita", "Pull en laine", "Joggers",
    "Hemd", "Bluse", "Faltenrock",
    "Polo Shirt Front", "Dish towels", "Tea towel",
    "Fleecedecke", "Kinderjacke", "Underwear",
    "Bikini top", "Mütze",
]  # fmt: skip
STAND = [
    "Mighty Mug", "Towel rail", "Handtuchhalter",
    "T-Shirt Mug", "Porte-serviettes", "Shirt hanger",
    "Kleiderbügel", "Kleiderschrank", "Dress shoes",
    "Sock monkey", "Garden hose 20 m", "Grüner Tee",
    "Bottle", "Apple juice", "Cushion blue",
    "Book: The Little Black Dress", "Running shoes", "Harvest jam",
    "Lamp", "Chair", "Leather handbag",
    "Hosenbügel", "Wäschekorb", "Trouser press",
    "Towel warmer", "Sneaker", "Vase",
    "Tasse chemise", "Taza camiseta", "Percha para camisas",
    "Tie clip", "Shirt pin", "Poster T-Shirt print",
    "ハンガー シャツ用", "マグカップ", "衣架",
    "Rock salt lamp", "Mirror", "Headless Omnichannel Book",
    "Dash Force", "Carrot drink", "Perfume Jean Paul",
    "Ironing table", "Watch", "Soap",
    "Hat", "Baseball cap", "Sunnies",
    "Kerze", "Blumenvase", "Bougie",
    "Wäscheständer", "Sockenpuppe", "Short vase",
    "Organic tea tin", "Halter für Handtücher", "Cintre pour chemises",
    "Hanger for shirts",
]  # fmt: skip


@pytest.mark.parametrize("title", LIE)
def test_a_title_that_names_soft_goods_lies(title):
    assert lies_flat(title)
    assert lies_flat(title.upper())


@pytest.mark.parametrize("title", STAND)
def test_a_title_that_names_something_for_soft_goods_or_something_else_does_not(title):
    assert not lies_flat(title)


@pytest.mark.parametrize(
    ("facts", "lies"),
    [
        ({"category": "Clothing > Dresses"}, True),
        ({"Kategorie": "Damenbekleidung"}, True),
        ({"type": "Home / Towels"}, True),
        ({"catégorie": "Maison / Bougies"}, False),
        ({"material": "towel cotton"}, False),
        ({}, False),
    ],
)
def test_a_name_that_says_nothing_leaves_it_to_the_category(facts, lies):
    assert lies_flat("Saga", facts) == lies


def test_a_title_wins_over_the_category():
    assert not lies_flat("Hiking boots", {"category": "Clothing"})
    assert lies_flat("Linen shirt", {"category": "Books"})
