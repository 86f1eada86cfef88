"""Scenes on their way between shops: complete, previewed, and never more than a file may be."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from nb_catalog import storage
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import scene_files, scene_photos
from nb_catalog.generation.scene_files import Action, OnCollision
from nb_catalog.imaging.encode import encode
from nb_catalog.models import Scene
from tests import factories
from tests.imaging.test_backdrop_photo import room

pytestmark = pytest.mark.django_db

OAK = {"surface": {"kind": "oak"}}


def in_photo(key="room", **fields):
    scene = factories.scene(key, **fields)
    data = encode(room((900, 700)), format="jpeg")
    scene_photos.attach(scene, scene_photos.inspect(data), drawn_by_model=True)
    scene.backdrop_place = {**scene.backdrop_place, "x": 0.3}
    scene.save()
    return scene


def exported():
    return scene_files.export(Scene.objects.all())


def planned(data, default=OnCollision.SKIP, **choices):
    return scene_files.plan(scene_files.read(data), choices=choices, default=default)


def archive(entries):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return written.getvalue()


def listed(*rows, **changes):
    content = {"format": scene_files.FORMAT, "version": 1, "scenes": list(rows), **changes}
    return json.dumps(content).encode()


ROW = {"key": "oak", "name": "Oak", "prompt": "An oak table."}


def test_an_exported_scene_comes_back_whole_with_its_photo():
    scene = in_photo(renderer=OAK, system="Be brief.")
    data, photo = exported(), storage.read(str(scene.backdrop))
    before = Scene.objects.values().get()
    scene.delete()
    counts = scene_files.apply(planned(data))
    assert counts[Action.ADD] == 1
    after = Scene.objects.values().get()
    new = {"id": 0, "version": 0, "created_at": None}
    assert {**after, **new} == {**before, **new}
    assert storage.read(str(Scene.objects.get().backdrop)) == photo


def test_a_scene_that_is_the_same_here_is_left_alone():
    in_photo()
    (change,) = planned(exported(), OnCollision.REPLACE)
    assert change.action == Action.SAME
    scene_files.apply([change])
    assert Scene.objects.get().version == 2


@pytest.mark.parametrize(
    ("chosen", "keys", "prompt"),
    [
        (OnCollision.SKIP, ["oak"], "Mine."),
        (OnCollision.REPLACE, ["oak"], "An oak table."),
        (OnCollision.RENAME, ["oak", "oak-2"], "Mine."),
    ],
)
def test_a_key_that_exists_is_skipped_replaced_or_renamed(chosen, keys, prompt):
    factories.scene("oak", prompt="Mine.", renderer={})
    (change,) = planned(listed(ROW), oak=chosen)
    assert change.differences == ("prompt",) and change.action.value == chosen.value
    assert Scene.objects.count() == 1, "a plan writes nothing"
    scene_files.apply([change])
    assert sorted(Scene.objects.values_list("key", flat=True)) == keys
    assert Scene.objects.get(key="oak").prompt == prompt
    assert Scene.objects.get(key="oak").version == (2 if chosen == OnCollision.REPLACE else 1)


def test_a_new_key_is_one_that_nobody_has():
    for key in ("oak", "oak-2"):
        factories.scene(key, prompt="Mine.")
    rows = listed(ROW, {**ROW, "key": "oak-3"})
    changes = planned(rows, OnCollision.RENAME)
    assert [each.key for each in changes] == ["oak-4", "oak-3"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither a ZIP file nor JSON"),
        (b"[" * 100_000, "neither a ZIP file nor JSON"),
        (b"PK\x03\x04 and no more", "not a ZIP file that can be read"),
        (b"{}", "does not hold scenes"),
        (listed(ROW, version=2), "version 2 of the format"),
        (listed(), "1 to 200 scenes"),
        (listed(*[ROW] * 201), "1 to 200 scenes"),
        (listed(ROW, ROW), "the key is used twice"),
        (listed({**ROW, "key": "a b"}), "Scene a b: "),
        (listed({**ROW, "name": ""}), "Scene oak: "),
        (listed({**ROW, "name": 7}), "name: expected a text"),
        (listed({**ROW, "prompt": "a\x00b"}), "control character"),
        (listed({**ROW, "prompt": ""}), "neither a prompt nor a photo"),
        (listed({**ROW, "position": -1}), "position: expected a whole number"),
        (listed({**ROW, "renderer": {"surface": {"kind": "gold"}}}), "'gold' is not accepted"),
        (listed({**ROW, "backdrop": {"file": "../../etc/passwd"}}), "its photo is not in the file"),
        (listed("oak"), "expected an object"),
        (archive({"scenes.json": listed(ROW), "../evil.jpg": b"x"}), "does not belong"),
        (archive({"/etc/passwd": b"x"}), "does not belong"),
        (archive({"photos/" + "0" * 64 + ".jpg": b"x"}), "has no scenes.json"),
        (archive({"scenes.json": b" " * (scene_files.MAX_LIST_BYTES + 1)}), "larger than 2,097,152"),
        (archive({f"photos/{n:064x}.jpg": b"" for n in range(202)}), "202 entries"),
    ],
)  # fmt: skip
def test_a_file_that_means_harm_or_is_another_is_refused_with_a_sentence(data, words):
    with pytest.raises(RequestRefused, match=words.replace("(", r"\(")):
        scene_files.read(data)


def test_an_entry_that_unpacks_to_more_than_a_picture_may_have_is_not_unpacked(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 1_000_000}
    bomb = archive({"scenes.json": listed(ROW), "photos/" + "0" * 64 + ".jpg": bytes(50_000_000)})
    assert len(bomb) < 100_000
    with pytest.raises(RequestRefused, match="larger than 1,000,000 bytes"):
        scene_files.read(bomb)


def test_a_photo_that_was_changed_or_is_none_is_refused():
    in_photo()
    with zipfile.ZipFile(io.BytesIO(exported())) as made:
        entries = {name: made.read(name) for name in made.namelist()}
    (name,) = [each for each in entries if each.startswith("photos/")]
    other = encode(room((800, 700)), format="jpeg")
    for content, words in ((other, "was changed after the export"), (b"text", "not a picture")):
        with pytest.raises(RequestRefused, match=words):
            scene_files.read(archive({**entries, name: content}))


def test_the_command_shows_then_writes(tmp_path, capsys):
    in_photo()
    file = tmp_path / "scenes.zip"
    call_command("nb_scenes", "export", str(file))
    Scene.objects.all().delete()
    call_command("nb_scenes", "import", str(file), "--dry-run")
    assert "add" in capsys.readouterr().out and not Scene.objects.exists()
    call_command("nb_scenes", "import", str(file))
    assert Scene.objects.get().backdrop_sha256
    with pytest.raises(CommandError, match="no scene nothing"):
        call_command("nb_scenes", "export", str(file), "nothing")
    with pytest.raises(CommandError, match="No such file"):
        call_command("nb_scenes", "import", str(tmp_path / "missing.zip"))


def test_the_admin_shows_what_a_file_changes_and_then_changes_it(client):
    client.force_login(factories.superuser())
    in_photo()
    answer = client.get(reverse("admin:nb_catalog_scene_export"))
    assert answer["Content-Type"] == "application/zip"
    data = answer.content
    Scene.objects.update(prompt="Mine.")
    url = reverse("admin:nb_catalog_scene_import")
    page = client.post(url, {"file": io.BytesIO(data)})
    told = page.content.decode()
    assert "nothing has been changed yet" in told and 'name="existing-room"' in told
    assert Scene.objects.get().prompt == "Mine."
    sent = {"token": page.context["token"], "existing-room": "rename", "apply": ""}
    client.post(url, sent)
    assert sorted(Scene.objects.values_list("key", flat=True)) == ["room", "room-2"]
    again = client.post(url, {**sent, "token": "forged"}).content.decode()
    assert "no longer there" in again
    refused = client.post(url, {"file": io.BytesIO(b"nothing")}).content.decode()
    assert "neither a ZIP file nor JSON" in refused


def test_only_those_who_may_change_scenes_import_and_only_readers_of_prompts_export(client):
    client.force_login(factories.staff())
    assert client.get(reverse("admin:nb_catalog_scene_import")).status_code == 403
    assert client.get(reverse("admin:nb_catalog_scene_export")).status_code == 403
