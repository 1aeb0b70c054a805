"""Two people at one page in real browsers: each sees the other's corrections, and what their role permits."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window, chromium, serious, unavailable
from tests.parts.pages import draw_page, random_words

NOTICED_MS = 15_000
"""The page asks for changes every 4 seconds; this machine may be busy."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser, which is installed where that is possible; skip the tests with the reason elsewhere."""
    if (reason := unavailable()) is not None:
        pytest.skip(reason)
    with chromium() as running:
        yield running


@contextmanager
def opened(browser: Browser, system: LocalSystem, key: str) -> Iterator[Window]:
    """Open the page as another person, in a browser profile of their own; its scripts must not fail."""
    context = browser.new_context(viewport={"width": 1360, "height": 850}, locale="en-GB")
    window = Window(context.new_page())
    window.page.on("dialog", lambda dialog: dialog.accept())
    window.sign_in(f"http://127.0.0.1:{system.port}/", key)
    try:
        yield window
    finally:
        context.close()
    assert window.errors == []


@pytest.fixture
def owner(browser: Browser, system: LocalSystem, request: pytest.FixtureRequest) -> Iterator[Window]:
    """Open the page as the owner of a folder with a page of four lines, which is shown."""
    key = system.add_user(f"Noa {request.node.name[:20]}")
    with system.client(key) as client:
        image = draw_page(random_words(4, seed=7))
        answer = client.post("/ocr/", files={"file": ("a.png", image)}, data={"name": "Letters"}, timeout=60)
        assert answer.status_code == 201, answer.text
    with opened(browser, system, key) as window:
        yield window


def open_folder(window: Window) -> None:
    """Open the folder, also where the page shows another one."""
    window.page.goto(window.page.url.split("#")[0] + "#/")
    window.page.click("a.tile:has-text('Letters')")
    window.page.wait_for_selector(".pages > li")


def open_page(window: Window) -> None:
    """Open the page of the folder and wait for its lines."""
    open_folder(window)
    window.page.locator(".pages > li a").first.click()
    window.page.wait_for_selector("li.line textarea")


def invite(owner: Window, name: str, role: str) -> None:
    """Invite an account on the page of the folder."""
    open_folder(owner)
    owner.page.click(".members summary")
    owner.page.fill("#member", name)
    owner.page.select_option("#member-role", role)
    owner.page.click(".members button:has-text('Invite')")


def write(window: Window, number: int, text: str) -> None:
    """Type a text into a line, which is counted from 0, without leaving it."""
    window.lines().nth(number).locator("textarea").click()
    window.page.keyboard.press("Control+A")
    window.page.keyboard.type(text)


def test_an_owner_and_an_editor_correct_one_page_and_see_each_other(
    owner: Window, browser: Browser, system: LocalSystem
) -> None:
    """Each correction appears with its author's name; the same line at the same time is a conflict."""
    key = system.add_user("Dana")
    invite(owner, "No user at all", "editor")
    expect(owner.page.locator(".members [role=alert]")).to_contain_text("No account has this name")
    invite(owner, "Dana", "editor")
    expect(owner.page.locator(".members li", has_text="Dana")).to_have_count(1)
    assert serious(Axe().run(owner.page)) == []
    with opened(browser, system, key) as editor:
        expect(editor.page.locator("a.tile")).to_contain_text("shared by Noa")
        open_page(editor)
        open_page(owner)
        texts = editor.texts()
        write(editor, 0, texts[0][1:])
        editor.press("Enter")
        editor.wait_saved(0)
        first = owner.lines().first
        expect(first.locator("textarea")).to_have_value(texts[0][1:], timeout=NOTICED_MS)
        expect(first.locator(".state")).to_contain_text("by Dana")
        owners_text, editors_text = texts[1][1:], texts[1][:-1]
        write(owner, 1, owners_text)
        write(editor, 1, editors_text)
        owner.press("Enter")
        owner.wait_saved(1)
        conflict = editor.lines().nth(1).locator(".conflict")
        expect(conflict).to_contain_text(owners_text, timeout=NOTICED_MS)
        expect(editor.lines().nth(1).locator("textarea")).to_have_value(editors_text)
        conflict.get_by_role("button").first.click()
        expect(editor.lines().nth(1).locator("textarea")).to_have_value(owners_text)
        expect(editor.lines().nth(1).locator(".state")).to_contain_text("by Noa")


def test_a_viewer_reads_until_the_owner_removes_them(
    owner: Window, browser: Browser, system: LocalSystem
) -> None:
    """No field to write in and nothing to add or delete; after the removal the page is gone."""
    key = system.add_user("Yael")
    invite(owner, "Yael", "viewer")
    expect(owner.page.locator(".members li", has_text="Yael")).to_have_count(1)
    with opened(browser, system, key) as viewer:
        expect(viewer.page.locator("a.tile")).to_contain_text("you read along")
        open_folder(viewer)
        for hidden in (".drop", "text=Delete the folder", ".pages button", "#member"):
            expect(viewer.page.locator(hidden)).to_have_count(0)
        open_page(viewer)
        fields = viewer.page.locator("li.line textarea")
        assert all(field.get_attribute("readonly") is not None for field in fields.all())
        before = viewer.texts()
        fields.first.click()
        viewer.page.keyboard.type("א")
        viewer.press("Enter")
        assert viewer.texts() == before
        assert viewer.page.locator("li.line.corrected").count() == 0
        assert serious(Axe().run(viewer.page)) == []
        open_folder(owner)
        owner.page.click(".members summary")
        owner.page.click("button[aria-label='Remove: Yael']")
        expect(owner.page.locator(".members li", has_text="Yael")).to_have_count(0)
        viewer.page.reload()
        expect(viewer.page.locator("[role=alert]").first).to_be_visible(timeout=NOTICED_MS)
        assert viewer.page.locator("li.line").count() == 0
        viewer.page.goto(viewer.page.url.split("#")[0] + "#/")
        viewer.page.wait_for_selector("h1:has-text('My pages')")
        expect(viewer.page.locator("a.tile:has-text('Letters')")).to_have_count(0)
