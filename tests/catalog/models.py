"""Catalogs as hosts have them: integer, UUID and slug keys; photos in three ways."""

import uuid

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
