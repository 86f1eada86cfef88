"""The tests here need the settings of the host, with which ``test_real_packages`` runs them."""

from django.conf import settings

if settings.SETTINGS_MODULE != "tests.contrib.host.settings":
    collect_ignore_glob = ["*.py", "site/*"]
