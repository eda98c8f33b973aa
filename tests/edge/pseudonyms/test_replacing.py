"""No name of a person leaves a gateway that replaces them, and only its secrets say who is who."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edge.test_gateway import Historian, settings
from twinlab.edge import Gateway, Reading, Readings, read_settings
from twinlab.edge.pseudonyms import IdReplacer, PseudonymRule, SecretsFile, create_secrets, rotate_secrets
from twinlab.errors import SchemaError
from twinlab.model.privacy.classes import is_pseudonym
from twinlab.twin.privacy.byte_search import search

DAY = 86_400 * 10**9
NAMES = ("Ann Archer", "Bob Baker", "Cem Çetin")


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gateway") / "names.json"
    create_secrets(path)
    return path


def rule(path: Path, **others: object) -> PseudonymRule:
    given = {"tags": [r"^wrist/(?P<id>[^/]+)/"], "texts": ["*/card"], "epoch": "7d"}
    return PseudonymRule.model_validate({"key": str(path), "purpose": "safety", **given, **others})


readings = st.lists(
    st.builds(
        Reading,
        st.one_of(
            st.sampled_from([f"wrist/{name}/{kind}" for name in NAMES for kind in ("pulse", "card")]),
            st.sampled_from(["truck/card", "truck/speed"]),
        ),
        st.integers(0, 30).map(lambda day: day * DAY),
        st.one_of(st.none(), st.floats(allow_nan=False)),
        st.one_of(st.none(), st.sampled_from([*NAMES, " "])),
        st.one_of(st.none(), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=30,
)


@given(readings)
def test_rows_are_the_same_but_for_names_which_have_one_pseudonym_a_week(secrets: Path, rows: list[Reading]) -> None:
    replaced = IdReplacer(rule(secrets)).replace(Readings.of(rows, {"wrist/Ann Archer/pulse": "1/min"}))
    known: dict[tuple[str, int], str] = {}
    for before, after in zip(rows, replaced.rows(), strict=True):
        assert (before.time, before.value, before.status) == (after.time, after.value, after.status)
        week = before.time // (7 * DAY)
        first, *middle, last = before.tag.split("/")
        own = after.tag.split("/")
        assert (own[0], own[-1]) == (first, last)
        pairs = list(zip(middle, own[1:-1], strict=True))
        if last == "card" and (before.text or "").strip():
            pairs.append((before.text, after.text))
        else:
            assert before.text == after.text
        for name, made in pairs:
            assert is_pseudonym(made)
            assert known.setdefault((name, week), made) == made
    assert len(set(known.values())) == len(known)
    # What is written again after a kill is the same.
    again = IdReplacer(rule(secrets)).replace(Readings.of(rows))
    assert again.rows() == replaced.rows()
    for tag, unit in zip(replaced.tags, replaced.units, strict=True):
        assert unit in (None, "1/min")
        assert unit is None or tag.endswith("pulse")


def test_another_purpose_has_other_pseudonyms(secrets: Path) -> None:
    rows = Readings.of([Reading("wrist/Ann Archer/pulse", 0, 70.0)])
    made = {IdReplacer(rule(secrets, purpose=one)).replace(rows).tags for one in ("safety", "payroll")}
    assert len(made) == 2


def test_after_a_rotation_rows_from_then_on_have_other_pseudonyms_and_late_ones_the_earlier(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    create_secrets(path)
    replacer = IdReplacer(rule(path, epoch=None))

    def name_at(time: int) -> str:
        (tag,) = replacer.replace(Readings.of([Reading("wrist/Ann Archer/pulse", time, 70.0)])).tags
        return tag

    first = name_at(10 * DAY)
    rotate_secrets(path, now=20 * DAY)
    assert (name_at(10 * DAY), name_at(20 * DAY - 1)) == (first, first)
    second = name_at(20 * DAY)
    assert second not in (first, "wrist/Ann Archer/pulse")
    rotate_secrets(path, now=30 * DAY, forget=True)
    assert len(SecretsFile(path).read()) == 1
    # Nothing leads to the earlier ones any more, not even a late row.
    assert name_at(10 * DAY) == name_at(30 * DAY)
    assert name_at(10 * DAY) not in (first, second)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_name_is_in_the_outbox_in_a_message_or_in_the_catalogue(tmp_path: Path) -> None:
    historian, seen = Historian(), []
    create_secrets(tmp_path / "names.json")
    publish = historian.publish

    async def noted(kind: str, payload: bytes, *, retain: bool = False) -> None:
        seen.append(payload)
        await publish(kind, payload, retain=retain)

    historian.publish = noted
    names = {
        "key": str(tmp_path / "names.json"),
        "purpose": "safety",
        "tags": ["^wrist/(?P<id>[^/]+)/"],
        "texts": ["card"],
    }
    own = settings(tmp_path, pseudonyms=names, units={"wrist/Ann Archer/pulse": "1/min", "fuel": "L"})

    async def main() -> None:
        async with Gateway(own, connect=historian.connect) as gateway:
            await gateway.write([Reading("fuel", 0, 50.0), Reading("wrist/Ann Archer/pulse", 1, 70.0)])
            await gateway.write([Reading("card", 2, text="Ann Archer")])
            assert search([tmp_path], ["Archer"]) == []
            async with asyncio.timeout(60):
                await gateway.drain()

    asyncio.run(main())
    assert historian.values[:2] == [50.0, 70.0]
    assert not [payload for payload in seen if b"Archer" in payload]
    units = historian.births[-1].units
    assert [unit for tag, unit in units.items() if tag.startswith("wrist/p-")] == ["1/min"]


def test_a_gateway_without_its_secrets_doesnt_start_and_stores_nothing_without_them(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    with pytest.raises(SchemaError, match="twinlab pseudonym-key"):
        IdReplacer(rule(path))
    create_secrets(path)
    with pytest.raises(SchemaError, match="--rotate"):
        create_secrets(path)
    replacer, row = IdReplacer(rule(path)), Readings.of([Reading("wrist/Ann Archer/pulse", 0, 70.0)])
    path.write_text("{}")
    with pytest.raises(SchemaError, match="no row is stored"):
        replacer.replace(row)
    path.write_text('{"secrets": []}')
    with pytest.raises(SchemaError, match="at least one"):
        replacer.replace(row)
    if os.name == "posix":
        path.chmod(0o644)
        with pytest.raises(SchemaError, match="chmod 600"):
            replacer.replace(row)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tags": [], "texts": []}, "tags or texts that name people"),
        ({"tags": ["^wrist/([^/]+)/"]}, "a group named id"),
        ({"tags": ["("]}, "a regular expression"),
        ({"purpose": ""}, "purpose"),
    ],
)
def test_settings_that_replace_nothing_are_refused(tmp_path: Path, given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rule(tmp_path / "names.json", **given)


def test_the_file_of_secrets_is_beside_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("name: g\nbroker: {host: b}\npseudonyms: {key: names.json, purpose: safety, texts: [card]}\n")
    found = read_settings(path).pseudonyms
    assert found is not None
    assert found.key == str(tmp_path / "names.json")
