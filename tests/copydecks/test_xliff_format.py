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
PRICE = 'Now <x id="price" equiv-text="{price:short}"/> {{net}}'


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
    assert read(bare, source=source).texts == {("de", "price"): source["price"]}


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
    assert texts.proposals == {("de", "price"): "Jetzt {price:short}"}


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
        (b"<html/>", "Only XLIFF 1.2 and 2 are read, not 'html'"),
        (document(unit(), version="1.0"), "not '1.0'. Export the file as XLIFF 1.2."),
        (document(unit(), source="fr"), "translates from 'fr', and the deck is written in 'en'"),
        (document(unit(), target="en"), "translates 'en' into itself"),
        (document(unit(), target="dee"), "There is no language 'dee'. Did you mean 'de'?"),
        (document(unit("headlin")), "there is no text 'headlin'. Did you mean 'headline'?"),
        (document(unit("price", PRICE, "Jetzt")), "'Jetzt' has lost {price}"),
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


@pytest.mark.parametrize("depth", [500, 20_000, 300_000])
def test_elements_of_any_depth_are_read(depth):
    nested = f"Schluss{'<g>' * depth}!{'</g>' * depth}"
    assert read(document(unit(target=nested))).texts == {("de", "headline"): "Schluss!"}


@pytest.mark.parametrize("encoding", ["klingon", "utf-7", "gb18030", "zip", "utf-32", "x" * 5000])
def test_an_encoding_that_cannot_be_read_is_refused(encoding):
    data = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + document(unit())
    with pytest.raises(DeckRefused, match="not an XLIFF document"):
        read(data)


def document_2(*units, source="en", target="de"):
    return (
        '<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0" '
        f'srcLang="{source}" trgLang="{target}"><file id="f">{"".join(units)}</file></xliff>'
    ).encode()


def test_white_space_between_values_is_written_byte_for_byte():
    source = {"price": "{was} {price}", "lines": "{was}\n\n  {price}  now", "one": "{price}"}
    written = xliff_format.as_xliff(
        [XliffFile(deck="a", source_locale="en", target_locale="de", source=source, target=source)]
    )
    space = b'<x id="was" equiv-text="{was}" /> <x id="price" equiv-text="{price}" /></source>'
    assert space in written
    assert read(written, source=source).texts == {("de", r): t for r, t in source.items()}
    assert b"\n      <trans-unit" in written, "people read these files too"


def test_a_file_for_a_region_is_taken_for_its_language():
    assert read(document(unit(), target="de-DE")).texts == {("de", "headline"): "Schluss"}
    assert read(document(unit(), source="en-US")).texts
    swiss = read(document(unit(), target="de-CH"))
    assert (swiss.texts, swiss.warnings) == (
        {("de", "headline"): "Schluss"}, ("The language 'de-CH' is taken for 'de'.",)
    )  # fmt: skip


def test_what_is_not_approved_is_a_proposal_that_says_so():
    one = unit().replace("<trans-unit", '<trans-unit approved="no"')
    found = read(document(one))
    assert found.proposals == {("de", "headline"): "Schluss"}
    assert found.notes == {("de", "headline"): "The file marks it as 'approved=\"no\"'."}
    assert read(document(one.replace('"no"', '"yes"'))).texts


def test_a_translation_of_another_text_says_what_was_translated():
    found = read(document(unit("price", "Only now", "Nur jetzt")))
    assert found.proposals == {("de", "price"): "Nur jetzt"}
    assert found.notes["de", "price"] == (
        "The source text has changed: “Only now” was translated. It lacks {price}."
    )


@pytest.mark.parametrize("target", ["{prise}", '<x id="p" equiv-text="{prise}"/>', "{headline}"])
def test_a_value_that_its_source_does_not_have_is_refused(target):
    with pytest.raises(DeckRefused) as caught:
        read(document(unit(target=target)))
    assert "and its source does not" in str(caught.value)
    text = f'{target} <x id="price" equiv-text="{{price:short}}"/>'
    with pytest.raises(DeckRefused) as caught:
        read(document(unit("price", PRICE, text)))
    assert "and its source does not." in str(caught.value)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ('<bpt id="1">&lt;b&gt;</bpt>Schluss<ept id="1">&lt;/b&gt;</ept>', "Schluss"),
        ('<g id="1"><g id="2">Sch</g><span>l<b>u</b></span></g>ss', "Schluss"),
        ('Schluss<ph id="1">&lt;br/&gt;</ph><it id="2" pos="open">&lt;i&gt;</it>', "Schluss"),
        ('<mrk mtype="seg" mid="1">Sch</mrk><mrk mtype="seg" mid="2">luss</mrk>', "Schluss"),
        ('Sch<x id="1" ctype="lb"/>luss', "Sch\nluss"),
        ('<x id="99"/>Schluss', "Schluss"),
        ("<!-- a remark -->Schluss<?tool x?>", "Schluss"),
    ],
)
def test_codes_of_tools_never_become_text(target, text):
    assert read(document(unit(target=target))).texts == {("de", "headline"): text}


def test_codes_that_are_left_out_are_warned_of():
    found = read(document(unit(target='<x id="99"/>Schluss<ph id="2">&lt;br&gt;</ph>')))
    assert found.warnings == ("de headline: 2 inline codes that are not values are left out.",)


@pytest.mark.parametrize(
    "price",
    [
        '<ph id="1">{price:short}</ph>', '<x id="price"/>', '<x id="1" equiv-text="{price:short}"/>',
        "{price:short}", '<g id="5"><x id="price" equiv-text="{price:short}"/></g>',
    ],
)  # fmt: skip
def test_a_value_survives_in_whatever_element_a_tool_puts_it(price):
    found = read(document(unit("price", PRICE, f"Jetzt {price} {{{{netto}}}}")))
    assert found.texts == {("de", "price"): "Jetzt {price:short} {{netto}}"}


def test_a_document_without_a_namespace_is_read():
    bare = document(unit()).replace(b' xmlns="urn:oasis:names:tc:xliff:document:1.2"', b"")
    assert read(bare).texts == {("de", "headline"): "Schluss"}


def test_a_tool_may_renumber_units_and_keep_their_names():
    one = unit("7").replace("<trans-unit", '<trans-unit resname="headline"')
    assert read(document(one)).texts == {("de", "headline"): "Schluss"}


def test_a_text_that_is_in_the_file_twice_is_refused():
    with pytest.raises(DeckRefused, match="de headline: the file has it twice"):
        read(document(unit(), unit(target="Anderes")))


def test_xliff_2_is_read_too():
    segments = (
        "<segment><source>Sale </source><target>Schluss </target></segment>"
        "<segment state='final'><source>&amp; more</source><target>&amp; mehr</target></segment>"
    )
    price = (
        '<unit id="u1" name="price"><originalData><data id="d1">{price:short}</data></originalData>'
        '<segment state="translated"><source>Now <ph id="1" dataRef="d1"/> {{net}}</source>'
        '<target><pc id="2">Jetzt</pc> <ph id="1" dataRef="d1"/> {{netto}}</target></segment></unit>'
    )
    badge = (
        '<unit id="badge"><segment state="initial"><source>New</source><target>Neu</target>'
        "</segment></unit>"
    )
    empty = '<unit id="badge"><segment state="initial"><source>New</source></segment></unit>'
    found = read(document_2(f'<unit id="headline">{segments}</unit>', price, badge))
    assert found.texts == {
        ("de", "headline"): "Schluss & mehr", ("de", "price"): "Jetzt {price:short} {{netto}}"
    }  # fmt: skip
    assert found.proposals == {("de", "badge"): "Neu"}
    with pytest.raises(DeckRefused, match="no translation in the file"):
        read(document_2(empty))


def test_a_translator_is_given_notes_a_limit_and_a_picture():
    written = xliff_format.as_xliff(
        [
            sheet(
                notes={"headline": ["On the banner.", "In & out"]},
                limits={"headline": 40},
                picture="https://shop.example/p.jpg",
            )
        ]
    )
    root = ElementTree.fromstring(written)
    name = f"{{{xliff_format.NAMESPACE}}}"
    unit_of = {each.get("id"): each for each in root.iter(f"{name}trans-unit")}
    assert [each.text for each in unit_of["headline"].findall(f"{name}note")] == [
        "On the banner.", "In & out",
    ]  # fmt: skip
    assert (unit_of["headline"].get("maxwidth"), unit_of["headline"].get("size-unit")) == (
        "40", "char"
    )  # fmt: skip
    assert unit_of["price"].get("maxwidth") is None
    assert root.find(f".//{name}external-file").get("href") == "https://shop.example/p.jpg"
    assert unit_of["price"].find(f".//{name}context").text == "https://shop.example/p.jpg"
    # The order that the schema of XLIFF 1.2 wants.
    assert [each.tag.removeprefix(name) for each in unit_of["headline"]] == [
        "source", "target", "note", "note", "context-group",
    ]  # fmt: skip


def test_texts_that_xml_cannot_hold_do_not_break_the_file():
    source = {"headline": "a\x0bb\ufffec", "price": "Now {price"}
    written = xliff_format.as_xliff(
        [XliffFile(deck="a", source_locale="en", target_locale="de", source=source)]
    )
    texts = [each.text for each in ElementTree.fromstring(written).iter() if "source" in each.tag]
    assert texts == ["abc", "Now {price"]
