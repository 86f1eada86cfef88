"""A page of a Wagtail site that shows images in both ways: by a foreign key, and in a StreamField."""

from django.db import models
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageBlock, ImageChooserBlock
from wagtail.models import Page


class LampPage(Page):
    photo = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    hero = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    body = StreamField([("chosen", ImageChooserBlock()), ("image", ImageBlock())], blank=True)
