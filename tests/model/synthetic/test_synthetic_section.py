"""A model with synthetic data says so, and sends nothing."""

from types import SimpleNamespace

import pytest

from twinlab.errors import TwinlabError
from twinlab.model.load import parse_model
from twinlab.model.synthetic.section import SyntheticData, synthetic_faults

SECTION = "synthetic: {source: yard, start: '2026-01-01', stop: '2026-02-01', seed: 1, block: 3, mix: 0.6}\n"


def test_a_synthetic_model_says_so_in_its_name_and_title():
    good = parse_model("twin: yard_synthetic\ntitle: Yard (synthetic)\n" + SECTION)
    assert "made from yard" in good.synthetic.sentence
    with pytest.raises(TwinlabError, match="ends with '_synthetic'"):
        parse_model("twin: yard\ntitle: Yard (synthetic)\n" + SECTION)
    with pytest.raises(TwinlabError, match="title with 'synthetic'"):
        parse_model("twin: yard_synthetic\ntitle: Yard\n" + SECTION)


@pytest.mark.parametrize("key", ["commands", "alerts", "channels"])
def test_a_synthetic_model_sends_nothing(key):
    about = SyntheticData(source="yard", start="2026-01-01", stop="2026-02-01", seed=1, block=3, mix=0.6)
    stated = {"commands": {}, "alerts": {}, "channels": {}, key: {"one": {}}}
    model = SimpleNamespace(twin="yard_synthetic", title="Yard (synthetic)", synthetic=about, **stated)
    (fault,) = synthetic_faults(model)
    assert fault.startswith(f"{key}: expected none in a twin with synthetic data")
