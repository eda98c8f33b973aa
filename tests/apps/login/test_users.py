"""The users file: private, with hashed passwords, replaced in one step."""

import io
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.apps.login import passwords
from twinlab.apps.login.passwords import Cost, check_password, cost_of, hash_password, is_hash
from twinlab.apps.login.scrypt import ScryptCost
from twinlab.apps.login.user_command import manage_users
from twinlab.apps.login.users import Users, normalized_name
from twinlab.cli import main
from twinlab.errors import SchemaError, SourceError, UnknownTermError

QUICK = Cost(passes=1, memory=32)
GOOD = "quiet harbour seven"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "users.json"


@pytest.fixture
def users(path):
    users = Users(path, cost=QUICK)
    users.add("dora", GOOD, roles=["dispatcher"])
    return users


@settings(max_examples=25)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_hashed_password_fits(one, other):
    hashed = hash_password(one, cost=QUICK)
    assert check_password(one, hashed)
    same = passwords.unicodedata.normalize("NFKC", one) == passwords.unicodedata.normalize("NFKC", other)
    assert check_password(other, hashed) is same


def test_one_password_is_never_hashed_alike_twice():
    first, second = (hash_password(GOOD, cost=QUICK) for _ in range(2))
    assert first != second
    assert is_hash(first) and GOOD not in first


def test_each_hash_names_its_own_cost():
    assert hash_password("x", cost=Cost(passes=2, memory=64, lanes=1)).startswith("$argon2id$v=19$m=64,t=2,p=1$")
    # RFC 9106, section 4, second recommended option.
    assert Cost() == Cost(passes=3, memory=64 * 1024, lanes=4)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "secret",
        "$argon2id$v=19$m=32,t=1,p=4$AAAA$AAAA",
        "$argon2i$v=19$m=32,t=1,p=4${salt}${hash}",
        "$argon2id$v=16$m=32,t=1,p=4${salt}${hash}",
        "$argon2id$v=19$m=99999999,t=1,p=4${salt}${hash}",
        "$argon2id$v=19$m=32,t=0,p=4${salt}${hash}",
        "$argon2id$v=19$m=32,t=999,p=4${salt}${hash}",
        "$argon2id$v=19$m=32,t=1,p=99${salt}${hash}",
        "$argon2id$v=19$m=16,t=1,p=4${salt}${hash}",
        "$argon2id$v=19$m=32,t=1,p=4${salt}${hash}$",
        "$argon2id$v=19$m=32,t=1,p=4${salt}$!",
        "scrypt$15$8$3$AAAA$AAAA",
        "md5$15$8$3${salt}${hash}",
        "scrypt$40$8$3${salt}${hash}",
        "scrypt$0$8$3${salt}${hash}",
        "scrypt$15$999$3${salt}${hash}",
        "scrypt$15$8$3${salt}$!",
    ],
)
def test_what_is_no_hash_is_refused_before_it_costs_anything(broken):
    salt, kept = hash_password("x", cost=QUICK).split("$")[4:]
    with pytest.raises(SchemaError, match="hash"):
        check_password("x", broken.replace("{salt}", salt).replace("{hash}", kept))


#: What twinlab wrote for GOOD before it used Argon2, with Cost(log_n=4) and with the default cost.
SCRYPT_QUICK = "scrypt$4$8$3$RahGIaoYjwMS6oD8xfNipw==$0bYdj6qObFCMBZREV/pRPryFpZR9OfpLnQ5NaZeN94A="
SCRYPT = "scrypt$15$8$3$taUX537tfIryNNzV+mttWg==$ETmSngqg4o2D2bo28g64Obv8Hs6q4TTRn/dfLd/WYFI="


def write_hash(path, hashed, name="dora"):
    found = json.loads(path.read_text())
    found["users"][name] = {"roles": ["dispatcher"], "password": hashed, "changed": "2026-01-01T00:00:00Z"}
    path.write_text(json.dumps(found))


@pytest.mark.parametrize("hashed", [SCRYPT_QUICK, SCRYPT])
def test_a_hash_of_before_is_still_right_and_is_renewed_at_the_next_login(users, path, hashed):
    write_hash(path, hashed)
    assert users.check("dora", "wrong") is None
    assert users.accounts()["dora"].password == hashed
    account = users.check("dora", GOOD)
    assert account == users.accounts()["dora"]
    assert account.password.startswith(str(QUICK) + "$")
    assert (account.roles, account.changed) == (("dispatcher",), "2026-01-01T00:00:00Z")
    assert path.stat().st_mode & 0o777 == 0o600
    # Nothing is left to renew: the next login writes nothing.
    stamp = path.stat().st_mtime_ns
    assert users.check("dora", GOOD) == account
    assert path.stat().st_mtime_ns == stamp


def test_logins_at_once_renew_a_hash_of_before_and_all_of_them_last(users, path):
    write_hash(path, SCRYPT_QUICK)
    with ThreadPoolExecutor(4) as pool:
        accounts = list(pool.map(lambda _: users.check("dora", GOOD), range(8)))
    assert set(accounts) == {users.account("dora")}


def test_a_password_changed_while_a_hash_is_renewed_counts(users, path, monkeypatch):
    write_hash(path, SCRYPT_QUICK)
    change = Users._change

    def first_another(self, work, **settings):
        monkeypatch.setattr(Users, "_change", change)
        Users(path, cost=QUICK).set_password("dora", "another harbour now")
        change(self, work, **settings)

    monkeypatch.setattr(Users, "_change", first_another)
    assert users.check("dora", GOOD) is None
    assert users.check("dora", "another harbour now") is not None


def test_a_users_file_that_cannot_be_written_still_lets_people_in(users, path, monkeypatch, caplog):
    write_hash(path, SCRYPT_QUICK)

    def refused(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr("twinlab.apps.login.users.write_private", refused)
    assert users.check("dora", GOOD).password == SCRYPT_QUICK
    assert "isn't renewed" in caplog.text


def test_a_users_file_holds_names_roles_and_hashes_and_is_private(users, path):
    found = json.loads(path.read_text())
    assert found["version"] == 1
    assert found["users"]["dora"]["roles"] == ["dispatcher"]
    assert GOOD not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(path.parent.glob("*.new"))


def test_name_and_password_are_checked_together(users):
    assert users.check("dora", GOOD).roles == ("dispatcher",)
    assert users.check(" DORA ", GOOD) is not None
    assert users.check("dora", GOOD.upper()) is None
    assert users.check("nobody", GOOD) is None
    assert users.check("", "") is None


def watch_costs(monkeypatch):
    """Return a list of the costs of all hashes that are computed from now on."""
    costs = []

    def watched(password, hashed):
        costs.append(cost_of(hashed))
        return check_password(password, hashed)

    monkeypatch.setattr("twinlab.apps.login.users.check_password", watched)
    return costs


def test_an_unknown_name_costs_as_much_as_a_wrong_password(users, monkeypatch):
    costs = watch_costs(monkeypatch)
    users.check("dora", "wrong")
    users.check("nobody", "wrong")
    assert costs == [QUICK, QUICK]


def test_with_hashes_of_two_kinds_an_unknown_name_costs_as_much_as_one_of_them_each_time(users, path, monkeypatch):
    write_hash(path, SCRYPT_QUICK, name="sara")
    costs = watch_costs(monkeypatch)
    tries = [(users.check(f"nobody {n}", "wrong"), costs.pop()) for n in range(40)]
    assert {cost for _, cost in tries} == {QUICK, ScryptCost(4, 8, 3)}
    again = [(users.check(f"nobody {n}", "wrong"), costs.pop()) for n in range(40)]
    assert again == tries


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o777])
def test_a_users_file_that_others_can_read_is_refused(users, path, mode):
    path.chmod(mode)
    with pytest.raises(SourceError, match=f"chmod 600 {path}"):
        users.accounts()
    assert users.check("dora", GOOD) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"users": {}}',
        '{"version": 1, "users": []}',
        '{"version": 9, "users": {}}',
        '{"version": 1, "users": {"dora": {"roles": ["viewer"], "password": "quiet", "changed": ""}}}',
        '{"version": 1, "users": {"dora": {"roles": ["viewer"]}}}',
    ],
)
def test_what_is_no_users_file_lets_nobody_in(path, text, caplog):
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SchemaError, match=r"users\.json|users of version"):
        Users(path).accounts()
    assert Users(path, cost=QUICK).check("dora", GOOD) is None
    assert "nobody can log in" in caplog.text


def test_a_change_of_the_file_counts_at_once(users, path):
    other = Users(path, cost=QUICK)
    assert other.check("dora", GOOD) is not None
    users.set_password("dora", "another harbour now")
    assert other.check("dora", GOOD) is None
    assert other.check("dora", "another harbour now").roles == ("dispatcher",)
    users.remove("dora")
    assert other.check("dora", "another harbour now") is None
    path.unlink()
    assert other.accounts is not None
    with pytest.raises(SourceError, match=r"users\.json"):
        other.accounts()


def test_two_who_add_at_once_lose_nobody(users, path):
    names = ["sara", "rene", "pete", "olga"]
    threads = [threading.Thread(target=Users(path, cost=QUICK).add, args=(name, GOOD)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(users.accounts()) == sorted([*names, "dora"])


@pytest.mark.parametrize("password", ["short", "", "x" * 2000, "aaaaaaaaaaaaaaaaa", "doradoradoradora"])
def test_a_poor_password_is_refused_without_being_repeated(users, password):
    with pytest.raises(SchemaError) as refused:
        users.set_password("dora", password)
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("name", ["", " ", "a/b", "../x", ".hidden", "a b", "x" * 65, "a\nb"])
def test_a_strange_name_is_refused(users, name):
    with pytest.raises(SchemaError, match="name of 1 to 64"):
        users.add(name, GOOD)


def test_names_are_one_however_they_are_typed(users):
    assert normalized_name("  Jürgen ") == "jürgen"
    with pytest.raises(SchemaError, match="already"):
        users.add("DORA", GOOD)
    with pytest.raises(UnknownTermError, match="it has: dora"):
        users.remove("nobody")


def test_the_command_adds_lists_and_removes(path, monkeypatch, capsys):
    def run(*arguments, typed=GOOD):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        code = main(["user", *arguments])
        return code, "".join(capsys.readouterr())

    file = str(path)
    assert run("add", file, "Dora", "--role", "dispatcher", "--stdin")[0] == 0
    assert "dora" in run("list", file)[1]
    code, said = run("add", file, "dora", "--stdin")
    assert code == 1 and "already" in said
    code, said = run("add", file, "sara", "--role", "captain", "--stdin")
    assert code == 0 and "no page opens to the role captain" in said
    assert run("passwd", file, "dora", "--stdin", typed="another harbour now")[0] == 0
    assert Users(path).check("dora", "another harbour now") is not None
    assert run("remove", file, "dora")[0] == 0
    assert "dora" not in run("list", file)[1]
    code, said = run("remove", file)
    assert code == 1 and "expected a name" in said
    code, said = run("add", file, "rene")
    assert code == 1 and "--stdin" in said
    code, said = run("passwd", file, "sara", "--role", "viewer", "--stdin")
    assert code == 1 and "--role with add only" in said


def test_at_a_terminal_the_password_is_asked_for_twice(path, monkeypatch):
    typed = iter([GOOD, "quiet harbour sevem", GOOD, GOOD])
    monkeypatch.setattr("twinlab.apps.login.user_command.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    with pytest.raises(SchemaError, match="differ"):
        manage_users("add", path, name="dora")
    assert not path.exists()
    assert manage_users("add", path, name="dora") == "dora can log in now, as viewer"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match="expected a folder"):
        Users(tmp_path / "none" / "users.json", cost=QUICK).add("dora", GOOD)


def test_without_argon2_the_command_names_the_extra(path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "argon2", None)
    for name in ("passwords", "users", "user_command"):
        monkeypatch.delitem(sys.modules, f"twinlab.apps.login.{name}", raising=False)
    assert main(["user", "list", str(path)]) == 1
    assert capsys.readouterr().err == 'twinlab: a login needs argon2-cffi: pip install "twinlab-kit[explore]"\n'
