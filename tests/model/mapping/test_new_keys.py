"""Keys that mappings got later don't change the hash of a mapping without them."""

from twinlab.history.build.mapping_context import content_hash
from twinlab.model import parse_mapping

TEXT = """source: s
tables:
- time: {column: t, zone: UTC}
  asset: {type: room, id: A}
  columns: {temp: {signal: temperature}}
stream:
  tags: {a: {signal: temperature, asset: room/A}}
"""
CLOCK = "{assets: [A], shift: 1h}"


def test_the_hash_is_that_of_earlier_versions() -> None:
    mapping = parse_mapping(TEXT)
    written = mapping.model_dump(mode="json", by_alias=True)
    assert "clocks" not in written["tables"][0]
    assert "clocks" not in written["stream"]
    assert "swapped_words" not in written["tables"][0]["columns"]["temp"][0]
    assert content_hash(mapping) == "21f637bb6125e47417b27934"


def test_each_new_key_changes_the_hash() -> None:
    changed = [
        TEXT.replace("  columns", f"  clocks: [{CLOCK}]\n  columns"),
        TEXT.replace("  tags", f"  clocks: [{CLOCK}]\n  tags"),
        TEXT.replace("{signal: temperature}", "{signal: temperature, swapped_words: int32}"),
    ]
    assert len({content_hash(parse_mapping(text)) for text in (TEXT, *changed)}) == 4
