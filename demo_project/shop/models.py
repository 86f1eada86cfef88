"""The shop's models: categories, products and bundles."""

from __future__ import annotations

import uuid

from django.db import models
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Translatable(models.Model):
    """English in the fields, other languages in one JSON object: ``{"de": {"name": "Becher"}}``."""

    translations = models.JSONField(_("translations"), default=dict, blank=True)

    class Meta:
        abstract = True

    def get_translation(self, field: str, *, locale: str) -> str:
        """Return ``field`` in ``locale``, or "" if it is not translated."""
        language = locale.partition("-")[0]
        if language == "en":
            return str(getattr(self, field))
        return str(self.translations.get(language, {}).get(field, ""))

    def translate(self, field: str, *, locale: str) -> str:
        """Return ``field`` in ``locale``; "de-at" falls back to "de", everything to English."""
        for code in (locale, locale.partition("-")[0]):
            if text := self.translations.get(code, {}).get(field):
                return str(text)
        return str(getattr(self, field))

    def _translate_active(self, field: str) -> str:
        return self.translate(field, locale=get_language() or "en")

    @property
    def local_name(self) -> str:
        return self._translate_active("name")

    @property
    def local_description(self) -> str:
        return self._translate_active("description")


class Category(Translatable):
    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("slug"), unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.local_name

    def get_absolute_url(self) -> str:
        return reverse("shop:category", args=[self.slug])


class Product(Translatable):
    """One article. Catalog pictures are made from its own photo, the packshot."""

    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", verbose_name=_("category")
    )
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), unique=True)
    description = models.TextField(_("description"), blank=True)
    price = models.DecimalField(_("price"), max_digits=8, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    colour = models.CharField(_("colour"), max_length=60, blank=True)
    material = models.CharField(_("material"), max_length=80, blank=True)
    size = models.CharField(_("size"), max_length=60, blank=True)
    height_cm = models.DecimalField(
        _("height in cm"), max_digits=5, decimal_places=1, null=True, blank=True
    )
    packshot = models.ImageField(
        _("packshot"),
        upload_to="packshots/",
        width_field="packshot_width",
        height_field="packshot_height",
        blank=True,
    )
    packshot_width = models.PositiveIntegerField(null=True, editable=False)
    packshot_height = models.PositiveIntegerField(null=True, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.local_name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.slug])

    @property
    def local_colour(self) -> str:
        return self._translate_active("colour")

    @property
    def local_material(self) -> str:
        return self._translate_active("material")

    @property
    def local_size(self) -> str:
        return self._translate_active("size")


class Bundle(Translatable):
    """Several articles sold together: an example with a UUID key and photos in their own model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), unique=True)
    description = models.TextField(_("description"), blank=True)
    price = models.DecimalField(_("price"), max_digits=8, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    products = models.ManyToManyField(Product, related_name="bundles", verbose_name=_("products"))

    class Meta:
        verbose_name = _("bundle")
        verbose_name_plural = _("bundles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.local_name

    def get_absolute_url(self) -> str:
        return reverse("shop:bundle", args=[self.slug])


class BundlePhoto(models.Model):
    bundle = models.ForeignKey(Bundle, models.CASCADE, related_name="photos")
    image = models.ImageField(_("image"), upload_to="bundles/")
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.image.name
