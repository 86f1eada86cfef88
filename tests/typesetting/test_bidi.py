"""Bidirectional text: examples of our own, and Unicode's conformance files."""

import gzip
import re
import unicodedata
from itertools import islice
from pathlib import Path

import pytest

from nb_catalog.typesetting import bidi
from nb_catalog.typesetting.bidi import implicit

# A development checkout's own copies, compressed, and those of Debian's package "unicode-data".
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
DEBIAN = Path("/usr/share/unicode")
# Rule N0 has its present form since Unicode 8.0 (UAX #9, revision 33): older files expect other levels.
OLDEST_UNICODE = (8, 0)
# The sample of the ordinary suite: one line in so many. Prime, so that it meets every group of cases.
SAMPLING = 31


def in_visual_order(text, *, base):
    """The characters of one line from left to right."""
    classes = bidi.bidi_classes(text)
    levels = bidi.line_levels(bidi.embedding_levels(text, base=base), classes, base=base)
    return "".join(text[index] for index in bidi.visual_order(levels))


@pytest.mark.parametrize(
    ("text", "base", "visual"),
    [
        ("price 12", 0, "price 12"),
        ("אבג", 1, "גבא"),
        ("אבג", 0, "גבא"),
        # A Latin product name and a price in right-to-left text.
        ("דגם X-200 ב-45 ₪", 1, "₪ 45-ב X-200 םגד"),
        # A full stop ends its sentence, on the left.
        ("שלום.", 1, ".םולש"),
        ("שלום.", 0, "םולש."),
        # Brackets belong to what they enclose; HarfBuzz mirrors them later.
        ("a (אב) b", 0, "a (בא) b"),
        ("אב (a) גד", 1, "דג )a( בא"),
    ],
)
def test_short_lines_are_ordered_as_readers_expect(text, base, visual):
    assert in_visual_order(text, base=base) == visual


def test_embedding_marks_take_the_level_of_the_character_before_them():
    text = "\u202babc\u202c אב"
    assert len(bidi.embedding_levels(text, base=0)) == len(text)
    assert None not in bidi.embedding_levels(text, base=0)


def test_embeddings_stop_at_the_maximum_depth():
    levels = bidi.embedding_levels("\u202b" * 500 + "a", base=0)
    assert max(levels) == 126, "the letter is left to right, one above level 125"


def test_with_too_many_open_brackets_none_are_paired():
    many = "(" * 64 + "א" + ")" * 64
    assert implicit.pair_brackets(implicit.find_brackets(many)) == []
    assert len(implicit.pair_brackets(implicit.find_brackets("(" * 63 + ")" * 63))) == 63


def test_every_paired_bracket_is_mirrored_punctuation_in_python():
    for bracket in implicit.PAIRED_BRACKETS:
        if unicodedata.category(bracket) == "Cn":
            continue  # newer than this Python
        assert unicodedata.bidirectional(bracket) == "ON"
        assert unicodedata.category(bracket) in {"Ps", "Pe"}
        assert unicodedata.mirrored(bracket)


def data_lines(name):
    """Yield the lines of a Unicode data file without comments. Skip the test without the file."""
    sources = [(SHARED / f"{name}.gz", gzip.open), (DEBIAN / name, open)]
    path, opener = next((each for each in sources if each[0].is_file()), (None, None))
    if path is None:
        pytest.skip(f"{name} is missing: apt-get install unicode-data")
    with opener(path, "rt", encoding="utf-8") as file:
        header = next(file)
        major, minor = map(int, re.search(r"-(\d+)\.(\d+)\.\d+\.txt", header).groups())
        if (major, minor) < OLDEST_UNICODE:
            pytest.skip(f"{path} is of Unicode {major}.{minor}: rule N0 was different then")
        for line in file:
            if line := line.partition("#")[0].strip():
                yield line


def is_assigned(text):
    """Whether this Python knows all characters: its Unicode may be older than that of the files."""
    return all(unicodedata.category(each) != "Cn" for each in text)


def test_the_paired_brackets_are_unicode_s():
    listed = []
    for line in data_lines("BidiBrackets.txt"):
        one, other, kind = (field.strip() for field in line.split(";"))
        if kind == "o":
            listed.append(chr(int(one, 16)) + chr(int(other, 16)))
    ours = list(map("".join, zip(*[iter(implicit.PAIRED_BRACKETS)] * 2, strict=True)))
    known = [pair for pair in listed if pair in ours or is_assigned(pair)]
    assert known == [pair for pair in ours if pair in listed or is_assigned(pair)]


def resolve(classes, *, base, brackets):
    """Levels on one line, and the visual order of the characters that have one."""
    resolved = bidi.resolve_levels(classes, base=base, brackets=brackets)
    levels = bidi.line_levels(resolved, classes, base=base)
    remaining = [index for index, level in enumerate(levels) if level is not None]
    order = bidi.visual_order([levels[index] for index in remaining])
    return levels, [remaining[index] for index in order]


def parse_levels(field):
    return [None if each == "x" else int(each) for each in field.split()]


def class_cases():
    """Yield (classes, bits of base levels, expected levels, expected order) from BidiTest.txt."""
    levels = order = None
    for line in data_lines("BidiTest.txt"):
        if line.startswith("@Levels:"):
            levels = parse_levels(line.removeprefix("@Levels:"))
        elif line.startswith("@Reorder:"):
            order = parse_levels(line.removeprefix("@Reorder:"))
        else:
            classes, bits = line.split(";")
            yield classes, int(bits, 16), levels, order


def check_class_cases(cases):
    """Return how many were checked; several base levels of a line count each."""
    count, failures = 0, []
    for names, bits, levels, order in cases:
        classes = names.split()
        bases = {bidi.paragraph_level(classes)} if bits & 1 else set()
        bases |= {base for bit, base in ((2, 0), (4, 1)) if bits & bit}
        for base in bases:
            count += 1
            if resolve(classes, base=base, brackets=[None] * len(classes)) != (levels, order):
                failures.append((classes, base, levels))
    assert not failures, failures[:3]
    return count


def check_character_cases(lines):
    """Return how many were checked; those with characters unknown to this Python are not."""
    count, failures = 0, []
    for line in lines:
        points, direction, base, levels, order = line.split(";")
        text = "".join(chr(int(point, 16)) for point in points.split())
        if not is_assigned(text):
            continue
        count += 1
        classes = bidi.bidi_classes(text)
        level = bidi.paragraph_level(classes) if direction == "2" else int(direction)
        expected = (int(base), (parse_levels(levels), parse_levels(order)))
        brackets = implicit.find_brackets(text)
        if (level, resolve(classes, base=level, brackets=brackets)) != expected:
            failures.append(line)
    assert not failures, failures[:3]
    return count


def test_a_sample_of_bidi_test_is_resolved_as_unicode_expects():
    assert check_class_cases(islice(class_cases(), 0, None, SAMPLING)) > 15_000


def test_a_sample_of_bidi_character_test_is_resolved_as_unicode_expects():
    lines = islice(data_lines("BidiCharacterTest.txt"), 0, None, SAMPLING)
    assert check_character_cases(lines) > 2_700


@pytest.mark.matrix
def test_every_case_of_bidi_test_is_resolved_as_unicode_expects():
    assert check_class_cases(class_cases()) > 500_000


@pytest.mark.matrix
def test_every_case_of_bidi_character_test_is_resolved_as_unicode_expects():
    assert check_character_cases(data_lines("BidiCharacterTest.txt")) > 90_000
