"""Scenes as files: written by one shop, read by another, with a preview of what would change."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.core.text import unwritable
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.generation import scene_photos
from nb_catalog.generation.scene_photos import ScenePhoto
from nb_catalog.imaging.provenance import KNOWN_TERMS, DigitalSourceType
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.models import Scene

FORMAT: Final = "nb_catalog scenes"
VERSION: Final = 1
LIST: Final = "scenes.json"
# Bounds of a file, so that reading one takes a bounded time and memory.
MAX_BYTES: Final = 256 * 2**20
MAX_LIST_BYTES: Final = 2 * 2**20
MAX_SCENES: Final = 200
MAX_TEXT: Final = 20_000
PHOTO_NAME: Final = re.compile(r"photos/([0-9a-f]{64})\.(?:jpg|png|webp|avif|bin)")
TEXTS: Final = ("name", "prompt", "system")
CONTENT: Final = ("name", "prompt", "system", "renderer")


class OnCollision(StrEnum):
    """What becomes of a scene whose key exists already with another content."""

    RENAME = "rename"
    REPLACE = "replace"
    SKIP = "skip"


class Action(StrEnum):
    """What an import does with a scene of a file."""

    ADD = "add"
    RENAME = "rename"
    REPLACE = "replace"
    SKIP = "skip"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileScene:
    """A scene as a file describes it; ``photo`` is its photo of a place, if it has one."""

    key: str
    name: str
    prompt: str
    system: str
    renderer: Mapping[str, Any]
    position: int
    is_active: bool
    place: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
    photo: ScenePhoto | None = field(default=None, repr=False)
    photo_sha256: str = ""

    def differences(self, scene: Scene) -> tuple[str, ...]:
        """Return the names of the parts in which ``scene`` is different."""
        names = [name for name in CONTENT if getattr(self, name) != getattr(scene, name)]
        if self.photo_sha256 != scene.backdrop_sha256:
            names.append("backdrop")
        elif self.photo_sha256 and dict(self.place) != scene.backdrop_place:
            names.append("backdrop_place")
        return tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an import does with one scene; ``key`` is the one that it gets here."""

    scene: FileScene
    action: Action
    key: str
    differences: tuple[str, ...] = ()


def export(scenes: Iterable[Scene]) -> bytes:
    """Return a ZIP file of ``scenes`` with their photos. Raises ``StorageFailed``, ``PictureMissing``."""
    rows, photos = [], {}
    for scene in scenes:
        row: dict[str, Any] = {
            name: getattr(scene, name) for name in ("key", *CONTENT, "position", "is_active")
        }
        if scene.backdrop_sha256:
            data = storage.read(str(scene.backdrop))
            extension = str(scene.backdrop).rpartition(".")[2]
            name = f"photos/{scene.backdrop_sha256}.{extension}"
            photos[name] = data
            row["backdrop"] = {
                "file": name,
                "origin": scene.backdrop_origin,
                "place": scene.backdrop_place,
            }
        rows.append(row)
    content = {"format": FORMAT, "version": VERSION, "scenes": rows}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        text = json.dumps(content, ensure_ascii=False, indent=2)
        archive.writestr(LIST, text, compress_type=zipfile.ZIP_DEFLATED)
        for name, data in photos.items():
            # Pictures are compressed already.
            archive.writestr(name, data, compress_type=zipfile.ZIP_STORED)
    return written.getvalue()


def read(data: bytes) -> tuple[FileScene, ...]:
    """Return the scenes of an exported ZIP file, or of its list alone.

    Raises ``RequestRefused`` with every reason why the file is not accepted; nothing is written.
    """
    if len(data) > MAX_BYTES:
        raise RequestRefused(
            _("The file has more than %(most)s MB. Export fewer scenes at a time.")
            % {"most": MAX_BYTES // 2**20}
        )
    photos: dict[str, bytes] = {}
    if data.startswith(b"PK"):
        text, photos = _unpack(data)
    else:
        text = data
    return _parse(text, photos)


def plan(
    scenes: Sequence[FileScene], *, choices: Mapping[str, OnCollision], default: OnCollision
) -> tuple[Change, ...]:
    """Return what importing ``scenes`` would do; ``choices`` are by key, for keys that exist."""
    existing = {scene.key: scene for scene in Scene.objects.all()}
    taken = {*existing, *(each.key for each in scenes)}
    changes = []
    for each in scenes:
        present = existing.get(each.key)
        if present is None:
            changes.append(Change(scene=each, action=Action.ADD, key=each.key))
            continue
        differences = each.differences(present)
        if not differences:
            changes.append(Change(scene=each, action=Action.SAME, key=each.key))
            continue
        chosen, key = choices.get(each.key, default), each.key
        if chosen == OnCollision.RENAME:
            longest = Scene._meta.get_field("key").max_length or len(each.key)
            ends = (f"-{number}" for number in range(2, MAX_SCENES + len(taken) + 3))
            free = (each.key[: longest - len(end)] + end for end in ends)
            key = next(made for made in free if made not in taken)
            taken.add(key)
        changes.append(
            Change(scene=each, action=Action(chosen.value), key=key, differences=differences)
        )
    return tuple(changes)


def apply(changes: Sequence[Change]) -> Mapping[Action, int]:
    """Write ``changes`` in one transaction; return how many scenes were added, replaced and so on.

    Raises ``StorageFailed``.
    """
    counts = dict.fromkeys(Action, 0)
    with transaction.atomic():
        for change in changes:
            counts[change.action] += 1
            if change.action in (Action.SKIP, Action.SAME):
                continue
            scene = Scene(key=change.key)
            if change.action == Action.REPLACE:
                scene = Scene.objects.select_for_update().get(key=change.key)
            else:
                scene.position, scene.is_active = change.scene.position, change.scene.is_active
            incoming = change.scene
            for name in CONTENT:
                setattr(scene, name, getattr(incoming, name))
            if incoming.photo is None:
                scene_photos.detach(scene)
            else:
                by_model = bool(incoming.origin) and DigitalSourceType(incoming.origin).made_with_ai
                scene_photos.attach(scene, incoming.photo, drawn_by_model=by_model)
                scene.backdrop_place = dict(incoming.place)
            scene.save()
    return counts


def _unpack(data: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return the list and the photos of a ZIP file, of which no entry is larger than it may be."""
    photos: dict[str, bytes] = {}
    text: bytes | None = None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_SCENES + 1:
                raise RequestRefused(
                    _("The file has %(number)s entries; %(most)s are accepted.")
                    % {"number": len(entries), "most": MAX_SCENES + 1}
                )
            left = MAX_BYTES
            for entry in entries:
                most = MAX_LIST_BYTES if entry.filename == LIST else settings.MAX_PICTURE_BYTES
                if entry.filename != LIST and not PHOTO_NAME.fullmatch(entry.filename):
                    raise RequestRefused(
                        _("The entry %(name)r does not belong into a file of scenes.")
                        % {"name": entry.filename[:80]}
                    )
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    # Others allocate whatever memory their header asks for.
                    raise zipfile.BadZipFile("compression")
                # What an entry claims to be is not what it is: it is read no further than it may be.
                with archive.open(entry) as opened:
                    content = opened.read(min(most, left) + 1)
                if len(content) > min(most, left):
                    raise RequestRefused(
                        _("The entry %(name)r is larger than %(most)s bytes when it is unpacked.")
                        % {"name": entry.filename[:80], "most": f"{min(most, left):,}"}
                    )
                left -= len(content)
                if entry.filename == LIST:
                    text = content
                else:
                    photos[entry.filename] = content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: encrypted. NotImplementedError: a compression that Python does not have.
        raise RequestRefused(
            _("The file is not a ZIP file that can be read (%(error)s). Export it again.")
            % {"error": type(error).__name__}
        ) from error
    if text is None:
        raise RequestRefused(
            _("The file has no %(name)s: it was not exported here.") % {"name": LIST}
        )
    return text, photos


def _parse(text: bytes, photos: Mapping[str, bytes]) -> tuple[FileScene, ...]:
    if len(text) > MAX_LIST_BYTES:
        raise RequestRefused(
            _("The list of scenes has more than %(most)s bytes.") % {"most": f"{MAX_LIST_BYTES:,}"}
        )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(
            _("The file is neither a ZIP file nor JSON. Choose one that was exported as scenes.")
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RequestRefused(_("The file does not hold scenes of this catalog."))
    if content.get("version") != VERSION:
        raise RequestRefused(
            _("The file has version %(version)s of the format; this site reads version %(known)s.")
            % {"version": str(content.get("version"))[:20], "known": VERSION}
        )
    rows = content.get("scenes")
    if not isinstance(rows, list) or not rows or len(rows) > MAX_SCENES:
        raise RequestRefused(_("The file must hold 1 to %(most)s scenes.") % {"most": MAX_SCENES})
    scenes: list[FileScene] = []
    objections: list[str] = []
    for number, row in enumerate(rows, start=1):
        try:
            scenes.append(_scene(row, photos))
        except (ValueError, ValidationError, NBCatalogError) as error:
            named = row.get("key") if isinstance(row, dict) else None
            where = str(named)[:60] if isinstance(named, str) else str(number)
            reason = " ".join(error.messages) if isinstance(error, ValidationError) else error
            objections.append(_("Scene %(scene)s: %(reason)s") % {"scene": where, "reason": reason})
    keys = [each.key for each in scenes]
    objections += [
        _("Scene %(scene)s: the key is used twice.") % {"scene": key}
        for key in sorted({key for key in keys if keys.count(key) > 1})
    ]
    if objections:
        raise RequestRefused(*objections)
    return tuple(scenes)


def _scene(row: Any, photos: Mapping[str, bytes]) -> FileScene:
    """Return the scene of one row. Raises ``ValueError``, ``ValidationError``, ``NBCatalogError``."""
    if not isinstance(row, dict):
        raise ValueError(_("expected an object with a key and a name."))
    texts: dict[str, Any] = {name: row.get(name, "") for name in ("key", *TEXTS)}
    for name, value in texts.items():
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise ValueError(
                _("%(name)s: expected a text of at most %(most)s characters.")
                % {"name": name, "most": f"{MAX_TEXT:,}"}
            )
        if problems := unwritable(value):
            raise ValueError(f"{name}: {problems[0]}")
    renderer = row.get("renderer") or {}
    if renderer:
        SceneRecipe.from_mapping(renderer)
    position = row.get("position", 0)
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= 32767:
        raise ValueError(_("position: expected a whole number from 0 to 32767."))
    is_active = row.get("is_active", True)
    if not isinstance(is_active, bool):
        raise ValueError(_("is_active: expected true or false."))
    backdrop = row.get("backdrop")
    attached = _photo(backdrop, photos) if backdrop is not None else {}
    if not texts["prompt"] and not attached:
        raise ValueError(_("it has neither a prompt nor a photo."))
    made = FileScene(**texts, renderer=renderer, position=position, is_active=is_active, **attached)
    Scene(key=made.key, name=made.name, prompt=made.prompt).clean_fields(
        exclude=["renderer", "backdrop_place"]
    )
    return made


def _photo(backdrop: Any, photos: Mapping[str, bytes]) -> dict[str, Any]:
    if not isinstance(backdrop, dict):
        raise ValueError(_("backdrop: expected an object with a file and a place."))
    name, origin = backdrop.get("file"), backdrop.get("origin", "")
    match = PHOTO_NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or not isinstance(name, str) or name not in photos:
        raise ValueError(_("backdrop: its photo is not in the file. Export with photos, as ZIP."))
    if origin and origin not in KNOWN_TERMS:
        raise ValueError(_("backdrop: the origin is not a known one."))
    photo = scene_photos.inspect(photos[name])
    if photo.sha256 != match.group(1):
        raise ValueError(_("backdrop: the photo was changed after the export."))
    place = BackdropPlace.from_mapping(backdrop.get("place", {})).as_dict()
    return {"photo": photo, "photo_sha256": photo.sha256, "place": place, "origin": origin}
