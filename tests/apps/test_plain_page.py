"""The frame of pages without scripts."""

from twinlab._html import html
from twinlab.apps.plain_page import plain_page, plain_policy

EVIL = "<script>alert(1)</script>"


def test_texts_are_escaped_and_the_style_has_the_nonce_of_the_policy():
    made = plain_page(html("<p>body</p>"), title=EVIL, style='p { font: "A" }', nonce="abc", heading=EVIL)
    assert "<script" not in made
    assert '<style nonce="abc">' in made and '"A"' in made
    assert "style-src 'nonce-abc'" in plain_policy("abc")


def test_a_page_has_one_heading_which_is_its_title_without_another():
    with_heading = plain_page(html("<p>body</p>"), title="Twin", style="", nonce="n", heading="Terms")
    assert with_heading.count("<h1>") == 1
    assert "<title>Terms · Twin</title>" in with_heading and "<h1>Terms</h1>" in with_heading
    alone = plain_page(html("<p>body</p>"), title="Twin", style="", nonce="n")
    assert alone.count("<h1>") == 1
    assert "<title>Twin</title>" in alone and "<h1>Twin</h1>" in alone
