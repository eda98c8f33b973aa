"""Logging in and out as people do, in Chromium, over TLS with a certificate made for the test."""

import re
import subprocess

import pytest

from twinlab.apps import start
from twinlab.apps.login.passwords import Cost
from twinlab.apps.login.users import Users
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.browser

WAIT = 60_000
PASSWORD = "quiet harbour seven"


@pytest.fixture(scope="module")
def served(tmp_path_factory, need):
    need("openssl")
    folder = tmp_path_factory.mktemp("door")
    users = Users(folder / "users.json", cost=Cost(passes=1, memory=32))
    users.add("dora", PASSWORD, roles=["admin"])
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", "key.pem", "-out", "cert.pem"], check=True, capture_output=True, cwd=folder)
    page = start(
        FakeTwin.example(days=10, trips=50), users=users.path, certificate=folder / "cert.pem", key=folder / "key.pem"
    )
    yield page
    page.stop()


@pytest.fixture
def visit(browser, served):
    """Return ``open(**how)``: a fresh browser's context, watched for requests that leave this machine."""
    contexts, outside = [], []

    def go(**how):
        context = browser.new_context(ignore_https_errors=True, **how)
        context.set_default_timeout(WAIT)
        inside = (served.url, served.url.replace("https", "wss", 1), "data:", "blob:", "about:")
        context.on("request", lambda one: None if one.url.startswith(inside) else outside.append(one.url))
        contexts.append(context)
        return context

    yield go
    for context in contexts:
        context.close()
    assert outside == []


def test_a_reader_logs_in_reads_and_logs_out(visit, served):
    context = visit()
    page = context.new_page()
    page.goto(f"{served.url}?page=history&signal=wind_speed")
    assert page.title() == "Log in · Three stations"
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("Dora")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Name or password isn't right.").wait_for()
    assert page.get_by_label("Name").input_value() == "Dora"
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("data to|ended 20")).first.wait_for()
    assert "signal=wind_speed" in page.url and "/login" not in page.url
    # Scripts don't see the login.
    assert page.evaluate("document.cookie") == ""
    with context.expect_page() as other:
        page.evaluate("window.open('/logout')")
    other.value.wait_for_url(f"{served.url}login")
    # The page that stood open doesn't stay.
    page.wait_for_url(re.compile(r"/login\?next="))
    assert page.goto(served.url).url == f"{served.url}login?next=/"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_fits_a_phone_and_can_be_read_in_both_themes(visit, served, theme):
    page = visit(viewport={"width": 390, "height": 780}, color_scheme=theme).new_page()
    page.goto(served.url)
    page.get_by_label("Name").fill("dora")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("header", "h1", "p.bad", "label", "input[name=name]", "button"):
        assert page.locator(part).first.evaluate(CONTRAST) >= 4.5, part


#: Contrast of an element's text with what lies behind it, as WCAG 2.2 defines it.
CONTRAST = """element => {
    const parts = text => (text.match(/[0-9.]+/g) || []).map(Number);
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    let behind = element;
    while (parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const pair = [parts(getComputedStyle(element).color), parts(getComputedStyle(behind).backgroundColor)].map(light);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""
