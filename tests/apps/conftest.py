"""What tests of this room share: a JupyterLab, if they ask for it."""

from tests.jupyter_lab import desk, lab, write_notebook

__all__ = ["desk", "lab", "write_notebook"]
