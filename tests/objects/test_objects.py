"""Addresses, the cache on the disk, and parts of objects; without a server."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.objects.address import Address, address_in
from twinlab.objects.bucket import Bucket
from twinlab.objects.credentials import credential_settings
from twinlab.objects.disk_cache import DiskCache, cache_limit
from twinlab.objects.parts import FileParts, MissingPartError, ObjectParts, Part
from twinlab.objects.waiting import side_by_side


class _Folder:
    """A bucket that is a folder, and counts."""

    address = Address("plant")

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, []

    def get(self, name: str) -> tuple[bytes, str]:
        self.asked.append(name)
        return (self.folder / name.removeprefix("p/")).read_bytes(), ""

    def part(self, name: str, first: int, end: int) -> bytes:
        self.asked.append(name)
        return (self.folder / name.removeprefix("p/")).read_bytes()[first:end]


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Leave nothing of AWS in the environment; return the folder of its files."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


@pytest.mark.parametrize("text", ["s3://", "s3:///pilot", "s3://A/pilot", "ftp://plant/pilot", "plant/pilot"])
def test_an_address_names_a_bucket(text: str) -> None:
    with pytest.raises(SchemaError, match="expected an address such as s3://bucket/prefix"):
        Address.parse(text)


def test_an_address_has_no_credentials() -> None:
    with pytest.raises(SchemaError, match="expected an address without user, password or options") as caught:
        Address.parse("s3://plant/me:secret@host")
    assert "secret" not in str(caught.value)


def test_the_address_of_a_path_has_its_slashes_again() -> None:
    assert address_in(Path("s3://plant/pilots/cold")) == "s3://plant/pilots/cold"


def test_endpoint_region_and_keys_come_from_the_environment_then_the_profile(
    no_aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (no_aws / "config").write_text(
        "[default]\nregion = eu-1\n[profile far]\nregion = eu-2\nendpoint_url = https://store.example\n"
    )
    (no_aws / "credentials").write_text("[far]\naws_access_key_id = A\naws_secret_access_key = B\n")
    assert Address.parse("s3://plant").region == "eu-1"
    assert credential_settings() == {}
    monkeypatch.setenv("AWS_PROFILE", "far")
    found = Address.parse("s3://plant/")
    assert (found.endpoint, found.region, found.url) == ("https://store.example", "eu-2", "s3://plant")
    assert credential_settings() == {"access_key_id": "A", "secret_access_key": "B"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://other.example")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "C")
    assert Address.parse("s3://plant").endpoint == "https://other.example"
    assert Address.parse("s3://plant", endpoint="https://mine.example").endpoint == "https://mine.example"
    assert credential_settings() == {}


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_other_clouds_have_addresses_of_the_same_form(
    scheme: str, no_aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "works")
    found = Address.parse(f"{scheme}://plant/pilots/cold/")
    assert (found.url, found.endpoint, found.region) == (f"{scheme}://plant/pilots/cold", None, None)
    assert Address(**found.to_json()) == found
    assert address_in(Path(found.url)) == found.url
    assert Bucket(found).address.account == ("works" if scheme == "az" else None)


def test_a_storage_account_is_named_by_the_environment_or_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    assert Address.parse("az://plant", endpoint="https://works.blob.core.windows.net").account == "works"
    with pytest.raises(
        SchemaError, match="expected the name of a storage account, there is none: set AZURE_STORAGE_ACC"
    ):
        Address.parse("az://plant", endpoint="http://127.0.0.1:10000/works")


def test_the_cache_drops_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", limit=10_000)
    for number in range(9):
        cache.put(f"part {number}", bytes(1000))
        os.utime(cache.path(f"part {number}"), (1000 + number, 1000 + number))
    assert cache.get("part 0") == bytes(1000)  # used again
    for number in range(9, 12):
        cache.put(f"part {number}", bytes(1000))
    assert cache.get("part 0") is not None
    assert cache.get("part 1") is None
    assert cache.get("part 11") is not None
    assert sum(path.stat().st_size for path in cache.folder.glob("??/*")) <= cache.limit


def test_a_damaged_file_of_the_cache_counts_as_none(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", limit=10_000)
    cache.put("part", b"abcdef")
    cache.path("part").write_bytes(b"abcdxf1234")
    assert cache.get("part") is None
    assert not cache.path("part").exists()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "cache", limit=10_000)
    cache.put("part", b"abc")
    assert cache.get("part") is None


def test_the_limit_of_the_cache_is_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLAB_OBJECT_CACHE", "1.5 GB")
    assert cache_limit() == 1_500_000_000
    monkeypatch.setenv("TWINLAB_OBJECT_CACHE", "much")
    with pytest.raises(SchemaError, match="TWINLAB_OBJECT_CACHE: expected a size such as '500 MB'"):
        cache_limit()


@settings(max_examples=30)
@given(
    sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=4),
    data=st.data(),
)
def test_objects_and_files_give_the_same_parts(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("objects")
    for number, size in enumerate(sizes):
        (folder / str(number)).write_bytes(os.urandom(size))
    wanted = []
    for _ in range(data.draw(st.integers(1, 6))):
        number = data.draw(st.integers(0, len(sizes) - 1))
        first = data.draw(st.integers(0, sizes[number] - 1))
        wanted.append(Part(str(number), first, data.draw(st.integers(first, sizes[number])), sizes[number]))
    bucket = _Folder(folder)
    reader = ObjectParts(bucket, "p", DiskCache(folder / "cache", limit=10**9))
    expected = FileParts(folder).parts(wanted)
    assert reader.parts(wanted) == expected
    asked = len(bucket.asked)
    assert asked <= len(wanted)
    assert reader.parts(wanted) == expected
    assert len(bucket.asked) == asked


def test_a_part_beyond_the_end_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(MissingPartError, match="too short") as caught:
        FileParts(tmp_path).parts([Part("a", 0, 3), Part("a", 1, 9)])
    assert caught.value.number == 1
    reader = ObjectParts(_Folder(tmp_path), "p", DiskCache(tmp_path / "cache", limit=10**9))
    with pytest.raises(MissingPartError, match="too short"):
        reader.parts([Part("a", 1, 9, 3)])


def test_calls_within_calls_wait_side_by_side_and_never_for_each_other() -> None:
    def tree(depth: int) -> int:
        time.sleep(0.001)
        return 1 if not depth else sum(side_by_side(tree, [depth - 1] * 3))

    # More calls than threads, and more levels than there are of threads.
    assert sum(side_by_side(tree, [5] * 40)) == 40 * 3**5
    with pytest.raises(ValueError, match="invalid literal"):
        side_by_side(int, ["1", "x"])


def test_a_part_that_is_asked_for_at_this_moment_is_fetched_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100_000))
    bucket = _Folder(tmp_path)
    plain = bucket.part
    bucket.part = lambda *what: (time.sleep(0.05), plain(*what))[1]
    reader = ObjectParts(bucket, "p", DiskCache(tmp_path / "cache", limit=10**9))
    found = side_by_side(lambda _: reader.parts([Part("a", 1, 9, 100_000)]), range(20))
    assert found == [[bytes(8)]] * 20
    assert len(bucket.asked) == 1
