"""The words of questions, a YAML file for each language: what a phrase means, and the names of models in it.

A new language is one more file in this folder, with the symbols of ``english.yaml``.
"""

from __future__ import annotations

from twinlab.ask.languages.language import LANGUAGES, Language, load_language

__all__ = ["LANGUAGES", "Language", "load_language"]
