"""Catalogs as hosts have them: integer, UUID and slug keys; photos in three ways."""

import uuid

from django.core.exceptions import ValidationError
from django.db import models


class Mug(models.Model):
    """Integer key, photo in an ImageField."""

    name = models.CharField(max_length=80)
    colour = models.CharField(max_length=40, blank=True)
    packshot = models.ImageField(upload_to="mugs", blank=True)

    def __str__(self):
        return self.name


class Poster(models.Model):
    """UUID key, photos through a related manager."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=80)

    def __str__(self):
        return self.title


class PosterPhoto(models.Model):
    poster = models.ForeignKey(Poster, related_name="photos", on_delete=models.CASCADE)
    image = models.ImageField(upload_to="posters")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position",)


class Vase(models.Model):
    """Slug key, photos from an overridden method."""

    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=80)

    def __str__(self):
        return self.name


class Unlisted(models.Model):
    """Not registered."""

    name = models.CharField(max_length=80)


class Article(models.Model):
    """A parent by multi-table inheritance."""

    name = models.CharField(max_length=80)
    packshot = models.ImageField(upload_to="articles", blank=True)
    is_hidden = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class Book(Article):
    pages = models.PositiveIntegerField(default=1)


class Ebook(Book):
    """A grandchild whose link to its parent is not its key."""

    number = models.BigAutoField(primary_key=True)
    book_ptr = models.OneToOneField(
        Book, on_delete=models.CASCADE, parent_link=True, primary_key=False
    )


class LoudArticle(Article):
    class Meta:
        proxy = True


class Page(models.Model):
    """A page with translations, each a row of its own that shows the pictures of its original."""

    title = models.CharField(max_length=80)
    original = models.ForeignKey(
        "self", null=True, blank=True, related_name="translations", on_delete=models.CASCADE
    )
    photo = models.ImageField(upload_to="pages", blank=True)

    def __str__(self):
        return self.title


class Edition(models.Model):
    """A variant in a table of its own that shows the pictures of its article."""

    article = models.ForeignKey(Article, related_name="editions", on_delete=models.CASCADE)
    name = models.CharField(max_length=80)

    def __str__(self):
        return self.name


def no_larger_than_a_megabyte(file):
    if file.size > 1_000_000:
        raise ValidationError("At most 1 MB.")


class Lamp(models.Model):
    """Pictures of its own in fields and in related rows, to which galleries deliver."""

    name = models.CharField(max_length=80)
    packshot = models.ImageField(upload_to="lamps", blank=True)
    image = models.ImageField(
        upload_to="lamps",
        blank=True,
        width_field="image_width",
        height_field="image_height",
        validators=[no_larger_than_a_megabyte],
    )
    image_width = models.PositiveIntegerField(null=True, editable=False)
    image_height = models.PositiveIntegerField(null=True, editable=False)
    image_alt = models.CharField(max_length=30, blank=True)
    image_de = models.ImageField(upload_to="lamps", null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.name


class LampPhoto(models.Model):
    lamp = models.ForeignKey(Lamp, related_name="photos", on_delete=models.CASCADE)
    file = models.ImageField(upload_to="lamp-photos", validators=[no_larger_than_a_megabyte])
    position = models.PositiveSmallIntegerField(default=0)
    alt = models.CharField(max_length=200, blank=True)
    caption = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20, default="photo")

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["lamp", "position"], name="one_photo_a_position")
        ]


class LampVariant(models.Model):
    """Refers to one of the photos of its lamp."""

    lamp = models.ForeignKey(Lamp, related_name="variants", on_delete=models.CASCADE)
    photo = models.ForeignKey(LampPhoto, null=True, on_delete=models.SET_NULL)
