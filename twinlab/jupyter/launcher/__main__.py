"""``python -m twinlab.jupyter.launcher``, as jupyter-server-proxy starts it."""

from __future__ import annotations

from twinlab.jupyter.launcher.process import main

if __name__ == "__main__":
    main()
