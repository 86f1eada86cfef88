from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "tests.contrib.host.site"
    label = "hostsite"
    default_auto_field = "django.db.models.BigAutoField"
