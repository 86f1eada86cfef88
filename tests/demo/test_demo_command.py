"""``manage.py demo``, with two products and small photos."""

import os
import socket
import subprocess
import sys
from functools import partial
from io import StringIO
from queue import Queue
from threading import Thread

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from demo_project.shop import goods, photography
from demo_project.shop.models import Bundle, Product
from nb_catalog import series as catalog_series
from nb_catalog import storefront
from nb_catalog.models import ImageJob, Placement, ProductImage, ProviderCall, Run, Scene, Series
from nb_catalog.publishing import placements
from tests.settings import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

STOCK = ("stoneware-mug", "earl-grey", "slow-morning")


@pytest.fixture(autouse=True)
def small_stock(monkeypatch, settings):
    everything = goods.load_rows
    monkeypatch.setattr(
        goods,
        "load_rows",
        lambda kind: [
            row for row in everything(kind) if kind == "categories" or row["slug"] in STOCK
        ],
    )
    monkeypatch.setattr("demo_project.shop.pictures.load_rows", goods.load_rows)
    monkeypatch.setattr(goods, "limit", None)
    monkeypatch.setattr(goods, "photo_file", partial(photography.photo_file, side=240))
    monkeypatch.setenv("DEMO_PASSWORD", "a test's own")
    monkeypatch.setenv("DEMO_USE_GEMINI", "")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [320],
        "RENDITION_FORMATS": ["jpeg"],
    }


def demo(*options):
    said = StringIO()
    call_command("demo", "--no-serve", *options, stdout=said, stderr=StringIO())
    return said.getvalue()


def test_the_shop_is_stocked_dressed_and_told_about_once(shop_site, client):
    said = demo()
    assert Product.objects.count() == 2
    # Its own photo, and the published picture that its gallery got.
    assert Bundle.objects.get().photos.count() == 2
    assert Scene.objects.count() >= 12
    assert get_user_model().objects.get(username="admin").check_password("a test's own")
    mug, tea = (Product.objects.get(slug=slug) for slug in ("stoneware-mug", "earl-grey"))
    assert storefront.pictures_for(mug, "hero")
    assert len(storefront.pictures_for(mug, "gallery")) == 2
    assert storefront.pictures_for(Bundle.objects.get(), "hero")
    final = ProductImage.objects.exclude(draft=None).get()
    assert (final.state, final.tier, final.draft.placements.exists()) == (
        "pending",
        "standard",
        True,
    )
    made = ProductImage.objects.count()
    assert f"{made} / {made}" in said
    assert "0.00 USD" in said
    assert "admin / a test's own" in said
    check_lookbook(client)
    # A second start makes nothing, and undoes nothing that people did meanwhile.
    mug.name = "Mug of our own"
    mug.save()
    series = Series.objects.get(key="collection")
    catalog_series.remove(series, [mug])
    placements.withdraw(Placement.objects.about(mug).get(slot="hero"), actor=None)
    placements.withdraw(Placement.objects.about(tea).get(slot="lookbook"), actor=None)
    counted = (Run, ImageJob, ProductImage, Product, Scene)
    counts = [model.objects.count() for model in counted]
    demo()
    assert counts == [model.objects.count() for model in counted]
    assert not Placement.objects.about(mug).filter(slot="hero").exists()
    assert Product.objects.get(pk=mug.pk).name == "Mug of our own"
    assert list(storefront.series_for("collection")) == []
    assert series.members.filter(removed_at=None).count() == 1


def check_lookbook(client):
    collection, sets = Series.objects.get(key="collection"), Series.objects.get(key="gift-sets")
    assert [each.product.slug for each in storefront.series_for("collection")] == [
        "stoneware-mug", "earl-grey",
    ]  # fmt: skip
    assert [each.product.slug for each in storefront.series_for("gift-sets")] == ["slow-morning"]
    assert collection.anchor.series == "collection"
    assert sets.anchor.series == "gift-sets"
    page = client.get("/en/lookbook/").content.decode()
    assert page.count("<picture") == 3
    assert "Earl Grey N° 7" in page


def test_the_summary_says_which_photos_can_be_cut_out(cutout_backend, settings):
    settings.NB_CATALOG = {k: v for k, v in settings.NB_CATALOG.items() if k != "CUTOUT"}
    said = demo()
    assert "Products on a plain background that differs from them" in said
    assert "nb_cutout status" in said
    cutout_backend()
    assert "Products on a plain background that differs from them" not in demo()


def test_a_later_start_says_how_to_get_a_password(monkeypatch):
    monkeypatch.delenv("DEMO_PASSWORD")
    assert "DEMO_PASSWORD" not in demo("--products=1")
    assert "admin / the password of the first start" in (said := demo("--products=1"))
    assert "set DEMO_PASSWORD" in said


def test_into_a_pipe_or_a_file_each_line_is_written_at_once(monkeypatch, tmp_path):
    with (tmp_path / "log").open("w") as log, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", log)
        call_command("demo", "--no-serve", "--products=0")
        assert log.line_buffering


# Between the products and the pictures, the demo waits for a line on its standard input.
WAITS_FOR_A_LINE = """
import sys, django
django.setup()
from django.core.management import execute_from_command_line
from demo_project.shop.management.commands.demo import Command
make_pictures = Command._make_pictures
def wait(self, **options):
    sys.stdin.readline()
    make_pictures(self, **options)
Command._make_pictures = wait
execute_from_command_line(["manage.py", "demo", "--no-serve", "--products=1"])
"""
PATIENCE = 300  # seconds: many times what the demo takes on a busy machine


@pytest.mark.once
@pytest.mark.matrix
def test_a_pipe_gets_each_line_when_it_is_written(tmp_path):
    """A line that stays in a buffer does not arrive while the demo waits for us, however long that is."""
    environment = {**os.environ, "DEMO_DATA_DIR": str(tmp_path)}
    environment.pop("PYTHONUNBUFFERED", None)
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS_FOR_A_LINE],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment | {"DJANGO_SETTINGS_MODULE": "demo_project.settings", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    lines: Queue[str] = Queue()
    reader = Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True)
    reader.start()
    with process:
        try:
            while not lines.get(timeout=PATIENCE).lstrip().startswith("Products"):
                pass
            process.stdin.write("\n")
            process.stdin.close()
            assert process.wait(timeout=PATIENCE) == 0
        finally:
            process.kill()
            reader.join(timeout=PATIENCE)
    assert any(line.lstrip().startswith("Pictures") for line in lines.queue)


def test_googles_models_need_a_key():
    with pytest.raises(CommandError, match="GEMINI_API_KEY"):
        demo("--gemini")


def test_no_money_is_spent_without_a_yes(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "opens nothing")
    with pytest.raises(CommandError, match=r"about 0\.\d\d USD: confirm with --yes"):
        demo("--gemini")
    assert not Run.objects.exists()
    assert not ProviderCall.objects.exists()


def test_work_that_was_cut_off_is_taken_up_again(monkeypatch):
    def killed(**options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("demo_project.shop.management.commands.demo.drain", killed)
        with pytest.raises(KeyboardInterrupt):
            demo()
    assert ImageJob.objects.exists()
    assert not ProductImage.objects.exists()
    demo()
    assert ProductImage.objects.count() == ImageJob.objects.count()
    # Everything is published, but for drafts in whose place their final is.
    drafts = ProductImage.objects.exclude(draft=None).values("draft").distinct()
    assert Placement.objects.count() == ProductImage.objects.count() - drafts.count()


def test_a_port_in_use_is_told_before_any_work():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="is not free"):
            call_command("demo", f"--port={taken.getsockname()[1]}", stdout=StringIO())
    assert not Product.objects.exists()
