"""``manage.py nb_export``."""

from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from nb_catalog.publishing import placements
from tests import factories
from tests.export.fixtures import approved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip


def test_the_command_writes_what_is_published_and_counts_what_fails(tmp_path, capsys):
    mug, other = factories.product(photo=False), factories.product(photo=False)
    for product in (mug, other):
        placements.publish(approved(product), slot="hero", locale="", position=0, actor=None)
    file = tmp_path / "shop.zip"
    call_command(
        "nb_export", str(file), "--product", f"testcatalog.mug:{mug.pk}", "--channel", "amazon_main",
        "--pattern", "{slot}/{sku}.jpg",
    )  # fmt: skip
    assert ZipFile(file).namelist()[0] == f"hero/{mug.pk}.jpg"
    output = capsys.readouterr().out
    assert f"1 picture: {file}" in output
    assert "amazon_main: 1 of 1 pictures fail." in output
    assert list(tmp_path.iterdir()) == [file]


def test_a_dry_run_names_what_fails_and_writes_nothing(tmp_path, capsys):
    image = approved()
    file = tmp_path / "shop.zip"
    call_command(
        "nb_export", str(file), "--image", str(image.pk), "--channel", "ebay", "--dry-run",
        "--pattern", "{image}",
    )  # fmt: skip
    output = capsys.readouterr().out
    assert f"{image.pk}.jpg: ebay: " in output
    assert not file.exists()


def test_what_cannot_be_exported_is_an_error_in_words(tmp_path):
    file = str(tmp_path / "shop.zip")
    with pytest.raises(CommandError, match="no pictures to export"):
        call_command("nb_export", file)
    with pytest.raises(CommandError, match="there is no such product"):
        call_command("nb_export", file, "--product", "testcatalog.mug:none")
    with pytest.raises(CommandError, match="there is no such product"):
        call_command("nb_export", file, "--product", "testcatalog.poster:abc")
    with pytest.raises(CommandError, match="No model"):
        call_command("nb_export", file, "--product", "shop.nothing")
    image = str(approved().pk)
    with pytest.raises(CommandError, match="--image names the pictures"):
        call_command("nb_export", file, "--image", image, "--slot", "hero")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("nb_export", str(tmp_path / "no" / "shop.zip"), "--image", image)
    assert list(tmp_path.iterdir()) == []


def test_two_pictures_of_one_name_are_an_error_with_both(tmp_path):
    mug = factories.product(photo=False)
    first, second = approved(mug), approved(mug)
    images = [text for image in (first, second) for text in ("--image", str(image.pk))]
    with pytest.raises(CommandError, match=f"The pictures {first.pk} and {second.pk} would both"):
        call_command("nb_export", str(tmp_path / "shop.zip"), *images, "--pattern", "{sku}.jpg")
    assert list(tmp_path.iterdir()) == []
