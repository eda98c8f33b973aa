"""Where the keys of a twin's people are: outside of its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import file_name

if TYPE_CHECKING:
    from twinlab.model.twinmodel import TwinModel
    from twinlab.signing.subjects import KeyFolder

__all__ = ["KEYS_VARIABLE", "key_folder"]

#: Environment variable with the folder in which each twin has a folder of keys.
KEYS_VARIABLE = "TWINLAB_KEYS"


def key_folder(folder: Path, model: TwinModel) -> KeyFolder:
    """Return the keys of a twin: ``privacy.keys`` of its model, else ``$TWINLAB_KEYS/<twin>``, else ``<folder>.keys``.

    Raises
    ------
    SchemaError
        If they would be inside of the twin's folder.
    """
    from twinlab.signing.subjects import KeyFolder  # noqa: PLC0415  (only twins with personal data need it)

    stated = model.privacy.keys if model.privacy is not None else None
    whole = folder.resolve()
    if stated is not None:
        path = whole.parent / Path(stated).expanduser()
    elif os.environ.get(KEYS_VARIABLE):
        path = Path(os.environ[KEYS_VARIABLE]) / file_name(model.twin)
    else:
        path = whole.with_name(f"{whole.name}.keys")
    return KeyFolder(path, twin=whole)
