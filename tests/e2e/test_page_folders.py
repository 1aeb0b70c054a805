"""Folders on the correction page: search in their texts, their hands, and exports of some of their pages."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window, serious
from tests.parts.correction_page import PAGES, add_page, make_folder, open_page


@pytest.fixture(scope="session")
def tiny_models(drawn_models: Path) -> Path:
    """Have the system use the base model that reads drawn pages."""
    return drawn_models


def test_a_search_shows_lines_with_their_pages_and_opens_one(window: Window, tmp_path: Path) -> None:
    """In all folders or in one; the matching words are marked, and the line is selected on its page."""
    words = PAGES[1][4].split()
    make_folder(window, "Diary")
    add_page(window, PAGES[0], tmp_path)
    add_page(window, PAGES[1], tmp_path)
    open_page(window, 1)
    window.page.locator("li.line textarea").nth(4).fill(PAGES[1][4])
    window.press("Enter")
    window.wait_saved(4)
    window.page.locator(".top [type=search]").fill(f"{words[2]} {words[0]}")
    window.press("Enter")
    hit = window.page.locator(".hits li").first
    expect(hit.locator(".text")).to_have_text(PAGES[1][4])
    expect(hit).to_contain_text("Diary")
    expect(hit).to_contain_text("Page 2, line 5")
    assert [mark.inner_text() for mark in hit.locator("mark").all()] == [words[0], words[2]]
    assert serious(Axe().run(window.page)) == []
    hit.locator("a").click()
    window.page.wait_for_selector("li.line:nth-child(5).active textarea:focus")
    window.page.click(".crumbs a:nth-child(2)")
    window.page.locator(".row [type=search]").fill(words[0])
    window.press("Enter")
    expect(window.page.locator("select")).to_contain_text("Diary")
    expect(window.page.locator(".hits li").first).to_contain_text(words[0])
    window.page.select_option("select", "")
    expect(window.page.locator("select")).to_have_count(0)


def test_a_search_without_words_or_hits_says_what_to_do(window: Window, tmp_path: Path) -> None:
    """At the field; a folder that is deleted meanwhile is named, too."""
    make_folder(window, "Empty")
    window.page.locator(".top [type=search]").fill("?!")
    window.press("Enter")
    expect(window.page.locator("#words-error")).to_have_text("Type at least one word with a letter or a number.")
    window.page.locator("#words").fill("אבגד")
    window.press("Enter")
    expect(window.page.locator("main")).to_contain_text("No line has these words.")
    expect(window.page.locator("#words-error")).to_have_text("")
