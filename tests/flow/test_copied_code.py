"""The Python code of every page gives the page's numbers in a fresh interpreter."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.explore import PAGES, Link, Workspace
from twinlab.plant import ParcelSize

#: Pages of a twin of files; those of a running plant have tests of their own in `tests/explore/pages`.
OF_FILES = [page.name for page in PAGES if page.name not in ("sources", "control", "security")]


@pytest.fixture(scope="module")
def twin() -> tl.Twin:
    return tl.demo("parcel", size=ParcelSize.small())


def test_every_kind_of_page_is_among_those_of_the_parcel_twin(twin: tl.Twin) -> None:
    workspace = Workspace(twin)
    assert list(workspace.param.page.objects) == OF_FILES


# Of this twin nothing has been counted: page Use has no numbers.
@pytest.mark.parametrize("page", [page for page in OF_FILES if page != "usage"])
def test_copied_code_gives_the_numbers_of_the_page(twin: tl.Twin, page: str, tmp_path: Path) -> None:
    view: Any = Workspace(twin, link=Link(page=page))
    if page == "what_if":
        # Its numbers are there once the reader has run it; the page is what the workspace opens.
        view = PAGES.get(page).load()(twin, link=Link(replications="4"))
        view.run()
    if page == "outlook":
        view = PAGES.get(page).load()(twin, link=Link(part="forecast", asset_type="cold_room", horizon="24h"))
        view.compute()
    shown, code = view.data(), view.code()
    assert shown is not None
    assert code
    target = tmp_path / "data.pickle"
    ending = f"\nimport pickle, pathlib\npathlib.Path({str(target)!r}).write_bytes(pickle.dumps(data))\n"
    done = subprocess.run([sys.executable, "-c", code + ending], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    read = pickle.loads(target.read_bytes())
    if isinstance(shown, pd.DataFrame):
        assert len(shown)
        pd.testing.assert_frame_equal(read, shown)
    else:
        xr.testing.assert_identical(read, shown)
