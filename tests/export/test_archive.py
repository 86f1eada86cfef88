"""The ZIP of an export: files, manifests, what is refused and what is left out."""

import csv
import io
import json
from hashlib import sha256
from zipfile import ZipFile

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from nb_catalog import export
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ProductImage
from nb_catalog.publishing import placements
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.models import Mug
from tests.export.fixtures import MARK, approved, exported, picture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"],
        "LOCALES": ["en", "de"],
    }  # fmt: skip


def manifest(archive):
    return json.loads(archive.read("manifest.json"))


def table(archive):
    text = archive.read("manifest.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.story
def test_published_pictures_are_exported_by_slot_and_language_with_their_mark():
    mug = factories.product(photo=False, name="Mug")
    for slot, locale in (("hero", ""), ("hero", "de"), ("gallery", "")):
        placements.publish(approved(mug), slot=slot, locale=locale, position=0, actor=None)
    everything = export.published()
    assert [(each.slot, each.locale) for each in everything] == [
        ("gallery", ""), ("hero", ""), ("hero", "de")
    ]  # fmt: skip
    report, archive = exported(
        export.published(slots=["hero"]), pattern="{sku}-{slot}-{locale}-{ratio}.jpg"
    )
    assert report.written == 2
    assert archive.testzip() is None
    assert archive.namelist() == [
        f"{mug.pk}-hero-4x5.jpg", f"{mug.pk}-hero-de-4x5.jpg", "manifest.json", "manifest.csv"
    ]  # fmt: skip
    for entry in manifest(archive)["files"]:
        data = archive.read(entry["file"])
        assert read_mark(data) is MARK
        assert (sha256(data).hexdigest(), len(data)) == (entry["sha256"], entry["bytes"])
        assert Image.open(io.BytesIO(data)).size == (entry["width"], entry["height"])
        assert entry["digital_source_type"].endswith("/compositeWithTrainedAlgorithmicMedia")
        assert "AI" in entry["declaration"]


def test_the_stored_bytes_are_delivered_where_they_need_no_change():
    image = approved()
    _report, archive = exported(export.chosen([image.pk]), pattern="{image}")
    assert sha256(archive.read(f"{image.pk}.jpg")).hexdigest() == image.sha256
    unmarked = approved(data=picture(mark=None))
    _report, archive = exported(export.chosen([unmarked.pk]), pattern="{image}")
    assert read_mark(archive.read(f"{unmarked.pk}.jpg")) is MARK


def test_an_export_of_nothing_is_refused():
    with pytest.raises(RequestRefused, match="no pictures to export"):
        exported(export.published())


def test_pictures_that_do_not_exist_or_are_not_approved_are_named():
    pending = factories.image()
    with pytest.raises(RequestRefused) as refused:
        export.chosen([pending.pk, pending.pk + 1000])
    assert str(pending.pk + 1000) in refused.value.objections[0]
    assert str(pending.pk) in refused.value.objections[1]


def test_two_pictures_of_one_name_are_refused_with_both_unless_they_are_numbered():
    mug = factories.product(photo=False)
    first, second = approved(mug), approved(mug)
    pictures = export.chosen([first.pk, second.pk])
    with pytest.raises(RequestRefused) as refused:
        exported(pictures, pattern="{sku}.jpg")
    assert f"The pictures {first.pk} and {second.pk} would both" in str(refused.value)
    _report, archive = exported(pictures, pattern="{sku}.jpg", number=True)
    assert archive.namelist()[:2] == [f"{mug.pk}.jpg", f"{mug.pk}-2.jpg"]


def test_a_picture_that_cannot_be_read_is_left_out_and_named():
    lost, damaged, whole = approved(), approved(), approved()
    default_storage.delete(lost.file.name)
    ProductImage.objects.filter(pk=damaged.pk).update(
        file=default_storage.save("damaged.jpg", io.BytesIO(picture()[:900]))
    )
    report, archive = exported(
        export.chosen([lost.pk, damaged.pk, whole.pk]), pattern="{image}", channels=("ebay",)
    )
    assert report.written == 1
    assert [each.image for each in report.left_out] == [lost.pk, damaged.pk]
    assert [each["image"] for each in manifest(archive)["left_out"]] == [lost.pk, damaged.pk]
    assert "not in the storage" in manifest(archive)["left_out"][0]["reason"]
    with pytest.raises(RequestRefused, match="None of the pictures"):
        exported(export.chosen([lost.pk]), pattern="{image}")


@pytest.mark.parametrize("kind", ["jpeg", "webp", "png"])
def test_pictures_are_scaled_down_and_never_enlarged(kind):
    large, small = approved(size=(800, 1000)), approved(size=(320, 400))
    report, archive = exported(
        export.chosen([large.pk, small.pk]), pattern="{image}-{width}x{height}-{ratio}", format=kind,
        longest_side=500,
    )  # fmt: skip
    suffix = {"jpeg": "jpg"}.get(kind, kind)
    names = [f"{large.pk}-400x500-4x5.{suffix}", f"{small.pk}-320x400-4x5.{suffix}"]
    assert archive.namelist()[:2] == names
    assert [Image.open(archive.open(name)).size for name in names] == [(400, 500), (320, 400)]
    assert [each["smaller_than_requested"] for each in manifest(archive)["files"]] == [False, True]
    assert report.smaller == 1
    assert all(read_mark(archive.read(name)) is MARK for name in names)


def test_the_manifest_has_alternative_texts_by_language_and_no_formulas():
    mug = factories.product(photo=False, name="=HYPERLINK(1)")
    image = approved(mug, provenance={"provider": "gemini", "model": "m", "model_version": "m-2"})
    image.alts.create(locale="de", text="Tasse, „blau“")
    _report, archive = exported(export.chosen([image.pk]), pattern="{image}")
    entry = manifest(archive)["files"][0]
    assert entry["alt"] == {"en": "=HYPERLINK(1)", "de": "Tasse, „blau“"}
    assert (entry["provider"], entry["made_by"], entry["model_version"]) == ("gemini", "m", "m-2")
    assert archive.read("manifest.csv").startswith(b"\xef\xbb\xbf")
    (row,) = table(archive)
    assert row["title"] == row["alt_en"] == "'=HYPERLINK(1)"
    assert row["alt_de"] == "Tasse, „blau“"


def test_a_table_that_is_split_at_semicolons_or_lines_has_no_formulas_either():
    mug = factories.product(photo=False, name="Mug;=1+1;\t-2\n@x\r\n+y;'=z; = w")
    _report, archive = exported(export.chosen([approved(mug).pk]), pattern="{image}")
    (row,) = table(archive)
    assert row["title"] == "Mug;'=1+1;'\t-2\n'@x\r\n'+y;''=z; = w"
    assert manifest(archive)["files"][0]["title"] == mug.name


def test_the_article_number_names_the_files(monkeypatch):
    monkeypatch.setattr(type(source_for(Mug)), "sku_field", "colour")
    image = approved(factories.product(photo=False, colour="MUG/17"))
    _report, archive = exported(export.chosen([image.pk]), pattern="{sku}")
    assert archive.namelist()[0] == "MUG-17.jpg"
    assert manifest(archive)["files"][0]["sku"] == "MUG/17"


def test_an_article_number_that_is_not_a_field_is_a_problem(monkeypatch):
    source = source_for(Mug)
    monkeypatch.setattr(type(source), "sku_field", "color")
    assert any("sku_field names 'color'" in what for what, _hint in source.problems())


def test_the_pictures_of_deleted_products_are_named_by_their_keys():
    mug = factories.product(photo=False)
    key, image = mug.pk, approved(mug)
    mug.delete()
    _report, archive = exported(export.chosen([image.pk]), pattern="{sku}-{slug}")
    assert archive.namelist()[0] == f"{key}-{key}.jpg"


def test_an_export_is_written_to_a_stream_that_cannot_seek():
    class Stream(io.RawIOBase):
        def __init__(self):
            self.chunks = []

        def writable(self):
            return True

        def write(self, data):
            self.chunks.append(bytes(data))
            return len(data)

    image, stream = approved(), Stream()
    plan = export.plan_export(export.chosen([image.pk]), export.ExportOptions(pattern="{image}"))
    export.write_archive(plan, stream)
    assert ZipFile(io.BytesIO(b"".join(stream.chunks))).testzip() is None


def test_an_export_that_takes_too_long_for_a_page_names_the_command():
    images = [approved().pk for _ in range(2)]
    plan = export.plan_export(export.chosen(images), export.ExportOptions(pattern="{image}"))
    with pytest.raises(RequestRefused, match="1 of 2 .*nb_export"):
        export.write_archive(plan, io.BytesIO(), seconds=0)


def test_the_number_of_queries_does_not_depend_on_the_number_of_pictures(django_assert_num_queries):
    few = [approved().pk for _ in range(2)]
    many = few + [approved().pk for _ in range(6)]
    export.plan_export(export.chosen(few), export.ExportOptions())
    for keys in (few, many):
        with django_assert_num_queries(7):
            exported(export.chosen(keys), pattern="{sku}-{image}", channels=("ebay",))


def test_options_that_do_not_exist_are_refused_with_the_nearest():
    pictures = export.chosen([approved().pk])
    with pytest.raises(RequestRefused, match="'jpeg'"):
        exported(pictures, format="jpg")
    with pytest.raises(RequestRefused, match="'amazon_main'"):
        exported(pictures, channels=("amazon",))
    with pytest.raises(RequestRefused, match="16 to 20000"):
        exported(pictures, longest_side=3)
