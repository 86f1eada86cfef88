"""The house plan, held to: floors, sole importers, no circles, short files."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nb_catalog"

FLOORS = {
    0: {"exceptions"},
    1: {"conf"},
    2: {"core", "storage"},
    3: {"imaging", "registry"},
    4: {"typesetting"},
    5: {"models", "providers"},
    6: {"signals", "storefront", "checks", "testing"},
    7: {"webhooks", "ratelimit", "billing", "copydecks", "cutouts", "series", "apps"},
    8: {"worker", "export"},
    9: {"tasks", "operations"},
    10: {"generation"},
    11: {"publishing", "live"},
    12: {"review"},
    13: {"admin", "api"},
    14: {"management", "templatetags", "contrib"},
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names}

# Who may import from outside, beside the standard library and Django itself.
SOLE_IMPORTERS = {
    "PIL": {"imaging", "typesetting"},
    "pillow_heif": {"imaging"},
    "numpy": {"imaging", "typesetting"},
    "cv2": {"imaging", "typesetting"},
    "defusedxml": {"imaging", "copydecks"},
    "ftfy": {"copydecks"},
    "openpyxl": {"copydecks"},
    "uharfbuzz": {"typesetting"},
    "fontTools": {"typesetting"},
    "budoux": {"typesetting"},
    "icu4py": {"typesetting"},
    "pyphen": {"typesetting"},
    "pytesseract": {"typesetting"},
    "rapidocr": {"typesetting"},
    "babel": {"core"},
    "rest_framework": {"api"},
    "drf_spectacular": {"api"},
    "google.auth": {"providers"},
    "google.genai": {"providers"},
    "google.oauth2": {"providers"},
    # Of onnxruntime's requirements.
    "google.protobuf": {"imaging"},
    "onnxruntime": {"imaging"},
    "httpx2": {"providers"},
    # Webhooks go to addresses that people enter, past the same border as what providers fetch
    # (``providers.public_hosts``), and are no provider's.
    "aiohttp": {"providers", "testing", "webhooks"},
    "openai": {"providers"},
    "requests": set(),
    "urllib.request": {"providers", "testing"},
    "http.client": {"providers", "testing"},
    "django.tasks": {"tasks"},
    "django_tasks": {"tasks"},
    "celery": {"tasks"},
    "opentelemetry": {"core"},
    "tqdm": {"management"},
    "pytest": {"testing"},
}
# The ORM starts with the models. What lower floors and providers take from Django works without settings.
FROM_DJANGO_BELOW_THE_ORM = {
    "django.core.exceptions",
    "django.core.checks",
    "django.core.files",
    "django.core.paginator",
    "django.conf",
    "django.utils.module_loading",
    "django.utils.translation",
    "django.db.models.TextChoices",
}


@cache
def sources():
    return sorted(p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts)


def station(path):
    """The part of the house that a file belongs to: "imaging", "runs", "" for the package itself."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


@cache
def imports(path):
    """Dotted names that a file imports, wherever in it; those for type hints alone left out."""
    return list(_imports(path))


def _imports(path):
    tree = ast.parse(path.read_text())
    hints = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for part in node.body
        for child in ast.walk(part)
    }
    for node in ast.walk(tree):
        if node in hints:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name):
    """ "nb_catalog.models.images.ProductImage" -> "models"; None for what is not ours."""
    parts = name.split(".")
    return parts[1] if parts[0] == "nb_catalog" and len(parts) > 1 else None


def test_every_module_has_a_floor():
    assert {station(path) for path in sources()} - {""} <= set(FLOOR_OF)


def test_a_module_imports_from_its_own_package_or_below():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sources()
        if (here := station(path))
        for name in imports(path)
        if (there := own(name)) in FLOOR_OF and there != here and FLOOR_OF[there] >= FLOOR_OF[here]
    ]
    assert wrong == []


def test_no_two_stations_import_each_other():
    arrows = defaultdict(set)
    for path in sources():
        arrows[station(path)] |= {there for name in imports(path) if (there := own(name))}
    for here in list(arrows):
        seen, ahead = set(), [there for there in arrows[here] if there != here]
        while ahead:
            there = ahead.pop()
            assert there != here, f"{here} is part of a circle"
            if there not in seen:
                seen.add(there)
                ahead += arrows.get(there, ())


def test_only_the_sole_importers_reach_outside():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sources()
        for name in imports(path)
        for outside, importers in SOLE_IMPORTERS.items()
        if f"{name}.".startswith(f"{outside}.") and station(path) not in importers
    ]
    assert wrong == []


def test_the_orm_starts_with_the_models():
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in sources()
        if FLOOR_OF.get(station(path), 0) < 5 or station(path) == "providers"
        for name in imports(path)
        if name.startswith("django")
        and not any(f"{name}.".startswith(f"{each}.") for each in FROM_DJANGO_BELOW_THE_ORM)
    ]
    assert wrong == []


def test_no_file_outgrows_its_station():
    lines = {path.relative_to(PACKAGE): len(path.read_text().splitlines()) for path in sources()}
    too_long = {str(path): count for path, count in lines.items() if count > 450}
    assert too_long == {}, "make each a package with the same import path"
