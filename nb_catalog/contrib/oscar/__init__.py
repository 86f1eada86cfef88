"""For shops that use django-oscar."""
