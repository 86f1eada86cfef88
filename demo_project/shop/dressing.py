"""Which picture stands where in the shop, and how it gets there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from demo_project.shop.goods import rows
from demo_project.shop.models import Bundle, Product
from nb_catalog import copydecks, generation, publishing, review
from nb_catalog.core import ImageState
from nb_catalog.generation import Plan
from nb_catalog.models import CopyDeck, PlacementEvent, ProductImage

RATIOS = {"hero": "4:5", "gallery": "1:1", "social": "16:9"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One product's picture in one place of the storefront."""

    product: Product | Bundle
    slot: str
    scene: str
    position: int = 0


def wishes(*, slots: Iterable[str] = tuple(RATIOS)) -> list[Wish]:
    """Every picture that the shop wants, as the stock lists pair products with scenes."""
    wanted = set(slots)
    return [wish for wish in (*_of_products(), *_of_bundles()) if wish.slot in wanted]


def _of_products() -> Iterator[Wish]:
    products = {product.slug: product for product in Product.objects.all()}
    for row in rows("products"):
        product = products[row["slug"]]
        yield Wish(product=product, slot="hero", scene=row["hero"])
        if row.get("social"):
            yield Wish(product=product, slot="social", scene=row["social"])
        for position, scene in enumerate(row["gallery"]):
            yield Wish(product=product, slot="gallery", scene=scene, position=position)


def _of_bundles() -> Iterator[Wish]:
    bundles = {bundle.slug: bundle for bundle in Bundle.objects.prefetch_related("photos")}
    for row in rows("bundles"):
        yield Wish(product=bundles[row["slug"]], slot="hero", scene=row["hero"])


def write_decks() -> None:
    """The copy decks of the shop. One that is there already stays as it is."""
    for row in rows("decks"):
        named = {"name": row["name"], "locale": row["locale"]}
        deck, made = CopyDeck.objects.get_or_create(key=row["slug"], defaults=named)
        if made:
            cells = {
                (code, role): text
                for code, roles in row["texts"].items()
                for role, text in roles.items()
            }
            copydecks.save_texts(deck, cells)


def planned(wanted: Iterable[Wish]) -> list[tuple[Plan, list[Wish]]]:
    """One plan for each model, scene and ratio, with the wishes that it grants."""
    groups: dict[tuple[type[Model], str, str], list[Wish]] = defaultdict(list)
    for wish in wanted:
        groups[type(wish.product), wish.scene, wish.slot].append(wish)
    return [
        (
            generation.plan_backgrounds(
                [wish.product for wish in group],
                scenes=[scene],
                ratio=RATIOS[slot],
                tier="draft",
                treatment="locked",
            ),
            group,
        )
        for (_, scene, slot), group in groups.items()
    ]


def publish(plan: Plan, wanted: Iterable[Wish], *, actor: AbstractBaseUser) -> int:
    """Approve what the plan has made and nobody has judged, and publish it; how many.

    A place where a picture was published or withdrawn since is left alone.
    """
    made = {item.object_id: item.fingerprint for item in plan.items() if item.fingerprint}
    return sum(_publish(wish, made.get(str(wish.product.pk), ""), actor=actor) for wish in wanted)


def _publish(wish: Wish, fingerprint: str, *, actor: AbstractBaseUser) -> bool:
    images = ProductImage.objects.about(wish.product).filter(fingerprint=fingerprint)
    image = images.filter(state__in=(ImageState.PENDING, ImageState.APPROVED)).first()
    if image is None:
        return False
    if image.state == ImageState.PENDING:
        review.approve(image, actor=actor, note="Chosen for the demo shop.")
        image.refresh_from_db()
    elif _decided(wish):
        return False
    publishing.publish(image, slot=wish.slot, position=wish.position, actor=actor)
    return True


def _decided(wish: Wish) -> bool:
    """Whether anything was ever published or withdrawn there."""
    events = PlacementEvent.objects.about(wish.product)
    return events.filter(slot=wish.slot, position=wish.position).exists()
