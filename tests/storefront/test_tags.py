"""Template tags and what they draw: escaped, whoever wrote it."""

import html
import json
import re
from html.parser import HTMLParser

import pytest
from django.template import engines
from django.test import RequestFactory
from jinja2 import Environment

from nb_catalog import storefront
from nb_catalog.models import Placement
from tests import factories
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

HOSTILE = "\"'><script>alert(1)</script>&{{ x }}"


def draw(text, **context):
    request = context.pop("request", None)
    return engines["django"].from_string("{% load nb_catalog %}" + text).render(context, request)


class Elements(HTMLParser):
    """Start tags in order, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def __getitem__(self, tag):
        [attributes] = [attributes for name, attributes in self.found if name == tag]
        return attributes

    @property
    def tags(self):
        return [tag for tag, _attributes in self.found]


@pytest.fixture
def mug():
    mug = factories.product(name="Blue mug")
    factories.published(mug)
    return mug


def test_a_picture_has_modern_sources_and_a_jpeg(mug):
    drawn = Elements(draw('{% catalog_picture mug "hero" sizes="50vw" %}', mug=mug))
    assert drawn.tags == ["picture", "source", "source", "img"]
    avif, webp = (attributes for tag, attributes in drawn.found if tag == "source")
    assert (avif["type"], webp["type"]) == ("image/avif", "image/webp")
    assert avif["srcset"].endswith(".avif 40w")
    assert avif["sizes"] == webp["sizes"] == "50vw"
    assert drawn["img"] == {
        "src": drawn["img"]["src"],
        "srcset": drawn["img"]["src"] + " 40w",
        "sizes": "50vw",
        "width": "40",
        "height": "50",
        "alt": "Blue mug",
        "loading": "lazy",
        "decoding": "async",
        "data-digital-source-type": "compositeWithTrainedAlgorithmicMedia",
    }
    assert drawn["img"]["src"].endswith(".jpg")


def test_a_picture_takes_attributes(mug):
    text = (
        '{% catalog_picture mug "hero" sizes="auto, 100vw" class_="hero wide" loading="eager"'
        ' fetchpriority="high" decoding="sync" alt="Made for you" %}'
    )
    image = Elements(draw(text, mug=mug))["img"]
    assert image["class"] == "hero wide"
    assert (image["loading"], image["fetchpriority"], image["decoding"]) == (
        "eager",
        "high",
        "sync",
    )
    assert image["alt"] == "Made for you"
    assert image["sizes"] == "auto, 100vw"


def test_a_picture_that_only_decorates_has_an_empty_alt(mug):
    assert Elements(draw('{% catalog_picture mug "hero" alt="" %}', mug=mug))["img"]["alt"] == ""


def test_a_misspelt_attribute_is_an_error_and_not_ignored(mug):
    with pytest.raises(TypeError, match="laoding"):
        draw('{% catalog_picture mug "hero" laoding="eager" %}', mug=mug)


def test_a_page_says_language_and_position(mug):
    german = factories.published(mug, locale="de", position=1)
    drawn = draw('{% catalog_picture mug "hero" locale="de" position=1 %}', mug=mug)
    assert german.picture_data["src"] in drawn


def test_with_as_the_template_gets_the_value(mug):
    text = (
        '{% catalog_picture mug "hero" as picture %}'
        "{{ picture.width }}x{{ picture.height }} {{ picture.origin }} {{ picture.alt }}"
    )
    assert draw(text, mug=mug) == "40x50 compositeWithTrainedAlgorithmicMedia Blue mug"


def test_without_a_published_picture_the_own_photo_is_drawn():
    mug = factories.product()
    image = Elements(draw('{% catalog_picture mug "hero" sizes="50vw" %}', mug=mug))["img"]
    assert image["src"] == mug.packshot.url
    assert image["alt"] == mug.name
    assert not {"width", "height", "srcset", "sizes", "data-digital-source-type"} & set(image)


@pytest.mark.parametrize(
    "text",
    [
        '{% catalog_picture mug "hero" %}',
        '{% catalog_image_url mug "hero" width=640 %}',
        '{% catalog_jsonld mug "hero" %}',
        '{% catalog_pictures mug "hero" as found %}{% for each in found %}x{% endfor %}',
        '{% catalog_picture mug "hero" as found %}{% if found %}x{% endif %}',
        '{% catalog_jsonld mug "hero" as found %}{% if found %}x{% endif %}',
        '{% catalog_picture misspelt "hero" %}',
        '{% catalog_image_url misspelt "hero" %}',
        '{% catalog_jsonld misspelt "hero" %}',
        '{% catalog_pictures misspelt "hero" as found %}{% for each in found %}x{% endfor %}',
        '{% catalog_prefetch misspelt "hero" as found %}{% for each in found %}x{% endfor %}',
    ],
)
def test_nothing_to_show_is_an_empty_string(text):
    assert draw(text, mug=factories.product(photo=False)) == ""


def test_a_list_of_pictures_can_be_looped_over(mug):
    for position in range(3):
        factories.published(mug, slot="gallery", position=position)
    text = (
        '{% catalog_pictures mug "gallery" as pictures %}'
        "{% for each in pictures %}{{ each.position }}{% endfor %}"
    )
    assert draw(text, mug=mug) == "012"


def test_the_pictures_of_a_list_can_be_drawn(mug):
    for position in range(2):
        factories.published(mug, slot="gallery", position=position)
    text = (
        '{% catalog_pictures mug "gallery" as pictures %}'
        '{% for each in pictures %}{% catalog_picture each sizes="25vw" %}{% endfor %}'
    )
    found = Elements(draw(text, mug=mug))
    assert found.tags == ["picture", "source", "source", "img"] * 2
    images = [attributes for tag, attributes in found.found if tag == "img"]
    assert [image["sizes"] for image in images] == ["25vw", "25vw"]
    assert images[0]["src"] != images[1]["src"]


def test_an_address_is_escaped_for_its_place(mug):
    _spoil(src="/a?x=1&y=<2>", srcsets={"jpeg": "/b?x=1&y=2 320w"})
    assert draw('{% catalog_image_url mug "hero" %}', mug=mug) == "/a?x=1&amp;y=&lt;2&gt;"
    assert draw('{% catalog_image_url mug "hero" width=9 %}', mug=mug) == "/b?x=1&amp;y=2"


def _spoil(**changes):
    placement = Placement.objects.get()
    placement.picture_data = {**placement.picture_data, **changes}
    placement.save()


def test_hostile_values_stay_inside_their_attributes(mug):
    Mug.objects.update(name=HOSTILE)
    mug.refresh_from_db()
    kinds = ("avif", "webp", "jpeg")
    _spoil(src=HOSTILE, origin=HOSTILE, srcsets=dict.fromkeys(kinds, HOSTILE))
    text = '{% catalog_picture mug "hero" sizes=bad class_=bad loading=bad fetchpriority=bad %}'
    drawn = draw(text, mug=mug, bad=HOSTILE)
    found = Elements(drawn)
    assert found.tags == ["picture", "source", "source", "img"]
    image = found["img"]
    assert set(image) == {
        "src",
        "srcset",
        "sizes",
        "width",
        "height",
        "alt",
        "class",
        "loading",
        "decoding",
        "fetchpriority",
        "data-digital-source-type",
    }
    expected = html.unescape(html.escape(HOSTILE))
    for name in ("src", "srcset", "sizes", "alt", "class", "data-digital-source-type"):
        assert image[name] == expected, name
    assert "<script" not in drawn


def test_sizes_that_are_no_numbers_are_not_drawn(mug):
    _spoil(width='1" onload="alert(1)', height=1)
    with pytest.raises(ValueError, match="format code 'd'"):
        draw('{% catalog_picture mug "hero" %}', mug=mug)


def test_a_format_that_nobody_knows_is_not_drawn(mug):
    _spoil(srcsets={'"><script>': "/x 1w", "jpeg": "/y 1w"})
    assert Elements(draw('{% catalog_picture mug "hero" %}', mug=mug)).tags == ["picture", "img"]


def test_search_engines_are_told_who_made_the_picture(mug):
    request = RequestFactory().get("/", secure=True, SERVER_NAME="shop.example")
    drawn = draw('{% catalog_jsonld mug "hero" %}', mug=mug, request=request)
    assert Elements(drawn)["script"] == {"type": "application/ld+json"}
    told = json.loads(re.sub(r"</?script[^>]*>", "", drawn))
    assert told == {
        "@context": "https://schema.org",
        "@type": "ImageObject",
        "contentUrl": told["contentUrl"],
        "width": 40,
        "height": 50,
        "caption": "Blue mug",
        "digitalSourceType": (
            "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource"
        ),
    }
    assert told["contentUrl"].startswith("https://shop.example/media/nb_catalog/renditions/")


def test_an_own_photo_is_not_told_to_be_made():
    assert draw('{% catalog_jsonld mug "hero" %}', mug=factories.product()) == ""


def test_an_address_with_a_host_stays_as_it_is(mug):
    for address in ("https://cdn.example/a.jpg", "//cdn.example/a.jpg"):
        _spoil(src=address)
        told = storefront.structured_data_for(mug, "hero", base_url="https://shop.example")
        assert told["contentUrl"] == address


def test_hostile_text_does_not_leave_its_script(mug):
    Mug.objects.update(name="</script><!--<script>&\u2028")
    mug.refresh_from_db()
    drawn = draw('{% catalog_jsonld mug "hero" %}', mug=mug)
    assert drawn.count("<") == 2
    told = json.loads(re.sub(r"</?script[^>]*>", "", drawn))
    assert told["caption"] == "</script><!--<script>&\u2028"


def test_a_template_can_fetch_a_whole_page_at_once(django_assert_num_queries):
    for _n in range(4):
        factories.published()
    text = (
        '{% catalog_prefetch mugs "hero" as mugs %}'
        '{% for mug in mugs %}{% catalog_picture mug "hero" %}{% endfor %}'
    )
    with django_assert_num_queries(2):
        assert draw(text, mugs=Mug.objects.all()).count("<picture>") == 4


def test_jinja_draws_with_plain_functions(mug):
    jinja = Environment(autoescape=True)
    jinja.globals.update(
        picture_for=storefront.picture_for, structured_data_for=storefront.structured_data_for
    )
    text = (
        '{{ picture_for(mug, "hero", sizes="50vw") }}'
        '{{ structured_data_for(mug, "hero") }}{{ picture_for(mug, "hero").alt }}'
    )
    Mug.objects.update(name="<b>")
    mug.refresh_from_db()
    drawn = jinja.from_string(text).render(mug=mug)
    assert Elements(drawn).tags == ["picture", "source", "source", "img", "script"]
    assert drawn.endswith("&lt;b&gt;")


def test_django_and_jinja_draw_the_same(mug):
    picture = storefront.picture_for(mug, "hero", sizes="50vw", class_="x")
    drawn = draw('{% catalog_picture mug "hero" sizes="50vw" class_="x" %}', mug=mug)
    assert picture.__html__() == drawn
    plain = storefront.picture_for(mug, "hero")
    assert plain.with_attributes(sizes="50vw", class_="x").__html__() == drawn
    assert plain.with_attributes(alt="Another").alt == "Another"
