"""The login and logout pages: every value is text, never markup."""

from html.parser import HTMLParser

from twinlab.apps.login.page import login_html, logout_html

EVIL = "<script>alert(1)</script>\"'&"


class Tags(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def field(self, name: str) -> dict[str, str | None]:
        return next(attrs for tag, attrs in self.found if tag == "input" and attrs.get("name") == name)


def test_every_value_is_escaped_and_comes_back_as_it_was() -> None:
    made = login_html(title=EVIL, token=EVIL, nonce=EVIL, next=EVIL, message=EVIL, name=EVIL)
    assert "<script" not in made
    tags = Tags(made)
    assert [tags.field(name)["value"] for name in ("_xsrf", "next", "name")] == [EVIL] * 3
    assert next(attrs for tag, attrs in tags.found if tag == "style")["nonce"] == EVIL
    assert "<script" not in logout_html(title=EVIL, token=EVIL, nonce=EVIL)
    assert Tags(logout_html(title="a", token=EVIL, nonce="b")).field("_xsrf")["value"] == EVIL


def test_the_field_that_is_typed_next_has_the_focus() -> None:
    first = Tags(login_html(title="a", token="b", nonce="c", next="/"))
    again = Tags(login_html(title="a", token="b", nonce="c", next="/", message="Wrong.", name="dora"))
    assert "autofocus" in first.field("name") and "autofocus" not in first.field("password")
    assert "autofocus" in again.field("password") and "autofocus" not in again.field("name")
    assert "required" in first.field("name") and "required" in again.field("password")


def test_a_message_is_an_alert_and_the_style_sheet_is_no_text() -> None:
    assert "With the name and password" in login_html(title="a", token="b", nonce="c", next="/")
    made = login_html(title="a", token="b", nonce="c", next="/", message="Name or password isn't right.")
    assert '<p class="bad" role="alert">Name or password isn&#39;t right.</p>' in made
    assert 'font: 16px/1.45 Roboto, system-ui, -apple-system, "Segoe UI", sans-serif' in made
