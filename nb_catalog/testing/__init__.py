"""For the tests of this project and of everybody who uses or extends it.

``ScriptedProvider`` and ``Script`` stand in for a paid provider, ``GeminiServer`` speaks Gemini's
wire format on a local port and injects faults, ``ProviderContract`` is what every provider passes.
"""

from __future__ import annotations

from nb_catalog.testing.contract import ProviderContract
from nb_catalog.testing.gemini import Answer, Fault, GeminiServer
from nb_catalog.testing.pictures import solid_png
from nb_catalog.testing.scripted import Script, ScriptedProvider

__all__ = [
    "Answer",
    "Fault",
    "GeminiServer",
    "ProviderContract",
    "Script",
    "ScriptedProvider",
    "solid_png",
]
