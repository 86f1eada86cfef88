"""Copy decks as XLIFF 1.2: values stay whole, doubtful translations stay proposals."""

import pytest
from defusedxml import ElementTree

from nb_catalog.copydecks import xliff_format
from nb_catalog.copydecks.xliff_format import XliffFile
from nb_catalog.exceptions import DeckRefused

SOURCE = {"headline": "Sale & more", "price": "Now {price:short} {{net}}", "badge": "New"}
LOCALES = ["en", "de", "pt-br"]
UNIT = (
    '<trans-unit id="{role}"><source>{source}</source><target {more}>{target}</target></trans-unit>'
)
SALE = "Sale &amp; more"


def sheet(locale="de", **fields):
    return XliffFile(
        deck="autumn", source_locale="en", target_locale=locale, source=SOURCE, **fields
    )


def read(data, source=SOURCE):
    return xliff_format.from_xliff(data, source_locale="en", source=source, locales=LOCALES)


def document(*units, source="en", target="de", version="1.2", tool=""):
    tool = f'<header><tool tool-id="t" tool-name="{tool}"/></header>' if tool else ""
    return (
        f'<xliff version="{version}" xmlns="urn:oasis:names:tc:xliff:document:{version}">'
        f'<file original="autumn" datatype="plaintext" source-language="{source}" '
        f'target-language="{target}">{tool}<body>{"".join(units)}</body></file></xliff>'
    ).encode()


def unit(role="headline", source=SALE, target="Schluss", more=""):
    return UNIT.format(role=role, source=source, target=target, more=more)


def test_what_is_written_comes_back():
    target = {"headline": "Schluss & mehr", "price": "Jetzt {price:short} {{netto}}"}
    texts = read(xliff_format.as_xliff([sheet(target=target, proposed=frozenset({"headline"}))]))
    assert texts.texts == {("de", "price"): "Jetzt {price:short} {{netto}}"}
    assert texts.proposals == {("de", "headline"): "Schluss & mehr"}


def test_values_are_elements_that_a_tool_keeps_whole():
    root = ElementTree.fromstring(xliff_format.as_xliff([sheet()]))
    [value] = root.findall(f".//{{{xliff_format.NAMESPACE}}}x")
    assert value.attrib == {"id": "price", "equiv-text": "{price:short}"}
    [price] = [s for s in root.iter(f"{{{xliff_format.NAMESPACE}}}source") if list(s)]
    assert (price.text, price[0].tail) == ("Now ", " {{net}}")


def test_a_value_that_is_there_twice_has_an_id_of_its_own_each_time():
    source = {"price": "{price} and {price:short}"}
    written = xliff_format.as_xliff(
        [XliffFile(deck="a", source_locale="en", target_locale="de", source=source, target=source)]
    )
    values = ElementTree.fromstring(written).findall(f".//{{{xliff_format.NAMESPACE}}}source/")
    assert [each.get("id") for each in values] == ["price", "price.2"]
    assert read(written, source=source).texts == {("de", "price"): source["price"]}
    bare = written.replace(b'equiv-text="{price:short}"', b"")
    texts = read(bare, source=source)
    assert {**texts.texts, **texts.proposals} == {("de", "price"): "{price} and {price}"}


def test_states_say_what_is_to_be_done():
    written = xliff_format.as_xliff(
        [sheet(target={"headline": "x", "badge": "Neu"}, proposed=frozenset({"badge"}))]
    )
    targets = ElementTree.fromstring(written).iter(f"{{{xliff_format.NAMESPACE}}}target")
    assert [each.get("state") for each in targets] == [
        "translated", "needs-translation", "needs-review-translation",
    ]  # fmt: skip


def test_several_languages_go_into_one_document():
    sheets = [sheet("de", target={"badge": "Neu"}), sheet("pt-br", target={"badge": "Novo"})]
    assert read(xliff_format.as_xliff(sheets)).texts == {
        ("de", "badge"): "Neu", ("pt-br", "badge"): "Novo"
    }  # fmt: skip


@pytest.mark.parametrize("code", ["pt-BR", "pt_BR", "PT-BR"])
def test_tools_spell_languages_their_own_way(code):
    assert read(document(unit(), target=code)).texts == {("pt-br", "headline"): "Schluss"}


def test_a_value_that_moved_and_inline_marks_are_read():
    target = 'Preis: <x id="price" equiv-text="{price:short}"/> <g id="1">jetzt</g> <mrk>da</mrk>'
    source = 'Now <x id="price" equiv-text="{price:short}"/> {{net}}'
    texts = read(document(unit("price", source, target)))
    assert texts.texts == {("de", "price"): "Preis: {price:short} jetzt da"}


def test_a_value_without_its_text_is_known_by_its_name():
    texts = read(document(unit("price", "old", 'Jetzt <x id="price"/>')))
    assert texts.proposals == {("de", "price"): "Jetzt {price}"}


def test_a_translation_of_another_text_is_a_proposal():
    texts = read(document(unit(source="Sale"), tool="Tool 5"))
    assert (texts.texts, texts.proposals) == ({}, {("de", "headline"): "Schluss"})
    assert texts.tool == "Tool 5"


@pytest.mark.parametrize("state", ["new", "needs-translation", "needs-review-translation"])
def test_what_the_file_calls_unsure_is_a_proposal(state):
    assert read(document(unit(more=f'state="{state}"'))).proposals
    assert read(document(unit(more='state="signed-off"'))).texts


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "This is not an XLIFF document"),
        (b"<xliff", "This is not an XLIFF document"),
        (b"<html/>", "Only XLIFF 1.2 is supported, not 'html'"),
        (document(unit(), version="2.0"), "not '2.0'. Export the file as XLIFF 1.2."),
        (document(unit(), source="fr"), "translates from 'fr', and the deck is written in 'en'"),
        (document(unit(), target="en"), "translates 'en' into itself"),
        (document(unit(), target="dee"), "There is no language 'dee'. Did you mean 'de'?"),
        (document(unit("headlin")), "there is no text 'headlin'. Did you mean 'headline'?"),
        (document(unit("price", "x", "Jetzt")), "'Jetzt' has lost {price}"),
        (document(unit(target="Jetzt {")), "unbalanced brace"),
        (document(), "no translation in the file"),
        (document(unit(target="")), "no translation in the file"),
    ],
)
def test_a_wrong_document_says_what_is_wrong(data, says):
    with pytest.raises(DeckRefused) as caught:
        read(data)
    assert says in str(caught.value)


def test_entities_of_a_hostile_file_are_not_followed():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xliff version="1.2">&a;</xliff>'
    with pytest.raises(DeckRefused, match="not an XLIFF document"):
        read(bomb)
