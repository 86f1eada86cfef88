"""docs/scenes.md describes the recipe as it is, and every scene that ships."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

import nb_catalog
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery import recipe as recipes
from tests.imaging.composing import SCENES

PAGE = (Path(nb_catalog.__file__).parent.parent / "docs" / "scenes.md").read_text()
PARTS = (
    SceneRecipe, recipes.Material, recipes.Lamp, recipes.Prop, recipes.Mood, recipes.FramingWish,
)  # fmt: skip
VALUES = {
    *recipes.WALLS, *recipes.EDGES, *recipes.LIGHTS, *recipes.SIDES, *recipes.VIEWS,
    *recipes.PROPS, *recipes.SHADOWS, *recipes.PLACES, *recipes.ROOMS,
}  # fmt: skip


def test_the_page_lists_exactly_the_scenes_that_ship():
    table = PAGE.split("## The scenes to start with")[1].split("\n## ")[0]
    listed = re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert sorted(listed) == sorted(SCENES)


def test_the_page_names_every_key_and_value_of_a_recipe():
    named = set(re.findall(r"`([a-z]+)`", PAGE))
    keys = {each.name for kind in PARTS for each in fields(kind)}
    assert keys | VALUES <= named


@pytest.mark.parametrize("example", re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
def test_examples_are_recipes(example):
    assert SceneRecipe.from_mapping(json.loads(example))
