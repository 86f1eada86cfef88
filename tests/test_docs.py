"""The documentation is true: the README's guide is carried out, tables are compared with the code."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from argparse import _SubParsersAction
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.utils.module_loading import import_string
from PIL import Image

from nb_catalog import checks
from nb_catalog.conf import GEMINI_TIERS, Setting, Settings
from nb_catalog.core.states import BATCH_TRANSITIONS, IMAGE_TRANSITIONS, JOB_TRANSITIONS
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import ProviderError
from nb_catalog.imaging.cutout import cut_out
from nb_catalog.providers.tiers import tiers
from tests.catalog.models import Mug
from tests.factories import photo_bytes, published
from tests.test_floors import FLOORS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# Their defaults depend on the machine, or are tables of their own.
DESCRIBED_IN_WORDS = {
    "PROVIDERS",
    "CUTOUT",
    "TIERS",
    "FREE_THREADS",
    "STAGING_DIR",
    "LOCALES",
    "FIDELITY",
}

# Permissions, log fields, spans and a Celery task: named like paths, not imported.
NO_IMPORT_PATHS = {
    *map(str, Permission),
    *(f"nb_catalog.{name}" for name in ("job", "call", "keep", "commit", "work_a_while")),
    *(f"nb_catalog.{name}" for name in ("change_copydeck", "change_run", "view_productimage")),
}
# Quoted in docs/, and no label of the admin.
NOT_LABELS = {"language"}

MODELS = """
from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=80)
    colour = models.CharField(max_length=40)
    packshot = models.ImageField(upload_to="packshots")
"""
STOCK = """
from django.core.files.base import ContentFile
from shop.models import Product
with open("photo.png", "rb") as photo:
    Product(name="Mug", colour="blue").packshot.save("mug.png", ContentFile(photo.read()))
"""
SHOW = """
from django.template.loader import render_to_string
from shop.models import Product
print(render_to_string("shop/product.html", {"product": Product.objects.get()}))
"""


# A package of somebody else, with an admin of its own.
STORE = {
    "models.py": """
from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=80)

    def __str__(self):
        return self.name


class Item(models.Model):
    title = models.CharField(max_length=80)
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
    finish = models.CharField(max_length=1, choices=[("m", "Matt"), ("g", "Glossy")])

    def get_title(self):
        return self.title


class ItemImage(models.Model):
    item = models.ForeignKey(Item, related_name="images", on_delete=models.CASCADE)
    original = models.ImageField(upload_to="items")
""",
    "admin.py": """
from django.contrib import admin
from store.models import Item


@admin.register(Item)
class ItemAdmin(admin.ModelAdmin):
    list_display = ["title"]
""",
}
ATTACHED = """
from django.contrib import admin
from store.models import Category, Item
item = Item.objects.first()
if item is None:
    item = Category.objects.create(name="Mugs").item_set.create(title="Blue mug", finish="m")
    item.images.create(original="items/a.png")
    item.images.create(original="items/b.png")
print(item.get_title())
source = __import__("nb_catalog.registry").registry.source_for(item)
print(dict(source.facts(item)))
print([photo.name for photo in source.photos(item)])
print(type(admin.site.get_model_admin(Item)).__name__)
print("generate_catalog_pictures" in admin.site.get_model_admin(Item).actions)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Fenced code and what its first line calls it."""

    language: str
    title: str
    code: str


def blocks(text):
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = code.partition("\n")[0]
        title = re.fullmatch(r"(?:#|\{#) (.*?)(?: #\})?", first)
        yield Block(language=language, title=title[1] if title else "", code=code)


def table(heading):
    """Cells of the first table below ``heading``, without its head."""
    below = README.split(f"\n{heading}\n", 1)[1]
    rows = re.search(r"(^\|.*\n)+", below, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


class Project:
    """A Django project in a directory, driven by its own ``manage.py``."""

    def __init__(self, home):
        self.home = home
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DJANGO_SETTINGS_MODULE", "GEMINI_API_KEY"}
        } | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::RuntimeWarning"}
        self.run("-m", "django", "startproject", "mysite", ".")
        self.manage("startapp", "shop")
        self.write("shop/models.py", MODELS)
        self.write("mysite/settings.py", 'INSTALLED_APPS += ["shop"]\n')
        (home / "photo.png").write_bytes(photo_bytes((480, 600)))

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments):
        return self.run("manage.py", *arguments)

    def write(self, path, code):
        """Append to settings and URLs; overwrite every other file."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        grows = path.startswith("mysite/")
        file.write_text((file.read_text() if grows else "") + code)

    def follow(self, text):
        """Write the blocks that name a file. Return the others that are Python."""
        python = []
        for block in blocks(text):
            if block.title.endswith((".py", ".html")):
                self.write(block.title, block.code)
            elif block.language == "python":
                python.append(block.code)
        return python


@pytest.fixture(scope="module")
def guide():
    return README.split("## Your own shop in five minutes")[1].split("\n## ")[0]


@pytest.mark.matrix
@pytest.mark.long
def test_the_guide_leads_from_an_empty_project_to_a_published_picture(guide, tmp_path):
    project = Project(tmp_path)
    start, publish = project.follow(guide)
    project.manage("makemigrations", "shop")
    for command in ("migrate", "loaddata nb_catalog_scenes nb_catalog_layouts"):
        assert f"python manage.py {command}" in guide
        project.manage(*command.split())
    project.manage("check", "--fail-level", "WARNING")
    project.manage("shell", "-c", STOCK)
    before = project.manage("shell", "-c", SHOW)
    assert 'src="/media/packshots/mug' in before
    output = project.manage("shell", "-c", start)
    assert "2 pictures, 0.00" in output
    assert "2 pictures generated" in project.manage("nb_worker", "--once")
    project.manage("shell", "-c", publish)
    after = project.manage("shell", "-c", SHOW)
    assert "<picture" in after
    assert 'type="image/avif"' in after
    assert "packshots" not in after


@pytest.mark.matrix
@pytest.mark.long
def test_a_package_s_models_are_attached_and_detached_as_the_page_says(tmp_path):
    page = (ROOT / "docs/attaching.md").read_text()
    project = Project(tmp_path)
    for app, files in {"store": STORE, "pictures": {}}.items():
        project.manage("startapp", app)
        for name, code in files.items():
            project.write(f"{app}/{name}", code)
    project.write("mysite/settings.py", 'MEDIA_ROOT = BASE_DIR / "media"\n')
    project.follow(page.split("\n## Wagtail")[0])
    project.follow("\n## Cutting" + page.split("\n## Cutting")[1])
    project.manage("makemigrations", "shop", "store")
    project.manage("migrate")
    project.manage("check", "--fail-level", "WARNING")
    assert project.manage("shell", "-c", ATTACHED).splitlines()[-5:] == [
        "Blue mug", "{'category': 'Mugs', 'finish': 'Matt'}", "['items/a.png', 'items/b.png']",
        "ItemWithPicturesAdmin", "True",
    ]  # fmt: skip
    assert "table nb_catalog_run: 0 rows" in project.manage("nb_uninstall")
    assert "Deleted." in project.manage("nb_uninstall", "--delete", "--yes")
    assert "Blue mug" in project.manage("shell", "-c", ATTACHED.partition("source =")[0])


def attaching(title):
    text = (ROOT / "docs/attaching.md").read_text()
    (block,) = [block for block in blocks(text) if block.title == title]
    namespace = {}
    exec(compile(block.code, title, "exec"), namespace)  # noqa: S102 - our own page
    return namespace


def test_the_cut_out_backend_that_is_shown_cuts_out():
    backend = attaching("pictures/cutouts.py")["DarkItems"](threshold=230)
    photo = Image.open(BytesIO(photo_bytes((240, 300))))
    cutout = cut_out(photo, backend=backend)
    assert (cutout.photo_size, cutout.score, cutout.reasons) == ((240, 300), 0.5, ())
    share = cutout.pixels.shape[0] * cutout.pixels.shape[1] / (240 * 300)
    assert 0.2 < share < 0.5, "the product, without its ground"


def test_photos_by_their_names_are_returned_as_shown():
    source = attaching("photos that are known by their names")["ItemSource"](Mug)
    photos = source.photos(Mug(pk=7, name="Blue"))
    assert [photo.name for photo in photos] == ["items/7/front.jpg", "items/7/side.jpg"]
    assert (photos[0].storage, photos[0].alt) == ("default", "Blue")


def test_the_settings_for_gemini_are_accepted(tmp_path):
    project = Project(tmp_path)
    project.follow(README.split("## Your own shop in five minutes")[1].split("**3.")[0])
    project.follow(README.split("\n## Using Gemini\n")[1].split("\n## ")[0])
    project.environment["GEMINI_API_KEY"] = "only-for-tests"
    project.manage("check", "--fail-level", "WARNING")


def test_the_table_of_settings_is_complete():
    assert [row[0].strip("`") for row in table("## Settings")] == list(Settings().known())


def test_the_table_of_settings_states_the_defaults():
    for name, documented, _what in table("## Settings"):
        setting = vars(Settings)[name.strip("`")]
        assert isinstance(setting, Setting)
        if setting.name in DESCRIBED_IN_WORDS:
            assert "`" not in documented
        else:
            assert ast.literal_eval(documented.strip("`")) == setting.default, name


def test_the_table_of_permissions_is_complete():
    documented = {row[0].strip("`") for row in table("### Who may do what")}
    assert documented == {str(permission) for permission in Permission}


def test_the_table_of_prices_holds(settings):
    settings.NB_CATALOG = {"TIERS": GEMINI_TIERS}
    documented = {row[0].strip("`"): row[1:] for row in table("## Using Gemini")}
    steps = {step.name: step for step in tiers()}
    assert documented.keys() == steps.keys()
    for name, (model, size, price) in documented.items():
        step = steps[name]
        assert (model.strip("`"), size) == (step.model, step.size)
        assert price == f"{step.model_spec.estimate(size=step.size, references=1):.3f} USD"


# Of packages whose apps are not installed here; tests/engines/test_task_queues.py runs them.
FOREIGN_COMMANDS = {"db_worker", "rqworker"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page):
    known = get_commands()
    for line in re.findall(r"manage\.py (\w+[^`\n]*)", page.read_text()):
        name, *options = line.split()
        if name in FOREIGN_COMMANDS:
            continue
        assert name in known, line
        assert_options_exist(known[name], name, options)


def assert_options_exist(app, name, options):
    parser = load_command_class(app, name).create_parser("manage.py", name)
    parts = next((each for each in parser._actions if isinstance(each, _SubParsersAction)), None)
    if parts is not None and options and not options[0].startswith("-"):
        assert options[0] in parts.choices, (name, options[0])
        parser = parts.choices[options[0]]
    for option in options:
        if option.startswith("--"):
            assert option.partition("=")[0] in parser._option_string_actions, (name, option)


def test_the_two_commands_of_the_readme_can_be_run():
    commands = re.findall(r"^sh (\S+)$", README, re.MULTILINE)
    assert commands == ["demo_project/run", "tests/run"]
    for script in (*commands, ".ci/run", ".ci/venv", ".ci/install"):
        assert os.access(ROOT / script, os.X_OK), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_block_compiles(page):
    for block in blocks(page.read_text()):
        if block.language == "python":
            compile(block.code, f"{page.name}: {block.title}", "exec")


@pytest.mark.parametrize(
    "block",
    [b for b in blocks((ROOT / "docs/settings.md").read_text()) if "NB_CATALOG = " in b.code],
    ids=lambda block: block.code.split('"')[1],
)
def test_settings_that_are_shown_pass_the_checks(block, settings):
    namespace = {}
    exec(compile(block.code, "docs/settings.md", "exec"), namespace)  # noqa: S102 - our own page
    settings.NB_CATALOG = namespace["NB_CATALOG"]
    settings.STORAGES = namespace.get("STORAGES", settings.STORAGES)
    messages = [*checks.check_settings(), *checks.check_tiers(), *checks.check_storage()]
    # That the machine has no key is what the guide's own test is about.
    assert [message for message in messages if message.id != "nb_catalog.W201"] == []


@pytest.mark.django_db
def test_urls_are_regenerated_as_the_page_says(settings):
    placement = published()
    assert placement.picture_data["src"].startswith("/media/")
    settings.MEDIA_URL = "https://pictures.example.com/"
    page = (ROOT / "docs/settings.md").read_text()
    (regenerate,) = (block.code for block in blocks(page) if "Rendition.objects" in block.code)
    exec(compile(regenerate, "docs/settings.md", "exec"), {})  # noqa: S102 - our own page
    placement.refresh_from_db()
    assert placement.picture_data["src"].startswith("https://pictures.example.com/")


def rows_of(page, pattern):
    return re.findall(pattern, (ROOT / "docs" / page).read_text(), re.MULTILINE)


def test_the_table_of_outcomes_is_what_the_errors_say():
    """Code, billed, tried again, and whom it stops: as the classes have it."""
    documented = {
        code: (billed, again, stops)
        for code, billed, again, stops in rows_of(
            "providers.md", r"^\| `(\w+)` \| .*? \| (\w+) \| (\w+) \| ?(.*?) ?\|$"
        )
    }
    kinds = list(narrower(ProviderError))
    assert documented.keys() == {kind.code for kind in kinds}
    for kind in kinds:
        billed, again, stops = documented[kind.code]
        assert billed == kind.billed, kind
        assert again == ("yes" if kind.retryable else "no"), kind
        assert stops.startswith(f"the {kind.stops}" if kind.stops else ""), kind
        assert stops.endswith("until a person acts") == kind.needs_person, kind


def narrower(kind):
    for each in kind.__subclasses__():
        yield each
        yield from narrower(each)


def test_what_it_costs_is_what_the_model_specs_say(settings):
    settings.NB_CATALOG = {"TIERS": GEMINI_TIERS}
    documented = rows_of(
        "going-live.md", r"^\| `(\w+)`: .*? \| ([\d.]+) USD \| ([\d.]+) USD \| ([\d.]+) USD \|$"
    )
    steps = {step.name: step for step in tiers()}
    assert [name for name, *_ in documented] == list(steps)
    for name, one, thousand, batches in documented:
        step = steps[name]
        direct = step.model_spec.estimate(size=step.size, references=1)
        half = step.model_spec.estimate(size=step.size, references=1, batch=True)
        assert one == f"{direct.quantize(Decimal('0.0001'), ROUND_UP)}"
        assert thousand == f"{(direct * 1000).quantize(Decimal('0.01'), ROUND_UP)}"
        assert batches == f"{(half * 1000).quantize(Decimal('0.01'), ROUND_UP)}"


GATEWAYS = [b for b in blocks((ROOT / "docs/gateways.md").read_text()) if "NB_CATALOG = " in b.code]


@pytest.mark.parametrize("block", GATEWAYS, ids=lambda block: block.code.split('"')[3])
def test_settings_of_gateways_pass_the_checks(block, settings, monkeypatch):
    for name in ("LUMENFALL_API_KEY", "IMAGES_KEY"):
        monkeypatch.setenv(name, "only-for-tests")
    namespace = {}
    exec(compile(block.code, "docs/gateways.md", "exec"), namespace)  # noqa: S102 - our own page
    settings.NB_CATALOG = namespace["NB_CATALOG"]
    assert [*checks.check_settings(), *checks.check_tiers()] == []


def test_the_page_of_operations_names_what_there_is():
    from django.dispatch import Signal

    from nb_catalog import signals
    from nb_catalog.operations import status

    page = (ROOT / "docs/operations.md").read_text()
    names = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    documented = {row[0].strip("`") for row in rows_after(page, "| signal |")}
    assert documented == names
    problems = {row[0].strip("`") for row in rows_after(page, "| problem |")}
    source = (ROOT / "nb_catalog/operations/status.py").read_text() + (
        ROOT / "nb_catalog/operations/views.py"
    ).read_text()
    assert problems and all(f'"{problem}"' in source for problem in problems)
    assert status.problems.__doc__


def rows_after(page, head):
    lines = page.split(head, 1)[1].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_of_floors_is_the_one_that_is_enforced():
    floors = {}
    for floor, module in rows_of("architecture.md", r"^\| (\d+) \| `(\w+)` \| .+ \|$"):
        floors.setdefault(int(floor), set()).add(module)
    assert floors == FLOORS


def test_the_diagrams_show_every_transition():
    page = (ROOT / "docs/architecture.md").read_text()
    shown = sorted(re.findall(r"^ +(\w+) --> (\w+): (\w+)$", page, re.MULTILINE))
    assert shown == sorted(
        (str(source), str(transition.target), name)
        for table in (JOB_TRANSITIONS, IMAGE_TRANSITIONS, BATCH_TRANSITIONS)
        for name, transition in table.items()
        for source in transition.sources
    )


def reference():
    """Supported modules with the names that docs/reference.md lists for each."""
    page = (ROOT / "docs/reference.md").read_text()
    for section in page.split("\n## ")[1:]:
        if module := re.match(r"`(nb_catalog[\w.]*)`\n", section):
            yield module[1], re.findall(r"^\| `(\w+)` \| .+ \|$", section, re.MULTILINE)


DOTTED_PATHS = rows_of("reference.md", r"^\| `(nb_catalog\.[\w.]+)` \| .+ \|$")
SUPPORTED = dict(reference())


def skip_without_its_package(path):
    """Skip what connects the app with a package that does not support this Python or Django."""
    if path.startswith("nb_catalog.contrib."):
        pytest.importorskip(path.split(".")[2])


def public_names(module):
    """``__all__``, or the classes and functions that ``module`` defines."""
    return getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


@pytest.mark.parametrize("module", SUPPORTED)
def test_the_reference_lists_exactly_the_public_names(module):
    names = SUPPORTED[module]
    assert len(names) == len(set(names))
    skip_without_its_package(module)
    public = import_module(module)
    assert set(names) == set(public_names(public))
    assert all(hasattr(public, name) for name in names)


@pytest.mark.parametrize("path", DOTTED_PATHS)
def test_each_dotted_path_of_the_reference_imports(path):
    skip_without_its_package(path)
    try:
        import_module(path)
    except ModuleNotFoundError:
        import_string(path)


def private_imports(code):
    """What ``code`` imports from nb_catalog beside the names that the reference lists."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "nb_catalog" and alias.name not in SUPPORTED:
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nb_catalog":
            for alias in node.names:
                path = f"{node.module}.{alias.name}"
                public = alias.name in SUPPORTED.get(node.module, ()) or path in SUPPORTED
                if not public and path not in DOTTED_PATHS:
                    yield path


def test_a_private_import_is_found():
    code = "from nb_catalog import generation\nfrom nb_catalog.worker import claims, drain"
    assert list(private_imports(code)) == ["nb_catalog.worker.claims"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_shows_a_private_import(page):
    for block in blocks(page.read_text()):
        if block.language == "python":
            assert list(private_imports(block.code)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_dotted_path_that_a_page_names_is_supported(page):
    if page.name == "CHANGELOG.md":
        return  # it names what was
    text = re.sub(r"^```(?!python).*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for path in re.findall(r"[`\"](nb_catalog\.\w[\w.]*)(?:\(\))?[`\"]", text):
        module, _, name = path.rpartition(".")
        supported = path in {*SUPPORTED, *DOTTED_PATHS} or name in SUPPORTED.get(module, ())
        assert supported or path in NO_IMPORT_PATHS or re.fullmatch(r"nb_catalog\.[EIW]\d{3}", path)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "demo_project").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_demo_imports_nothing_private(path):
    assert list(private_imports(path.read_text())) == []


def test_every_label_that_a_page_quotes_is_in_the_admin():
    catalog = (ROOT / "nb_catalog/locale/de/LC_MESSAGES/django.po").read_text()
    entries = re.findall(r'^msgid(?:_plural)? ((?:".*"\n)+)', catalog, re.MULTILINE)
    labels = {"".join(re.findall(r'"(.*)"', entry)).casefold() for entry in entries}
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for quoted in re.findall(r"“(.+?)”", page.read_text(), re.DOTALL):
            label = " ".join(quoted.split()).casefold()
            known = label in labels or any(
                each.startswith((f"{label},", f"{label}:")) for each in labels
            )
            assert known or quoted in NOT_LABELS, f"{page.name}: “{quoted}”"


def test_pre_commit_runs_the_ruff_that_the_tests_run():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    pinned = re.search(r"ruff-pre-commit\n\s+rev: v(\d+)\.(\d+)\.\d+\n", hooks)
    major, minor = int(pinned[1]), int(pinned[2])
    assert f'"ruff>={major}.{minor},<{major}.{minor + 1}"' in (ROOT / "pyproject.toml").read_text()


def test_the_address_of_the_project_is_the_same_everywhere():
    """An index of packages shows the README without the files beside it: its links become absolute."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    source = project["project"]["urls"]["Source"]
    assert all(url.startswith(source) for url in project["project"]["urls"].values())
    text = README
    for each in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        assert source in each["replacement"]
        text = re.sub(each["pattern"], each["replacement"], text)
    targets = re.findall(r"\]\(([^)]*)\)", text)
    assert len(targets) >= 30
    assert all(target.startswith((f"{source}/", "#")) for target in targets)


def test_the_source_archive_holds_what_the_top_level_has():
    archive = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    included = set(archive["targets"]["sdist"]["include"])
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("this is not a clone")
    # hatch adds these two itself.
    top = {line.partition("/")[0] for line in tracked.stdout.splitlines()}
    assert top - {"pyproject.toml", ".gitignore"} == included
