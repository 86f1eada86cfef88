"""``manage.py demo``, with two products and small photos."""

import socket
from functools import partial
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from demo_project.shop import goods, photography
from demo_project.shop.models import Bundle, Product
from nb_catalog import storefront
from nb_catalog.models import ImageJob, Placement, ProductImage, ProviderCall, Run, Scene
from nb_catalog.publishing import placements

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


def test_the_shop_is_stocked_dressed_and_told_about():
    said = demo()
    assert Product.objects.count() == 2
    assert Bundle.objects.get().photos.count() == 1
    assert Scene.objects.count() >= 12
    assert get_user_model().objects.get(username="admin").check_password("a test's own")
    mug = Product.objects.get(slug="stoneware-mug")
    assert storefront.pictures_for(mug, "hero")
    assert len(storefront.pictures_for(mug, "gallery")) == 2
    assert storefront.pictures_for(Bundle.objects.get(), "hero")
    made = ProductImage.objects.count()
    assert f"{made} / {made}" in said
    assert "0.00 USD" in said
    assert "admin / a test's own" in said


def test_a_second_time_makes_nothing_and_undoes_nothing():
    demo()
    mug = Product.objects.get(slug="stoneware-mug")
    mug.name = "Mug of our own"
    mug.save()
    placements.withdraw(Placement.objects.about(mug).get(slot="hero"), actor=None)
    counts = [model.objects.count() for model in (Run, ImageJob, ProductImage, Product, Scene)]
    demo()
    assert counts == [
        model.objects.count() for model in (Run, ImageJob, ProductImage, Product, Scene)
    ]
    assert not Placement.objects.about(mug).filter(slot="hero").exists()
    assert Product.objects.get(pk=mug.pk).name == "Mug of our own"


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
    assert Placement.objects.count() == ProductImage.objects.count()


def test_a_port_in_use_is_told_before_any_work():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="is not free"):
            call_command("demo", f"--port={taken.getsockname()[1]}", stdout=StringIO())
    assert not Product.objects.exists()
