"""Small fonts with known faults, made by fontTools."""

import io

from fontTools.colorLib.builder import buildCOLR, buildCPAL
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

FIRE = "\U0001f525"


def box(left, bottom, right, top):
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for corner in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def blank():
    return TTGlyphPen(None).glyph()


def build(
    characters, glyphs=None, *, family="Made", style="Regular", colour=None, version=0, **os2
):
    """Return a font file in which ``characters`` (a string) are boxes, except the ``glyphs`` given
    (character or name -> glyph). ``colour`` is its COLR table, as fontTools takes it."""
    special = glyphs or {}
    names = {
        each: f"u{ord(each):04X}"
        for each in dict.fromkeys([*characters, *special])
        if len(each) == 1
    }
    drawn = {name: special.get(each, box(50, 0, 550, 700)) for each, name in names.items()}
    drawn |= {name: glyph for name, glyph in special.items() if len(name) > 1}
    order = [".notdef", *drawn]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({ord(each): name for each, name in names.items()})
    builder.setupGlyf({".notdef": box(50, 0, 450, 700), **drawn})
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics(
        {name: (600, getattr(table[name], "xMin", 0) or 0) for name in order}
    )
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2(**os2)
    builder.setupPost()
    if colour:
        builder.font["CPAL"] = buildCPAL([[(1, 0, 0, 1), (0, 0, 1, 1)]])
        builder.font["COLR"] = buildCOLR(
            colour, version=version, glyphMap=builder.font.getReverseGlyphMap()
        )
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def layered(version):
    """Return a colour font that has fire: a red box with a blue one on it."""
    name = f"u{ord(FIRE):04X}"
    if version == 0:
        colour = {name: [("back", 0), ("front", 1)]}
    else:
        layers = [
            {"Format": 10, "Glyph": glyph, "Paint": {"Format": 2, "PaletteIndex": at, "Alpha": 1.0}}
            for at, glyph in enumerate(("back", "front"))
        ]
        colour = {name: {"Format": 1, "Layers": layers}}
    glyphs = {FIRE: blank(), "back": box(0, 0, 500, 700), "front": box(100, 100, 300, 300)}
    return build("", glyphs, family="Layers", colour=colour, version=version)
