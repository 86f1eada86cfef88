"""What checks found, as badges with reasons, and the picture that another would replace."""

import re
from dataclasses import replace

import pytest

from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import TextLayout
from tests import factories
from tests.admin.test_review_page import REVIEW

pytestmark = pytest.mark.django_db

BADGE = re.compile(
    r'nbc-check-(\w+)".*?nbc-check-name">([^<]*)</span>(?: <span class="[^"]*">([^<]*)</span>)?'
)
DIFFERS = Fidelity(score=0.21, reasons=("detail",), left_out=(), measures={}, regions=())


def badges(client, **query):
    found = BADGE.findall(client.get(REVIEW, query).content.decode())
    return {name: (level, why) for level, name, why in found}


@pytest.mark.parametrize(
    ("checks", "name", "level", "why"),
    [
        ({"fidelity": DIFFERS.as_dict()}, "Product differs", "bad", "Likeness: 21 of 100"),
        ({"drift": {"score": 0.5, "worst": "light"}}, "Look of its series", "good", ""),
        ({"drift": {"score": 2, "worst": "cast"}}, "Off its series", "bad", "The colours are"),
        ({"text_proof": {}}, "Text as requested", "good", ""),
        ({"text_read": {"headline": "Hexbst"}}, "Text differs", "bad", "Hexbst"),
        ({"cutout": {"reasons": ["outline"]}}, "Cut-out doubtful", "bad", "Look at the outline"),
        ({"cutout": {"reasons": []}}, "Cut-out", "good", ""),
        (
            {"size": {"requested": [800, 1000], "actual": [40, 50]}},
            "Another size", "bad", "The picture has 40 × 50 pixels; 800 × 1000 were requested.",
        ),
        ({}, "Ratio and size", "good", "4:5 1K"),
        ({}, "Original product photo, AI background", "unknown", "compositeWithTrained"),
    ],
)  # fmt: skip
def test_a_check_is_a_badge_with_its_reason(root, checks, name, level, why):
    factories.image(factories.product(photo=False), checks=checks)
    found = badges(root)
    assert found[name][0] == level
    assert why in found[name][1]


def test_what_was_not_checked_has_no_badge(root):
    factories.image(factories.product(photo=False))
    assert set(badges(root)) == {"Ratio and size", "Original product photo, AI background"}


def test_layout_and_the_picture_that_is_published_now_are_shown(root):
    mug, layout = factories.product(), factories.layout()
    asked = factories.spec(mug, layout=layout.key)
    former = factories.published(mug, slot="social", asked=asked).image
    factories.image(mug, asked=replace(asked, photo="another.png"))
    page = root.get(REVIEW).content.decode()
    assert TextLayout.objects.get().name in page
    assert f'data-compare="Published now: {former.pk}"' in page
    assert f"/productimage/{former.pk}/{former.sha256[:16]}/original" in page
