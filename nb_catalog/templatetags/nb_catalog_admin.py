"""Template tag of the app's start page in the admin."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def catalog_home(context):
    """``{% catalog_home as home %}``: what waits, for the user of the page (``nb_catalog.admin.home``)."""
    # Every tag library is imported when templates are set up, also by hosts without the admin.
    from nb_catalog.admin.home import home_of

    return home_of(context["request"])
