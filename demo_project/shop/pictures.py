"""The pictures of the demo shop: which products, scenes and slots, and their publication."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from demo_project.shop.goods import load_rows
from demo_project.shop.models import Bundle, Product
from nb_catalog import copydecks, generation, publishing, review
from nb_catalog.core import ImageState
from nb_catalog.generation import Plan
from nb_catalog.models import CopyDeck, PlacementEvent, ProductImage

RATIOS = {"hero": "4:5", "gallery": "1:1", "social": "16:9"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPicture:
    """One product's picture in one slot of the storefront."""

    product: Product | Bundle
    slot: str
    scene: str
    position: int = 0


def planned_pictures(*, slots: Collection[str] = tuple(RATIOS)) -> list[PlannedPicture]:
    """Return all pictures of ``slots``, as the stock files pair products with scenes."""
    pictures = []
    products = {product.slug: product for product in Product.objects.all()}
    for row in load_rows("products"):
        product = products[row["slug"]]
        pictures.append(PlannedPicture(product=product, slot="hero", scene=row["hero"]))
        if row.get("social"):
            pictures.append(PlannedPicture(product=product, slot="social", scene=row["social"]))
        pictures += [
            PlannedPicture(product=product, slot="gallery", scene=scene, position=position)
            for position, scene in enumerate(row["gallery"])
        ]
    bundles = {bundle.slug: bundle for bundle in Bundle.objects.prefetch_related("photos")}
    pictures += [
        PlannedPicture(product=bundles[row["slug"]], slot="hero", scene=row["hero"])
        for row in load_rows("bundles")
    ]
    return [picture for picture in pictures if picture.slot in slots]


def create_copy_decks() -> None:
    """Create the shop's copy decks; existing ones are not changed."""
    for row in load_rows("decks"):
        defaults = {"name": row["name"], "locale": row["locale"]}
        deck, created = CopyDeck.objects.get_or_create(key=row["slug"], defaults=defaults)
        if created:
            cells = {
                (code, role): text
                for code, roles in row["texts"].items()
                for role, text in roles.items()
            }
            copydecks.save_texts(deck, cells)


def build_plans(pictures: Iterable[PlannedPicture]) -> list[tuple[Plan, list[PlannedPicture]]]:
    """Return one plan for each model, scene and ratio, with the pictures that it makes."""
    groups: dict[tuple[type[Model], str, str], list[PlannedPicture]] = defaultdict(list)
    for picture in pictures:
        groups[type(picture.product), picture.scene, picture.slot].append(picture)
    return [
        (
            generation.plan_backgrounds(
                [picture.product for picture in group],
                scenes=[scene],
                ratio=RATIOS[slot],
                slot=slot,
                tier="draft",
                treatment="locked",
                bundles=True,
            ),
            group,
        )
        for (_, scene, slot), group in groups.items()
    ]


def publish(plan: Plan, pictures: Iterable[PlannedPicture], *, actor: AbstractBaseUser) -> int:
    """Approve and publish the plan's pictures that are not yet reviewed; return how many.

    A slot in which a picture has since been published or withdrawn is not changed.
    """
    fingerprints = {item.object_id: item.fingerprint for item in plan.items() if item.fingerprint}
    return sum(
        _publish_picture(picture, fingerprints.get(str(picture.product.pk), ""), actor=actor)
        for picture in pictures
    )


def _publish_picture(picture: PlannedPicture, fingerprint: str, *, actor: AbstractBaseUser) -> bool:
    images = ProductImage.objects.about(picture.product).filter(fingerprint=fingerprint)
    image = images.filter(state__in=(ImageState.PENDING, ImageState.APPROVED)).first()
    if image is None:
        return False
    if image.state == ImageState.PENDING:
        review.approve(image, actor=actor, note="Chosen for the demo shop.")
        image.refresh_from_db()
    else:
        events = PlacementEvent.objects.about(picture.product)
        if events.filter(slot=picture.slot, position=picture.position).exists():
            return False
    publishing.publish(image, slot=picture.slot, position=picture.position, actor=actor)
    return True
