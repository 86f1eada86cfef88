"""Test helpers for this project and for projects that use or extend it.

``ScriptedProvider`` and ``Script`` replace a paid provider, ``GeminiServer`` speaks Gemini's wire
format on a local port and injects faults, ``ProviderContract`` is a test class that every provider
passes.
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
