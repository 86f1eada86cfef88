"""Phrasings that a native technical writer would not use stay out of the documentation."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Whether docstrings and comments of nb_catalog are read too.
READ_THE_PACKAGE = True

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *ROOT.glob("docs/*.md"),
]
MODULES = [
    path
    for path in sorted(ROOT.glob("nb_catalog/**/*.py"))
    if READ_THE_PACKAGE and "migrations" not in path.parts
]

# What to write instead; all are searched without regard to case.
ANYWHERE = {
    r"(?<!there )\b(?:is|are|was|were) no\b(?! (?:longer|more|one\b))": "is not a",
    r"\banew\b": "again, or regenerate",
    r"\bwho(?:so|m)?ever\b": "name the person, class or program",
    r"\bby (?:itself|themselves)\b": "automatically",
    r"\bat hand\b": "prefetched, or available",
    r"\b(?:about|after|at most|of|up to|with) so many\b": "N, or this number of",
    r"\bmended\b": "fixed",
    r"\blook(?:s|ed|ing)? over\b": "scan, or review",
    r"\b(?:take[ns]?|taking|took) away\b": "delete, or remove",
    r"\bput together\b": "create, or combine",
    r"\bhand(?:s|ed|ing)? in\b": "submit",
    r"\bcall(?:s|ed|ing)? off\b": "cancel",
    r"(?:^|[.,;] |\bor )else\b(?! if\b)": "otherwise",
    r"\b(?:is|are|was|were) told\b": "is reported, receives",
    r"\btells? (?:how|what|where|which|whether|who)\b": "report, describe",
    r"\bas it stands\b": "by default",
    # Products stand and lie in scenes; values do not.
    r"\b(?:stands? there|what stands(?! on)|(?<!product )stands in)\b(?! for\b)": "is, is in",
    r"\b(?:lie|lies) in (?:a|the|our) (?:database|storage|staging|table)\b": "is stored in",
    r"\bsurroundings\b": "background",
}
# How no docstring begins.
AT_THE_START = {
    r"Answers\b": "Return …",
    r"Tells?\b": "Report …, or Return …",
}


def objections(text):
    text = " ".join(text.split())
    for pattern, advice in ANYWHERE.items():
        for each in re.finditer(pattern, text, re.IGNORECASE):
            context = " ".join(text[max(0, each.start() - 40) : each.end() + 40].split())
            yield f"“{each[0]}” in “… {context} …”: write {advice}"


def objections_to_start(docstring):
    for pattern, advice in AT_THE_START.items():
        if start := re.match(pattern, docstring):
            yield f"“{start[0]}” begins “{docstring.splitlines()[0]}”: write {advice}"


def prose(page):
    """The text of ``page`` without code, addresses of links and quoted labels."""
    without_blocks = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.M | re.S)
    return re.sub(r"`[^`]*`|\]\([^)]*\)|“[^”]*”", "", without_blocks)


def docstrings(source):
    for node in ast.walk(ast.parse(source)):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield re.sub(r"``[^`]*``", "", text)


def comments(source):
    """Comments; those on consecutive lines as one."""
    last = 0
    lines = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != last + 1:
                yield " ".join(lines)
                lines = []
            lines.append(token.string.lstrip("# "))
            last = token.start[0]
    if lines:
        yield " ".join(lines)


def of_module(source):
    for text in docstrings(source):
        yield from objections(text)
        yield from objections_to_start(text)
    for text in comments(source):
        yield from objections(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_reads_like_technical_english(page):
    assert list(objections(prose(page))) == []


def test_docstrings_and_comments_read_like_technical_english():
    wrong = {str(path.relative_to(ROOT)): list(of_module(path.read_text())) for path in MODULES}
    assert {path: advice for path, advice in wrong.items() if advice} == {}


def test_what_is_wrong_is_found_wherever_it_is_written():
    source = '''
def price():
    """Answers the price; made anew where it is no number."""
    # Whoever asks
    # pays.
'''
    advice = "\n".join(of_module(source))
    for wrong in ("Answers", "anew", "is no", "Whoever"):
        assert f"“{wrong}”" in advice
    assert "write Return …" in advice


def test_what_is_right_passes():
    source = '''
def price():
    """Return the price. There is no price if the model is no longer sold."""
'''
    assert list(of_module(source)) == []
