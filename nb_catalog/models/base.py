"""What people design in the admin: named, ordered, offered or not, and versioned."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class DesignManager(models.Manager):  # type: ignore[type-arg]
    def get_by_natural_key(self, key: str) -> Any:
        return self.get(key=key)


class Design(models.Model):
    """``version`` rises when one of ``CONTENT`` changes: a recipe keeps the one it was made from."""

    CONTENT: ClassVar[tuple[str, ...]] = ()

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    version = models.PositiveIntegerField(
        _("version"), default=1, editable=False, validators=[MinValueValidator(1)]
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    objects = DesignManager()

    class Meta:
        abstract = True
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        stored = type(self).objects.filter(pk=self.pk).values(*self.CONTENT, "version").first()
        if stored and any(stored[name] != getattr(self, name) for name in self.CONTENT):
            self.version = stored["version"] + 1
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "version"}
        super().save(*args, **options)

    def natural_key(self) -> tuple[str]:
        return (self.key,)
