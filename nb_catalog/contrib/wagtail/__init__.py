"""For sites that use Wagtail."""
