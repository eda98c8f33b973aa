"""Finished blocks of a backtest on disk, so that an interrupted one goes on."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

from twinlab._files import file_name, write_atomically
from twinlab.errors import SchemaError
from twinlab.predict.backtests.block import BlockResult
from twinlab.predict.predictions.files import load_predictions, save_predictions

__all__ = ["Checkpoints"]

_ABOUT = "backtest.json"


class Checkpoints:
    """A folder with a folder for each finished block.

    Parameters
    ----------
    path : path
    identity : dict of str to str
        Hashes of all that decides the result.

    Raises
    ------
    SchemaError
        If the folder has another backtest; says what differs.
    """

    def __init__(self, path: str | Path, identity: dict[str, str]) -> None:
        self.path = Path(path)
        about = self.path / _ABOUT
        if about.is_file():
            found = json.loads(about.read_text(encoding="utf-8"))
            other = [name for name in identity if found.get(name) != identity[name]]
            if other:
                msg = f"the folder {self.path} has a backtest with other {', '.join(other)}; choose another folder, or delete this one"
                raise SchemaError(msg)
        else:
            text = json.dumps(identity, indent=1)
            write_atomically(about, lambda draft: draft.write_text(text, encoding="utf-8"))

    def _folder(self, known: str, number: int) -> Path:
        return self.path / f"{known}-{number:05d}"

    def has(self, known: str, number: int) -> bool:
        """Whether a block is finished."""
        return (self._folder(known, number) / "seconds.json").is_file()

    def save(self, known: str, number: int, result: BlockResult) -> None:
        """Store a finished block, in one step."""

        def write(draft: Path) -> None:
            draft.mkdir()
            for name, data in result.predictions.items():
                save_predictions(data, draft / f"{file_name(name, safe=' ')}.zarr")
            (draft / "seconds.json").write_text(json.dumps(result.seconds), encoding="utf-8")

        write_atomically(self._folder(known, number), write)

    def load(self, known: str, number: int) -> BlockResult:
        """Return a finished block."""
        folder = self._folder(known, number)
        seconds = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
        parts = {unquote(one.name.removesuffix(".zarr")): load_predictions(one) for one in folder.glob("*.zarr")}
        return BlockResult({name: parts[name] for name in seconds if name in parts}, seconds)
