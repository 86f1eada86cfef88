"""Which way each character runs: our own examples, and every line of Unicode's conformance files."""

import gzip
import unicodedata
from pathlib import Path

import pytest

from nb_catalog.typesetting import bidi
from nb_catalog.typesetting.bidi import brackets

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SLICES = 8
needs_data = pytest.mark.skipif(
    not (DATA / "BidiTest.txt.gz").is_file(), reason="Unicode's files are not here"
)


def shown(text, *, base):
    """The characters of one line from left to right."""
    kinds = bidi.classes(text)
    levels = bidi.for_line(bidi.levels(text, base=base), kinds, base=base)
    return "".join(text[at] for at in bidi.visual_order(levels))


@pytest.mark.parametrize(
    ("text", "base", "seen"),
    [
        ("price 12", 0, "price 12"),
        ("אבג", 1, "גבא"),
        ("אבג", 0, "גבא"),
        # A model's Latin name and a price in a text that runs from right to left.
        ("דגם X-200 ב-45 ₪", 1, "₪ 45-ב X-200 םגד"),
        # A full stop stands at the end of its sentence, which is on the left.
        ("שלום.", 1, ".םולש"),
        ("שלום.", 0, "םולש."),
        # Brackets belong to what they hold, and are mirrored later by the font.
        ("a (אב) b", 0, "a (בא) b"),
        ("אב (a) גד", 1, "דג )a( בא"),
    ],
)
def test_short_lines_run_as_readers_expect(text, base, seen):
    assert shown(text, base=base) == seen


def test_marks_of_embedding_stand_at_the_level_of_what_is_before_them():
    text = "\u202babc\u202c אב"
    assert len(bidi.levels(text, base=0)) == len(text)
    assert None not in bidi.levels(text, base=0)


def test_deep_embeddings_stop_at_the_standard_s_depth():
    levels = bidi.levels("\u202b" * 500 + "a", base=0)
    assert max(levels) == 126, "level 125 runs right to left, the letter in it left to right"


def test_more_open_brackets_than_the_standard_counts_pair_none():
    many = "(" * 64 + "א" + ")" * 64
    assert brackets.paired(brackets.kinds(many)) == []
    assert len(brackets.paired(brackets.kinds("(" * 63 + ")" * 63))) == 63


def test_every_bracket_is_one_that_python_knows_to_be_mirrored():
    for bracket in brackets.PAIRS:
        if unicodedata.category(bracket) == "Cn":
            continue  # newer than this Python
        assert unicodedata.bidirectional(bracket) == "ON"
        assert unicodedata.category(bracket) in {"Ps", "Pe"}
        assert unicodedata.mirrored(bracket)


@needs_data
def test_the_brackets_are_unicode_s():
    listed = []
    for line in lines_of("BidiBrackets.txt.gz"):
        one, other, kind = (field.strip() for field in line.split(";"))
        if kind == "o":
            listed += [chr(int(one, 16)), chr(int(other, 16))]
    assert "".join(listed) == brackets.PAIRS


def lines_of(name):
    """Lines of a file of Unicode's, without comments."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        for line in file:
            if line := line.partition("#")[0].strip():
                yield line


def resolved(kinds, *, base, pairs):
    """Levels on one line, and the order of what keeps one."""
    levels = bidi.for_line(bidi.resolve(kinds, base=base, pairs=pairs), kinds, base=base)
    kept = [index for index, level in enumerate(levels) if level is not None]
    order = bidi.visual_order([levels[index] for index in kept])
    return levels, [kept[place] for place in order]


def numbers(written):
    return [None if each == "x" else int(each) for each in written.split()]


def by_class(number):
    """Of every eighth line of BidiTest: classes, base level, levels, order."""
    levels = order = None
    for index, line in enumerate(lines_of("BidiTest.txt.gz")):
        if line.startswith("@Levels:"):
            levels = numbers(line.removeprefix("@Levels:"))
        elif line.startswith("@Reorder:"):
            order = numbers(line.removeprefix("@Reorder:"))
        elif index % SLICES == number:
            kinds, bits = line.split(";")
            kinds, bits = kinds.split(), int(bits, 16)
            bases = {bidi.first_strong(kinds)} if bits & 1 else set()
            bases |= {base for bit, base in ((2, 0), (4, 1)) if bits & bit}
            for base in bases:
                yield kinds, base, levels, order


@pytest.mark.once
@needs_data
@pytest.mark.parametrize("number", range(SLICES))
def test_every_case_of_bidi_test_is_resolved_as_unicode_says(number):
    count, wrong = 0, []
    for kinds, base, levels, order in by_class(number):
        count += 1
        if resolved(kinds, base=base, pairs=[None] * len(kinds)) != (levels, order):
            wrong.append((kinds, base, levels))
    assert not wrong, wrong[:3]
    assert count > 60_000


@pytest.mark.once
@needs_data
@pytest.mark.parametrize("number", range(2))
def test_every_case_of_bidi_character_test_is_resolved_as_unicode_says(number):
    count, wrong = 0, []
    for index, line in enumerate(lines_of("BidiCharacterTest.txt.gz")):
        points, direction, base, levels, order = line.split(";")
        text = "".join(chr(int(point, 16)) for point in points.split())
        if index % 2 != number or any(unicodedata.category(each) == "Cn" for each in text):
            continue
        count += 1
        kinds = bidi.classes(text)
        found = bidi.first_strong(kinds) if direction == "2" else int(direction)
        expected = (int(base), (numbers(levels), numbers(order)))
        if (found, resolved(kinds, base=found, pairs=brackets.kinds(text))) != expected:
            wrong.append(line)
    assert not wrong, wrong[:3]
    assert count > 45_000
