"""The progress bar of long work."""

import pytest

from twinlab.twin import progress


@pytest.mark.parametrize(("value", "shown"), [("1", False), ("0", True), ("", True)])
def test_the_bar_is_shown_unless_tqdm_is_disabled(
    value: str, shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TQDM_DISABLE", value)
    monkeypatch.setattr(progress, "DELAY", 0)
    with progress.progress_bar("history", unit=" cells") as show:
        show(3, 4, "truck")
    assert ("history" in capsys.readouterr().err) == shown
