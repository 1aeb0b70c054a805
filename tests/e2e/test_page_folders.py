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
    """Return the base model that reads drawn pages."""
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
    expect(window.page.locator("#words-error")).to_have_text(
        "Type at least one word with a letter or a number."
    )
    window.page.locator("#words").fill("אבגד")
    window.press("Enter")
    expect(window.page.locator("main")).to_contain_text("No line has these words.")
    expect(window.page.locator("#words-error")).to_have_text("")


def test_a_folder_gets_another_name_and_the_hand_of_another_folder(
    window: Window, system: LocalSystem, key: str
) -> None:
    """Hands of other folders are offered; what the server refuses is said at the field."""
    make_folder(window, "Letters")
    window.page.click(".crumbs a")
    window.page.click("text=New folder")
    window.page.fill("#hand", "סבתא")
    window.page.select_option("#script", "square")
    make_folder(window, "Postcards")
    window.page.click("text=Change the folder")
    expect(window.page.locator("#folder-name")).to_have_value("Postcards")
    assert window.page.locator("#hands option").first.get_attribute("value") == "סבתא"
    window.page.fill("#folder-name", "Letters")
    window.page.click("text=Save >> visible=true")
    expect(window.page.locator(".error")).to_contain_text("You have a folder with this name already.")
    assert window.page.locator("#folder-name").get_attribute("aria-invalid") == "true"
    assert serious(Axe().run(window.page)) == []
    window.page.fill("#folder-name", "Postcards 1950")
    window.page.fill("#folder-hand", "")
    window.page.select_option("#folder-script", "rashi")
    window.page.click("text=Save >> visible=true")
    expect(window.page.locator("h1")).to_have_text("Postcards 1950")
    with system.client(key) as client:
        changed = client.get("/projects/").json()["projects"][0]
    assert (changed["name"], changed["hand"], changed["script"]) == ("Postcards 1950", None, "rashi")


def test_a_person_is_renamed_in_all_folders(window: Window, system: LocalSystem, key: str) -> None:
    """Where the box is checked; otherwise the folder alone gets another person."""
    for number, name in enumerate(("Diary", "Letters to Haifa")):
        if number:  # the form for the first folder is open
            window.page.click(".crumbs a")
            window.page.click("text=New folder")
        window.page.fill("#hand", "רבקה")
        make_folder(window, name)
    for new_name, renames in (("רבקה לוי", True), ("שרה", False)):
        window.page.click("text=Change the folder")
        window.page.fill("#folder-hand", new_name)
        if renames:
            window.page.check("text=The same person as")
            assert serious(Axe().run(window.page)) == []
        window.page.click("text=Save >> visible=true")
        expect(window.page.locator("main")).to_contain_text(new_name)
    with system.client(key) as client:
        hands = {item["name"]: item["hand"] for item in client.get("/projects/").json()["projects"]}
    assert (hands["Diary"], hands["Letters to Haifa"]) == ("רבקה לוי", "שרה")


def test_the_texts_of_chosen_pages_are_saved(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """In the order of the folder; without a choice, nothing is offered."""
    make_folder(window, "Choice")
    for texts in PAGES:
        add_page(window, texts[:2], tmp_path)
    window.page.click("text=Choose pages")
    expect(window.page.locator("summary", has_text="Save the chosen texts")).to_have_count(0)
    for number in (2, 0):
        window.page.locator(".pages input[type=checkbox]").nth(number).check()
    expect(window.page.locator("main")).to_contain_text("Chosen pages: 2")
    assert serious(Axe().run(window.page)) == []
    window.page.click("text=Save the chosen texts")
    with window.page.expect_download() as saved:
        window.page.click(".menu[open] a[href*='format=txt']")
    with system.client(key) as client:
        [project] = client.get("/projects/").json()["projects"]
        images = client.get(f"/projects/{project['project_id']}").json()["images"]
    first, _, last = [image["transcription"]["text"] for image in images]
    assert Path(saved.value.path()).read_text().split() == f"{first}\n{last}".split()
