"""A revision has the arrays that a rebuild under its definitions gives, and shares all other chunks with the published history."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.build.mapping_context import Sources
from twinlab.history.layout.grid import Group
from twinlab.history.revisions.branch import RevisionBranch, branches
from twinlab.history.revisions.cell_changes import cell_changes
from twinlab.history.revisions.revise import build_revision, catch_up, is_current
from twinlab.history.store.opening import open_history
from twinlab.history.store.view import open_view
from twinlab.history.write.historian import Historian
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.maintenance import sweep
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

ROOMS = "abcdefghijklmnopqrstuvwxyz"
MINUTES = 2 * 24 * 60


def rows_of_rooms(rooms: str, first: int = 0, last: int = MINUTES) -> list[tuple]:
    rng = np.random.default_rng(len(rooms) + first)
    rows = []
    for room in rooms:
        for at in range(first, last, 31):
            rows.append((f"{room}.t", at, round(float(rng.normal(20, 3)), 1)))
            rows.append((f"{room}.h", at, float(rng.integers(20, 80))))
        rows += [(f"{room}.d", at, float(at % 2)) for at in range(first, last, 97)]
        rows += [(f"{room}.e", at, float(at)) for at in range(first, last, 60)]
    return sorted(rows, key=lambda row: row[1])


def mapping_of(source: str, rooms: str, **temperature) -> dict:
    tags = {
        f"/^(?P<room>[{rooms}])[.]t$/": {"signal": "temperature", "asset": "room/{room}", "unit": "degC", **temperature}
    }
    for short, rule in {
        "h": {"signal": "humidity", "unit": "%"},
        "d": {"signal": "door", "states": {"0": "closed", "1": "open"}},
        "e": {"signal": "energy", "unit": "kWh"},
    }.items():
        tags[f"/^(?P<room>[{rooms}])[.]{short}$/"] = {"asset": "room/{room}", **rule}
    return {"source": source, "stream": {"tags": tags}}


NORTH, SOUTH = ROOMS[:20], ROOMS[20:]


def two_sources(make_site, root: Path):
    """A twin with two sources of one group: 20 rooms and 6 rooms."""
    site = make_site(root, {"north": mapping_of("north", NORTH), "south": mapping_of("south", SOUTH)})
    site.append(rows_of_rooms(NORTH), "north")
    site.append(rows_of_rooms(SOUTH), "south")
    site.historian().catch_up()
    return site


def changed(site, source: str, edit) -> dict[str, Mapping]:
    text = edit(mapping_of(source, {"north": NORTH, "south": SOUTH}[source]))
    return {**site.mappings, source: Mapping.model_validate(text)}


def revise(site, mappings, model=None, name: str = "r1") -> RevisionBranch:
    branch = RevisionBranch(site.root / "history", name)
    old = Sources(site.ledger, site.model, site.mappings)
    with branch.lock():
        build_revision(branch, old, Sources(site.ledger, model or site.model, mappings))
    return branch


def arrays(view) -> dict:
    """All cells, flags and rollups of a view, by group, signal and asset."""
    out = {}
    for group in view.groups():
        low, high = view.extent(group)
        for name in view.signals(group):
            out[group.path, name] = view.values(group, name, low, high), view.flags(group, name, low, high), (low, high)
            for step in ("1h", "1d"):
                entry = view.catalog.entry(group)
                if step in entry.year(2024).rollups:
                    per = entry.per(step)
                    found = view.rollup(group, name, step, low // per, high // per)
                    out |= {(group.path, name, step, statistic): part for statistic, part in found.items()}
    return out


def same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for key, found in one.items():
        np.testing.assert_equal(found, other[key], err_msg=str(key))


def rebuilt(site, mappings, model=None):
    """The view of a history that is built from the ledger under other definitions."""
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        historian = Historian(Path(folder), site.ledger, model or site.model, mappings)
        historian._activate = lambda: None  # the ledger is another twin's
        historian.rebuild()
        return arrays(open_view(Path(folder) / "history" / "icechunk"))


def fahrenheit(mapping: dict, *, since: str | None = None) -> dict:
    tags = mapping["stream"]["tags"]
    key = next(key for key in tags if "[.]t" in key)
    rule = tags[key]
    tags[key] = (
        {**rule, "unit": "degF"}
        if since is None
        else [{**rule, "valid_until": since}, {**rule, "unit": "degF", "valid_from": since}]
    )
    return mapping


def test_a_wrong_unit_of_one_source_changes_its_signal_alone(make_site, site):
    site = two_sources(make_site, site.root)
    mappings = changed(site, "south", fahrenheit)
    main = open_view(site.root / "history" / "icechunk")
    before = arrays(main)
    branch = revise(site, mappings)
    same(arrays(branch.view()), rebuilt(site, mappings))
    same(arrays(open_view(branch.path)), before)  # the published history is as it was
    group = Group("room", "1min")
    old, new = main._store.metadata, branch.view()._store.metadata
    for name in ("humidity", "humidity_qc", "door", "temperature"):
        path = f"{group.path}/2024/hot/{name}"
        shared = [key for key, ref in old.chunks(path).items() if new.chunks(path).get(key) == ref]
        assert len(shared) == len(old.chunks(path)) or name == "temperature", name
    assert branches(site.root / "history") == ["r1"]


def test_a_unit_that_is_wrong_from_a_date_on_changes_no_earlier_cell(make_site, site):
    site = two_sources(make_site, site.root)
    mappings = changed(site, "south", lambda text: fahrenheit(text, since="2024-01-02"))
    before = arrays(open_view(site.root / "history" / "icechunk"))
    branch = revise(site, mappings)
    after = arrays(branch.view())
    same(after, rebuilt(site, mappings))
    values = before["room/1min", "temperature"][0], after["room/1min", "temperature"][0]
    rows = np.flatnonzero((values[0] != values[1]).any(axis=1))
    assert rows[0] >= 24 * 60
    columns = np.flatnonzero((values[0] != values[1]).any(axis=0))
    assert columns.min() >= 20


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: {**text, "stream": {"tags": {k: v for k, v in text["stream"]["tags"].items() if "[.]h" not in k}}},
        lambda text: {
            **text,
            "stream": {"tags": {k: {**v, "asset": "room/south-{room}"} for k, v in text["stream"]["tags"].items()}},
        },
        lambda text: {**text, "priority": 5} if "priority" in text else fahrenheit(text),
    ],
    ids=["a signal less", "other assets", "other unit"],
)
def test_other_edits_give_what_a_rebuild_gives(make_site, site, edit):
    site = two_sources(make_site, site.root)
    mappings = changed(site, "south", edit)
    branch = revise(site, mappings)
    got, want = branch.view(), rebuilt(site, mappings)
    # Assets are never removed: columns of a revision may be more than those of a rebuild.
    mine = {asset: place for place, asset in enumerate(got.meta["assets"]["room"])}
    historian_assets = Sources(site.ledger, site.model, mappings)
    position = historian_assets.position()
    historian_assets.prepare(position)
    theirs = historian_assets.columns({}, historian_assets.marks(position).values())["room"]
    found = arrays(got)
    for name in ("temperature", "humidity", "door"):
        ours = found["room/1min", name]
        if ("room/1min", name) in want:
            span, other = ours[2], want["room/1min", name]
            rows = slice(other[2][0] - span[0], other[2][1] - span[0])
            places = [mine[asset] for asset in theirs]
            np.testing.assert_array_equal(ours[0][rows][:, places], other[0])
            np.testing.assert_array_equal(ours[1][rows][:, places], other[1])


def test_a_model_with_another_span_and_another_resolution_gives_what_a_rebuild_gives(make_site, site):
    site = two_sources(make_site, site.root)
    text = site.model.model_dump(mode="json", by_alias=True)
    signals = text["asset_types"]["room"]["signals"]
    signals["humidity"]["expected_span"] = [40, 60]
    signals["temperature"]["resolution"] = 0.5
    model = TwinModel.model_validate(text)
    branch = revise(site, site.mappings, model)
    same(arrays(branch.view()), rebuilt(site, site.mappings, model))


def test_a_revision_catches_up_with_the_published_history(make_site, site):
    site = two_sources(make_site, site.root)
    mappings = changed(site, "south", fahrenheit)
    branch = revise(site, mappings)
    new = Sources(site.ledger, site.model, mappings)
    assert is_current(branch, new)
    site.append(rows_of_rooms(SOUTH, MINUTES, MINUTES + 300), "south")
    site.append([("a.t", 500, 99.0)], "north")
    site.historian().catch_up()
    assert not is_current(branch, new)
    with branch.lock():
        catch_up(branch, new)
    assert is_current(branch, new)
    same(arrays(branch.view()), rebuilt(site, mappings))


def test_two_revisions_at_once_do_not_disturb_each_other(make_site, site):
    site = two_sources(make_site, site.root)
    one, other = changed(site, "south", fahrenheit), changed(site, "north", fahrenheit)
    first, second = revise(site, one, name="one"), revise(site, other, name="two")
    same(arrays(first.view()), rebuilt(site, one))
    same(arrays(second.view()), rebuilt(site, other))


edits = st.lists(
    st.tuples(
        st.sampled_from(["t", "h", "d", "e"]),
        st.sampled_from([None, "2024-01-01T10:00", "2024-01-02T01:00"]),
        st.sampled_from(["unit", "asset", "drop"]),
    ),
    min_size=1,
    max_size=3,
)
UNITS = {"t": "degF", "h": "1", "e": "Wh", "d": None}


@settings(max_examples=10, deadline=None)
@given(source=st.sampled_from(["north", "south"]), edits=edits)
def test_any_edit_of_a_mapping_gives_what_a_rebuild_gives(make_site, source, edits):
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        site = two_sources(make_site, Path(folder))

        def edit(text: dict) -> dict:
            tags = text["stream"]["tags"]
            for short, since, what in edits:
                key = next(key for key in tags if f"[.]{short}" in key)
                rules = tags[key] if isinstance(tags[key], list) else [tags[key]]
                rule = dict(rules[0])
                other = {
                    "unit": {**rule, "unit": UNITS[short]} if UNITS[short] else rule,
                    "asset": {**rule, "asset": "room/z"},
                }
                if what == "drop":
                    tags[key] = [{**rule, "valid_until": since or "2024-01-01T00:30"}]
                elif since is None:
                    tags[key] = other[what]
                else:
                    tags[key] = [{**rule, "valid_until": since}, {**other[what], "valid_from": since}]
            return text

        mappings = changed(site, source, edit)
        branch = revise(site, mappings)
        want = rebuilt(site, mappings)
        found = arrays(branch.view())
        for key, (values, flags, span) in ((key, found[key]) for key in found if len(key) == 2):
            if key in want and values.shape[1] == want[key][0].shape[1]:
                low, high = want[key][2]
                rows = slice(low - span[0], high - span[0])
                np.testing.assert_array_equal(values[rows], want[key][0], err_msg=str(key))
                np.testing.assert_array_equal(flags[rows], want[key][1], err_msg=str(key))


def oracle(old, new) -> dict:
    """Cells and flags that differ, counted over whole arrays."""
    a, b = arrays(old), arrays(new)
    out = {}
    for key in (key for key in a if len(key) == 2):
        values, flags = (a[key][0] != b[key][0]).sum(axis=0), (a[key][1] != b[key][1]).sum(axis=0)
        for place in np.flatnonzero(values + flags).tolist():
            out[key[1], old.meta["assets"]["room"][place]] = int(values[place]), int(flags[place])
    return out


@pytest.mark.parametrize("since", [None, "2024-01-01T13:00"])
def test_the_diff_has_exactly_the_cells_and_flags_that_differ(make_site, site, since):
    site = two_sources(make_site, site.root)
    branch = revise(site, changed(site, "south", lambda text: fahrenheit(text, since=since)))
    old, new = open_view(branch.path, branch.main()), branch.view()
    found = cell_changes(old, new)
    table = found.table.groupby(["signal", "asset"])[["cells", "flags_changed"]].sum()
    assert {key: tuple(row) for key, row in zip(table.index, table.to_numpy().tolist(), strict=True)} == oracle(
        old, new
    )
    flags = found.flags
    assert flags["cells"].sum() == found.flags_changed
    assert (flags["before"] != flags["after"]).all()
    one = found.table.iloc[0]
    assert one["unit"] == "degC"
    assert one["mean_after"] == pytest.approx((one["mean_before"] - 32) / 1.8, abs=0.06)
    assert one["mean_change"] == pytest.approx(one["mean_after"] - one["mean_before"], abs=1e-6)
    assert abs(one["largest_change"]) >= abs(one["mean_change"])
    part = cell_changes(old, new, span=(None, int(np.datetime64("2024-01-02", "ns").astype(int))))
    assert part.table["last"].max() < np.datetime64("2024-01-02") <= found.table["last"].max()


def test_equal_states_have_no_diff(make_site, site):
    site = two_sources(make_site, site.root)
    view = open_view(site.root / "history" / "icechunk")
    found = cell_changes(view, view)
    assert (found.cells, found.flags_changed, len(found.table), len(found.flags)) == (0, 0, 0, 0)


def test_garbage_collection_keeps_revisions_and_for_a_day_the_state_that_a_promotion_replaced(make_site, site):
    site = two_sources(make_site, site.root)
    mappings = changed(site, "south", fahrenheit)
    open_one, branch = (
        revise(site, changed(site, "north", fahrenheit), name="open"),
        revise(site, mappings, name="done"),
    )
    before, after, other = open_view(branch.path, branch.main()), branch.view(), open_one.view()
    wanted = [arrays(view) for view in (before, after, other)]
    with branch.lock():
        branch.promote()
        branch.delete()
    store = HistoryStore.open(site.root / "history")
    reference = branch.path / "refs" / "branch.replaced.done" / "ref.json"
    with store.lock():
        sweep(store._repository, store.path, cut=datetime.fromtimestamp(reference.stat().st_mtime - 1, UTC))
        for view, arrays_before in zip((before, after, other), wanted, strict=True):
            same(arrays(open_view(view.path, view.snapshot)), arrays_before)
        sweep(store._repository, store.path, cut=datetime.now(UTC) + timedelta(seconds=1))
    assert not reference.exists()
    same(arrays(open_history(site.root / "history")), wanted[1])
    same(arrays(open_history(site.root / "history", branch="revision.open")), wanted[2])
