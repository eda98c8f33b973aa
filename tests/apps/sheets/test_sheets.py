"""Sheets that programs fetch: who gets them, what is in them, and that a token opens nothing else."""

import base64
import csv
import io
import json
import re

import pytest

from tests.apps.login.web import PASSWORDS, Web
from twinlab.apps import start
from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.login.users import Users
from twinlab.apps.sheets.help_page import power_query
from twinlab.explore.kit.session import Shared
from twinlab.explore.pages.now.dispatch.feed import sheet_feed

SHEET = "/sheets/exceptions.csv"


def basic(name: str, token: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{token}'.encode()).decode()}"}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory):
    """A twin with exceptions in two rooms; dispatchers see the rooms of the north alone."""
    return warm_rooms(tmp_path_factory.mktemp("sheets") / "cold")


def warm_rooms(folder):
    import twinlab as tl

    folder.parent.mkdir(exist_ok=True)
    file = folder.parent / "rooms.csv"
    lines = [f"2026-03-01 00:{minute:02d};{room};9" for minute in range(0, 60, 5) for room in ("N1", "S1")]
    file.write_text("time;room;temperature (degC)\n" + "\n".join(lines) + "\n", encoding="utf-8")
    made = tl.create(folder, files=[file])
    made.close()
    path = folder / "twin.yaml"
    rule = "rules:\n  too_warm: {on: room, when: temperature > 8 degC, title: '=1+1 too warm', severity: high, lasting: 5min}\n"
    path.write_text(path.read_text(encoding="utf-8") + rule, encoding="utf-8")
    policy = {
        "roles": {
            "dispatcher": {"pages": ["now"], "assets": [{"type": "room", "ids": ["N1"]}]},
            "steward": {"pages": ["*"]},
            "planner": {"pages": ["what_if"]},
        }
    }
    (folder / "access.yaml").write_text(json.dumps(policy), encoding="utf-8")
    made = tl.open(folder)
    made.ingest(file)
    return made


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Users:
    made = Users(tmp_path_factory.mktemp("users") / "users.json")
    made.add("dora", PASSWORDS["dora"], roles=["dispatcher"])
    made.add("sara", PASSWORDS["sara"], roles=["steward"])
    made.add("paul", PASSWORDS["sara"], roles=["planner"])
    return made


@pytest.fixture(scope="module")
def web(twin, users: Users):
    served = start(twin, users=users.path)
    yield Web(served.url)
    served.stop()


@pytest.fixture(scope="module")
def tokens(users: Users) -> dict[str, str]:
    return {name: Tokens(users).make(name)[0] for name in ("dora", "sara", "paul")}


def test_a_token_gives_the_sheet_by_both_ways_of_logging_in(web: Web, tokens: dict[str, str]) -> None:
    first = web.ask(SHEET, headers=basic("Sara", tokens["sara"]))
    again = web.ask(SHEET, headers={"Authorization": f"Bearer {tokens['sara']}"})
    assert (first.status, first.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert first.text == again.text
    found = rows(first.text)
    assert sorted(row["Asset"] for row in found) == ["N1", "S1"]
    assert list(found[0])[-3:] == ["Note", "Acknowledged", "twinlab key"]
    # A spreadsheet program evaluates nothing.
    assert {row["What"] for row in found} == {"'=1+1 too warm"}
    assert re.fullmatch(r"2026-03-01 \d\d:\d\d:\d\d", found[0]["Since (UTC)"])


def test_the_sheet_has_the_columns_of_the_workbook(web: Web, twin, tokens: dict[str, str]) -> None:
    from openpyxl import load_workbook

    from twinlab.explore.pages.now.page import NowView

    book = load_workbook(NowView(twin).sheet.workbook())["Exceptions"]
    header = [cell.value for cell in book[1]]
    assert header[-1] == "twinlab row"
    assert list(rows(web.ask(SHEET, headers=basic("sara", tokens["sara"])).text)[0]) == header[:-1]


def test_a_restricted_reader_gets_only_what_they_see(web: Web, twin, tokens: dict[str, str]) -> None:
    for row in sheet_feed(Shared(twin)).to_dict("records"):
        twin.annotate(row["twinlab key"], note=f"@note of {row['Asset']}", acknowledged=True, author="sara")
    for extra in ("", "?asset=S1", "?role=steward", "?user=sara", "?purpose=all"):
        answer = web.ask(SHEET + extra, headers=basic("dora", tokens["dora"]))
        assert answer.status == 200
        assert [row["Asset"] for row in rows(answer.text)] == ["N1"]
        assert "S1" not in answer.text
        assert [(row["Note"], row["Acknowledged"]) for row in rows(answer.text)] == [("'@note of N1", "yes")]
    # The cache of somebody else isn't theirs, whoever asks first.
    assert "S1" in web.ask(SHEET, headers=basic("sara", tokens["sara"])).text
    assert "S1" not in web.ask(SHEET, headers=basic("dora", tokens["dora"])).text
    assert web.ask(SHEET, headers=basic("paul", tokens["paul"])).status == 403


def test_without_a_token_that_counts_a_program_is_asked_to_log_in(
    web: Web, users: Users, tokens: dict[str, str]
) -> None:
    ended = Tokens(users).make("paul")[0]
    users.set_password("paul", "another quiet harbour")
    wrong = [
        {}, basic("dora", tokens["sara"]), basic("dora", PASSWORDS["dora"]), basic("dora", ""), basic("paul", ended),
        {"Authorization": "Basic !!!"}, {"Authorization": f"Bearer {'x' * 5000}"}, {"Authorization": "Bearer"},
    ]  # fmt: skip
    for headers in wrong:
        answer = web.ask(SHEET, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="twinlab"')
        assert "N1" not in answer.text


@pytest.mark.parametrize("path", ["/sheets/", SHEET, "/sheets/exceptions.fods", "/sheets/nothing", "/sheets/../"])
def test_every_address_below_sheets_asks_for_a_login_whatever_the_method(web: Web, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"):
        assert web.ask(path, method=method).status == 401


def test_a_token_opens_sheets_and_nothing_else(web: Web, tokens: dict[str, str]) -> None:
    for path in ("/", "/?page=now", "/autoload.js?bokeh-autoload-element=1", "/ws", "/sheets/../", "/sheets"):
        answer = web.ask(path, headers=basic("sara", tokens["sara"]) | {"Accept": "*/*"})
        assert answer.status in (302, 401, 403, 404), path
        assert "Set-Cookie" not in answer.headers or "twinlab" not in answer.headers["Set-Cookie"]
        assert "token" not in answer.text or answer.status == 401
    assert web.ask(SHEET, method="POST", headers=basic("sara", tokens["sara"])).status in (403, 405)
    assert web.ask(SHEET, headers=basic("sara", tokens["sara"]) | {"Host": "evil.example"}).status == 421


def test_what_has_not_changed_is_not_sent_again(web: Web, tokens: dict[str, str]) -> None:
    login = basic("sara", tokens["sara"])
    first = web.ask(SHEET, headers=login)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = web.ask(SHEET, headers=login | {"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    head = web.ask(SHEET, method="HEAD", headers=login)
    assert (head.status, head.text, head.headers["ETag"]) == (200, "", first.headers["ETag"])


def test_the_help_and_the_template_have_the_address_and_never_a_token(web: Web, tokens: dict[str, str]) -> None:
    login = basic("dora", tokens["dora"])
    page, template = web.ask("/sheets/", headers=login), web.ask("/sheets/exceptions.fods", headers=login)
    address = f"{web.url.rstrip('/')}{SHEET}"
    assert (page.status, template.status) == (200, 200)
    assert address in page.text
    assert f'xlink:href="{address}"' in template.text
    for text in (page.text, template.text):
        assert tokens["dora"] not in text
        assert "twinlab_" not in text
    german = web.ask("/sheets/", headers=login | {"Accept-Language": "de"})
    assert "Ein Blatt, das sich selbst aktualisiert" in german.text


def test_a_reader_who_has_logged_in_needs_no_token(web: Web) -> None:
    assert "S1" not in web.ask(SHEET, cookies=web.login("dora")).text


def test_a_sheet_is_bounded_and_says_what_is_left_out(twin) -> None:
    found = sheet_feed(Shared(twin), most=1)
    assert len(found) == 2
    assert found["twinlab key"].iloc[-1] == "1 more rows aren't shown; see page Now"


def test_the_query_for_excel_quotes_the_address() -> None:
    assert 'Web.Contents("https://a/""x")' in power_query('https://a/"x')
