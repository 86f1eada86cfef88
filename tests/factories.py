"""Rows that tests begin with: real pictures in the real storage, nothing mocked."""

from collections import Counter
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from itertools import count

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission as PermissionRow
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from nb_catalog import copydecks, storage
from nb_catalog import series as catalog_series
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import JOB_LIVE, ImageState, JobState
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.models import (
    CopyDeck,
    Experiment,
    GalleryDelivery,
    ImageJob,
    PhotoCutout,
    ProductImage,
    Run,
    Scene,
    TextLayout,
)
from nb_catalog.models.db.money import micros
from nb_catalog.models.generic import object_key
from nb_catalog.models.photos import photo_key
from nb_catalog.publishing import placements
from nb_catalog.registry import read_photo, source_for
from nb_catalog.series.looks import look_of
from tests.catalog.models import Mug, Poster, PosterPhoto

_numbers = count(1)

VIEWS = tuple(
    f"nb_catalog.view_{name}"
    for name in (
        "productimage",
        "run",
        "imagejob",
        "placement",
        "scene",
        "textlayout",
        "copydeck",
        "photocutout",
        "series",
    )
)
VIEW_PRODUCTS = tuple(f"testcatalog.view_{name}" for name in ("mug", "poster", "vase"))

# What this project promises never to send, and Google accepts: ``GeminiServer(**OUR_RULES)``.
OUR_RULES = {"require_store_false": True, "refuse_sampling": True}


def photo_bytes(size=(120, 150), *, colour=(32, 84, 160), ground="white", kind="PNG"):
    """A round-cornered product in ``colour`` on a plain ``ground``, as encoded bytes."""
    picture = Image.new("RGB", size, ground)
    width, height = size
    box = (width // 4, height // 5, width * 3 // 4, height * 4 // 5)
    ImageDraw.Draw(picture).rounded_rectangle(box, radius=width // 12, fill=colour)
    written = BytesIO()
    picture.save(written, kind)
    return written.getvalue()


def product(*, photo=True, **fields):
    """A mug (integer key) with a packshot; ``photo`` may be bytes, or False for none."""
    number = next(_numbers)
    mug = Mug(**{"name": f"Mug {number}", "colour": "blue"} | fields)
    if photo:
        data = photo if isinstance(photo, bytes) else photo_bytes()
        mug.packshot.save(f"mug-{number}.png", ContentFile(data), save=False)
    mug.save()
    return mug


def poster(*, photos=1, **fields):
    """A poster (UUID key) with ``photos`` pictures in a related table."""
    made = Poster.objects.create(**{"title": f"Poster {next(_numbers)}"} | fields)
    for position in range(photos):
        photo = PosterPhoto(poster=made, position=position)
        photo.image.save(f"poster-{next(_numbers)}.png", ContentFile(photo_bytes()), save=True)
    return made


def scene(key="marble", **fields):
    """A scene that the local renderer can make too; the one with this key when it is there."""
    defaults = {
        "name": key.replace("-", " ").capitalize(),
        "prompt": "A quiet surface in soft light from the left.",
        "renderer": {"surface": {"kind": "paper", "tone": "#f6f5f3"}},
    }
    return Scene.objects.get_or_create(key=key, defaults=defaults | fields)[0]


def series(*members, key="autumn", **fields):
    """A series of mugs, or of the model of its ``members``, in the scene "marble" and the slot "hero"."""
    of = source_for(members[0]) if members else source_for(Mug)
    options = {"name": key.capitalize(), "scene": scene(), "slot": "hero", "model": of.model}
    made = catalog_series.create(key=key, **options | fields)
    catalog_series.add(made, members)
    return made


def layout(key="banner", **fields):
    """A headline across the top and a price below; the one with this key when it is there."""
    content = {
        "boxes": [
            {
                "role": "headline",
                "place": {"start": 0.05, "top": 0.02, "width": 0.9, "height": 0.09},
                "scrim": {},
            },
            {
                "role": "price",
                "place": {"start": 0.05, "top": 0.91, "width": 0.6, "height": 0.08},
                "plate": {"colour": "#202020"},
                "optional": True,
            },
        ]
    }
    defaults = {"name": key.replace("-", " ").capitalize(), "content": content}
    return TextLayout.objects.get_or_create(key=key, defaults=defaults | fields)[0]


def run(*, estimate_usd="0", budget_usd=None, spent_usd="0", **fields):
    number = next(_numbers)
    defaults = {
        "plan_key": f"plan-{number}",
        "title": f"Run {number}",
        "tier": "draft",
        "estimate_microusd": micros(Decimal(estimate_usd)),
        "budget_microusd": None if budget_usd is None else micros(Decimal(budget_usd)),
        "spent_microusd": micros(Decimal(spent_usd)),
    }
    return Run.objects.create(**defaults | fields)


def counts_of(run):
    """Jobs of ``run`` by state, counted at this moment."""
    return Counter(run.jobs.values_list("state", flat=True))


def spec(about, **changes):
    """A recipe for ``about`` that no other call of this function has made."""
    defaults = {
        "object_type": source_for(about).label,
        "object_id": str(about.pk),
        "photo": f"photo-{next(_numbers)}.png",
        "scene": "marble",
        "scene_version": 1,
        "treatment": "locked",
        "ratio": "4:5",
        "size": "1K",
        "provider": "local",
        "model": "local-studio",
        "prompt": "words that only those may read who may generate",
        "system": "system words that only those may read who may generate",
    }
    return ImageSpec(**defaults | changes)


def subject(about):
    """The columns that say which object a picture of ``about`` is kept under."""
    type_id, key = object_key(about)
    return {"content_type": ContentType.objects.get_for_id(type_id), "object_id": key}


def job(about=None, *, of=None, state=JobState.QUEUED, asked=None, **fields):
    """A job of the run ``of`` for the product ``about``; both are made when they are left out."""
    about = about or product(photo=False)
    asked = asked or spec(about)
    defaults = {
        "run": of or run(),
        **subject(about),
        "spec": asked.as_dict(),
        "fingerprint": asked.fingerprint,
        "live_key": asked.fingerprint if state in JOB_LIVE else None,
        "tier": "draft",
        "provider": asked.provider,
        "model": asked.model,
        "is_free": asked.provider == "local",
        "state": state,
    }
    return ImageJob.objects.create(**defaults | fields)


def image(about=None, *, state=ImageState.PENDING, size=(40, 50), data=None, asked=None, **fields):
    """A made picture of the product ``about``, stored for real. No two have the same bytes."""
    about = about or product(photo=False)
    number = next(_numbers)
    asked = asked or spec(about)
    colour = (number % 251, number // 251 % 251, 90)
    data = data or photo_bytes(size, colour=colour)
    stored = storage.store(data, folder="originals", mime_type="image/png")
    defaults = {
        **subject(about),
        "file": stored.name,
        "sha256": stored.sha256,
        "mime_type": "image/png",
        "width": size[0],
        "height": size[1],
        "byte_size": len(data),
        "spec": asked.as_dict(),
        "fingerprint": asked.fingerprint,
        "request_hash": asked.request_hash,
        "scene": asked.scene,
        "series": asked.series or None,
        "variant": asked.product_variant,
        "words": asked.words,
        "tier": "draft",
        "state": state,
        "digital_source_type": DigitalSourceType.COMPOSITE_WITH_MODEL,
    }
    return ProductImage.objects.create(**defaults | fields)


def published(about=None, *, slot="hero", locale="", position=0, actor=None, **fields):
    """A placement with real renditions: an approved picture, published."""
    made = image(about, state=ImageState.APPROVED, **fields)
    return placements.publish(made, slot=slot, locale=locale, position=position, actor=actor)


def staff(*permissions, views=True, name=""):
    """A member of staff who may view everything of ours, unless ``views`` is False, and has
    ``permissions`` such as ``Permission.REVIEW`` or "nb_catalog.review"."""
    user = get_user_model().objects.create_user(
        name or f"staff-{next(_numbers)}", password="secret", is_staff=True
    )
    for each in (*permissions, *(VIEWS if views else ())):
        app, codename = str(each).split(".")
        user.user_permissions.add(
            PermissionRow.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def superuser(name=""):
    return get_user_model().objects.create_superuser(
        name or f"root-{next(_numbers)}", password="secret"
    )


def experiment(*products, actor=None, name="Which one", **fields):
    """An experiment with the scene "marble" and another prompt for it, and a picture in each for every one of
    ``products``, without a run."""
    look = look_of(scene())
    edited = {**look, "prompt": "A weathered oak board in warm light.", "version": 0}
    made = Experiment.objects.create(
        name=name, content_type=subject(products[0])["content_type"], arm_a=look, arm_b=edited,
        options={"ratio": "4:5", "slot": "", "tier": "draft", "treatment": "painted"},
        **{"actor": actor, **fields},
    )  # fmt: skip
    for position, each in enumerate(products, start=1):
        first, second = (
            image(each, asked=spec(each, prompt=which["prompt"]), size=(80, 100))
            for which in (look, edited)
        )
        made.pairs.create(
            **subject(each), position=position,
            fingerprint_a=first.fingerprint, fingerprint_b=second.fingerprint,
        )  # fmt: skip
    return made


def deck(key="autumn", *, locale="en", **texts):
    """A copy deck; ``texts`` are locale -> {role: text}, "pt_br" standing for "pt-br"."""
    made = CopyDeck.objects.get_or_create(
        key=key, defaults={"name": key.capitalize(), "locale": locale}
    )[0]
    said = {
        (code.replace("_", "-"), role): text
        for code, roles in texts.items()
        for role, text in roles.items()
    }
    copydecks.save_texts(made, said)
    return made


def mask_bytes(size=(120, 150), *, box=None):
    """A mask of the product of ``photo_bytes``, or of ``box``, as the bytes of a grey PNG."""
    width, height = size
    box = box or (width // 4, height // 5, width * 3 // 4, height * 4 // 5)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle(box, fill=255)
    written = BytesIO()
    mask.save(written, "PNG")
    return written.getvalue()


def cutout(about=None, *, state="doubtful", masked=True, number=0, **fields):
    """The cut-out of a photo of ``about``, with a real mask of a machine's."""
    about = about or product()
    photo = source_for(about).photos(about)[number]
    data = read_photo(photo)
    size = Image.open(BytesIO(data)).size
    stored = storage.store(mask_bytes(size), folder="masks", mime_type="image/png")
    made = {"mask": stored.name, "mask_sha256": stored.sha256, "method": "network", "score": 0.62}
    defaults = {
        **subject(about),
        "key": photo_key(photo),
        "name": photo.name,
        "photo_sha256": sha256(data).hexdigest(),
        "width": size[0],
        "height": size[1],
        "state": state,
        "reasons": ["unsure"] if state == "doubtful" else [],
        "suggested_kind": "packshot",
        **(made if masked else {}),
    }
    return PhotoCutout.objects.create(**defaults | fields)


def gallery_delivery(about=None, *, state="changed", **fields):
    """A picture in a gallery "photos", which no source declares."""
    made = image(about, state=ImageState.APPROVED)
    defaults = {
        "content_type": made.content_type,
        "object_id": made.object_id,
        "slot": "hero",
        "gallery": "photos",
        "image": made,
        "state": state,
        "problem": "The shop has changed caption since the last delivery.",
    }
    return GalleryDelivery.objects.create(**defaults | fields)
