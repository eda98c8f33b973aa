"""``python -m twinlab.cli``."""

from __future__ import annotations

from twinlab.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
