"""Template tag of pages inside the frame of another application."""

from django import template

register = template.Library()


class PartNode(template.Node):
    """Not a ``simple_block_tag``: in one, blocks are not found by ``{{ block.super }}``."""

    def __init__(self, nodelist, *, name):
        self.nodelist, self.name = nodelist, name

    def render(self, context):
        context[self.name] = self.nodelist.render(context)
        return ""


@register.tag
def part(parser, token):
    """``{% part name %}…{% endpart %}``: a part of the page, which the frame puts where it belongs."""
    _tag, name = token.split_contents()
    nodelist = parser.parse(["endpart"])
    parser.delete_first_token()
    return PartNode(nodelist, name=name)
