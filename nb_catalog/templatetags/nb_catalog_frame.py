"""Template tag of pages inside the frame of another application."""

from django import template

register = template.Library()


@register.simple_block_tag
def part(content):
    """``{% part as name %}…{% endpart %}``: a part of the page, which the frame puts where it belongs."""
    return content
