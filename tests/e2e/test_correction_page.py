"""The correction page in a real browser on a whole system, as a user works with it."""

import time
import unicodedata
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, expect

from ketav_common.error_rates import cer
from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window, serious
from tests.parts.correction_page import PAGES, Recorder, add_page, make_folder, open_page
from tests.parts.pages import draw_page

UNSURE = 0.8
"""Probability that all letters of a word are right, below which the page marks it."""
READY_S = 1.0
TRAINING_MS = 120_000


@pytest.fixture(scope="session")
def tiny_models(drawn_models: Path) -> Path:
    """Return the base model that does not know one letter."""
    return drawn_models


def correct_by_keyboard(window: Window, texts: list[str], unsure: list[list[int]]) -> list[int]:
    """Correct all lines; return the key presses for each. Unsure words are selected: typing replaces one."""
    counts = []
    for number, text in enumerate(texts):
        window.page.wait_for_selector(f"li.line:nth-child({number + 1}).active textarea:focus")
        before = window.presses
        read, written = window.texts()[number].split(), text.split()
        if all(read[word] == written[word] for word in {0, 1, 2} - set(unsure[number])):
            for index, word in enumerate(unsure[number]):
                if index:
                    window.press("F2")
                assert window.selected_text() == read[word]
                if read[word] != written[word]:
                    window.type(written[word])
        else:  # the model was sure of a wrong word
            window.press("Control+A")
            window.type(text)
        window.press("Enter")
        counts.append(window.presses - before)
    for number in range(len(texts)):
        window.wait_saved(number)
    return counts


def unsure_words(client: httpx.Client, page: int) -> list[list[int]]:
    """Return the indexes of the words of each line of which the model is unsure, as the page marks them."""
    [project] = client.get("/projects/").json()["projects"]
    image = client.get(f"/projects/{project['project_id']}").json()["images"][page]
    return [
        [
            index
            for index, word in enumerate(line["words"])
            if word["confidence"] ** len(word["text"]) < UNSURE
        ]
        for line in image["transcription"]["lines"]
    ]


def test_corrections_by_keyboard_train_a_model_that_reads_the_next_page_better(
    window: Window, system: LocalSystem, key: str, tmp_path: Path, record_property: Recorder
) -> None:
    """Upload, correct, train, read on. A right line takes one key; a word as many as it has letters."""
    with system.client(key) as client:
        assert client.put("/models/policy", json={"automatic": False}).status_code == 200
    make_folder(window, "מחברת")
    add_page(window, PAGES[0], tmp_path)
    add_page(window, PAGES[1], tmp_path)
    presses: list[int] = []
    for number in (0, 1):
        with system.client(key) as client:
            unsure = unsure_words(client, number)
        open_page(window, number)
        presses += correct_by_keyboard(window, PAGES[number], unsure)
        assert window.texts() == PAGES[number]
        window.page.click(".crumbs a:nth-child(2)")
    record_property("keys_per_line", sum(presses) / len(presses))
    assert max(presses) <= len(PAGES[0][0]) + 2
    window.page.click("text=Learn now")
    expect(window.page.locator(".training.succeeded")).to_be_visible(timeout=TRAINING_MS)
    expect(window.page.locator(".training .chart circle").first).to_be_visible()
    window.page.click(".training summary")
    expect(window.page.locator(".verdict")).to_contain_text("it reads")
    expect(window.page.locator(".verdict")).to_contain_text("Ketav reads with it from now on.")
    window.page.click("text=עברית")
    expect(window.page.locator(".verdict")).to_contain_text("מעכשיו כתב קורא איתו.")
    window.page.click("text=English")
    add_page(window, PAGES[2], tmp_path)
    open_page(window, 2)
    window.page.wait_for_selector("li.line")
    learned = cer(zip(PAGES[2], window.texts(), strict=True)).rate
    with system.client(key) as client:
        first = readings(client)[0]
    assert learned < cer(zip(PAGES[0], first, strict=True)).rate / 2
    window.page.click("nav >> text=Learning")
    expect(window.page.locator(".gain li")).to_have_count(2)
    expect(window.page.locator(".models li.active")).to_contain_text("learned from")
    window.page.click(".models >> text=Use this one")
    expect(window.page.locator(".models li.active")).to_contain_text("Ketav's own model")


def readings(client: httpx.Client) -> list[list[str]]:
    """Return the texts of the lines as read, page by page, of the user's project."""
    [project] = client.get("/projects/").json()["projects"]
    pages = client.get(f"/projects/{project['project_id']}").json()["images"]
    return [[line["text"] for line in page["transcription"]["lines"]] for page in pages]


def corrected(client: httpx.Client) -> list[str | None]:
    """Return the corrections of the first page of the user's project."""
    return [line["corrected_text"] for line in first_page(client)["transcription"]["lines"]]


def verified(client: httpx.Client) -> list[str | None]:
    """Return the verified texts of the first page of the user's project."""
    return [line["verified_text"] for line in first_page(client)["transcription"]["lines"]]


def first_page(client: httpx.Client) -> dict[str, Any]:
    """Return the first page of the user's project."""
    [project] = client.get("/projects/").json()["projects"]
    page: dict[str, Any] = client.get(f"/projects/{project['project_id']}").json()["images"][0]
    return page


def test_a_correction_survives_a_lost_connection_and_a_closed_window(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """It is shown as not sent, and sent when a window is open and the connection is back."""
    make_folder(window, "Offline")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    address, context = window.page.url, window.page.context
    context.route("**/correction", lambda route: route.abort())
    window.press("End")
    window.type("אב")
    window.press("Enter")
    expect(window.state(0)).to_have_text("Kept here, not sent yet")
    expect(window.page.locator(".banner")).to_contain_text("No connection")
    text = window.texts()[0]
    assert text.endswith("אב")
    window.page.close(run_before_unload=False)
    with system.client(key) as client:
        assert corrected(client)[0] is None
    context.unroute("**/correction")
    again = Window(context.new_page())
    again.page.goto(address)
    again.wait_saved(0)
    assert again.texts()[0] == text
    with system.client(key) as client:
        assert corrected(client)[0] == text


def test_two_windows_see_each_others_corrections_and_ask_before_one_replaces_the_other(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """A line without a draft takes the text; one with a draft shows both, and the user chooses."""
    make_folder(window, "Two windows")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    other = Window(window.page.context.new_page())
    other.page.goto(window.page.url)
    other.page.wait_for_selector("li.line.active textarea:focus")
    other.page.locator("li.line textarea").nth(1).fill("בבבב גגגג דדדד")
    window.page.bring_to_front()
    window.page.locator("li.line textarea").nth(0).fill(PAGES[0][0])
    window.press("Enter")
    window.wait_saved(0)
    expect(other.page.locator("li.line textarea").nth(0)).to_have_value(PAGES[0][0])
    window.page.locator("li.line textarea").nth(1).fill(PAGES[0][1])
    window.press("Enter")
    expect(other.page.locator("li.line").nth(1)).to_contain_text("Another window or person wrote:")
    expect(other.page.locator("li.line").nth(1)).to_contain_text(PAGES[0][1])
    other.page.click("text=Keep mine")
    expect(window.page.locator("li.line textarea").nth(1)).to_have_value("בבבב גגגג דדדד")
    assert other.errors == []


def test_a_text_that_looks_wrong_is_explained_and_confirmed_by_one_key(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """The page goes on to the next line; F8 says that the text is right."""
    make_folder(window, "Question")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    window.press("Control+A")
    window.press("Delete")
    window.press("Enter")
    expect(window.page.locator(".toast")).to_contain_text("The line has no text.")
    with system.client(key) as client:
        assert verified(client)[0] is None
    window.press("F8")
    window.wait_saved(0)
    expect(window.state(0)).to_have_text("No text")
    expect(window.page.locator(".toast")).to_have_count(0)
    with system.client(key) as client:
        assert verified(client)[0] == ""


def test_f8_confirms_the_line_with_the_focus_not_a_later_one(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """Two lines are in question; the one on which the user is becomes right."""
    make_folder(window, "Two questions")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    for number in (0, 1):
        window.page.wait_for_selector(f"li.line:nth-child({number + 1}).active textarea:focus")
        window.press("Control+A")
        window.press("Delete")
        window.press("Enter")
        expect(window.lines().nth(number)).to_contain_text("The line has no text.")
    window.page.locator("li.line textarea").nth(0).click()
    window.press("F8")
    window.wait_saved(0)
    expect(window.state(1)).to_have_text("Is this right?")
    with system.client(key) as client:
        assert verified(client)[:2] == ["", None]


def test_the_most_useful_lines_of_all_pages_are_corrected_in_one_list(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """Each is stored, the next is shown, and nothing says that the connection is lost."""
    make_folder(window, "Useful")
    add_page(window, PAGES[0][:3], tmp_path)
    window.page.click("text=Correct the most useful lines first")
    window.page.wait_for_selector("li.line.active textarea:focus")
    texts = window.texts()
    for number in range(3):
        window.page.wait_for_selector(f"li.line:nth-child({number + 1}).active textarea:focus")
        window.press("Enter")
        window.wait_saved(number)
    expect(window.page.locator(".banner")).to_have_count(0)
    with system.client(key) as client:
        assert sorted(text or "" for text in corrected(client)) == sorted(texts)


def test_a_text_with_marks_in_the_order_of_typing_is_right_after_it_is_stored(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """The server stores another order of the marks (NFC); nothing is sent again, and Enter goes on."""
    make_folder(window, "Marks")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    typed = PAGES[0][0][:-1] + "ב\u05bc\u05b8"
    window.page.locator("li.line textarea").nth(0).fill(typed)
    window.press("Enter")
    window.wait_saved(0)
    stored = unicodedata.normalize("NFC", typed)
    assert window.texts()[0] == stored != typed
    with system.client(key) as client:
        assert corrected(client)[0] == stored


def test_lines_are_joined_divided_deleted_and_restored_on_the_page(window: Window, tmp_path: Path) -> None:
    """By the menu of a line; a joined pair of corrected lines is corrected, and each change is undone."""
    make_folder(window, "Lines")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    read = window.texts()
    for _ in range(2):
        window.press("Enter")
    window.wait_saved(1)
    choose(window, 0, "Join with the next line")
    expect(window.lines()).to_have_count(2)
    window.wait_saved(0)
    assert window.texts() == [f"{read[0]} {read[1]}", read[2]]
    window.page.locator("li.line textarea").nth(1).click()
    for key in ("Home", *["ArrowLeft"] * 4):
        window.press(key)
    choose(window, 1, "Divide here")
    expect(window.lines()).to_have_count(3)
    assert window.texts()[1:] == [read[2][:4], read[2][5:]]
    window.page.once("dialog", lambda dialog: dialog.accept())
    choose(window, 2, "Delete the line")
    expect(window.lines()).to_have_count(2)
    for count in (3, 2, 3):
        window.page.click("text=Undo the change of lines")
        expect(window.lines()).to_have_count(count)
    assert window.texts() == read
    expect(window.page.locator("text=Undo the change of lines")).to_have_count(0)
    window.wait_saved(0)


def choose(window: Window, number: int, entry: str) -> None:
    """Choose an entry of the menu of a line."""
    line = window.lines().nth(number)
    if "active" not in (line.get_attribute("class") or ""):
        line.locator("textarea").click()
    line.locator("summary", has_text="Change the line").click()
    line.locator(f"text={entry}").click()


def test_a_missing_line_is_drawn_on_the_page(window: Window, tmp_path: Path) -> None:
    """Between the lines where it is; it has no text until it is typed."""
    make_folder(window, "Draw")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    read = window.texts()
    window.page.click("text=Whole page")
    window.page.click("text=Add a line")
    window.page.wait_for_timeout(1500)  # the viewer moves for 0.4 seconds
    box = window.page.locator(".viewer polygon").nth(1).bounding_box()
    assert box is not None
    mouse = window.page.mouse
    mouse.move(box["x"] + 4, box["y"] + box["height"] + 4)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] + 20, steps=5)
    mouse.up()
    expect(window.lines()).to_have_count(4)
    assert window.texts() == [read[0], read[1], "", read[2]]


def test_a_line_is_divided_by_a_click_on_the_page(window: Window, tmp_path: Path) -> None:
    """The words right of the click are one line, those left of it the next; Escape puts the tool back."""
    make_folder(window, "Divide")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    read = window.texts()
    boxes = window.page.locator(".viewer polygon")
    expect(boxes.nth(1)).to_have_attribute("aria-label", f"Line 2: {read[1]}")
    window.page.click("text=Whole page")
    window.page.click("text=Divide a line")
    window.press("Escape")
    expect(window.page.locator("button[aria-pressed=true]")).to_have_count(0)
    window.page.click("text=Divide a line")
    window.page.wait_for_timeout(1500)  # the viewer moves for 0.4 seconds
    box = boxes.nth(1).bounding_box()
    assert box is not None
    window.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
    expect(window.page.locator(".viewer .cut")).to_have_count(1)
    window.page.mouse.down()
    window.page.mouse.up()
    expect(window.lines()).to_have_count(4)
    words = read[1].split()
    assert window.texts() == [read[0], words[0], " ".join(words[1:]), read[2]]


@pytest.mark.parametrize("width", [1360, 390])
def test_a_line_is_added_below_another_without_a_mouse(window: Window, tmp_path: Path, width: int) -> None:
    """By Alt+Enter, and by the menu of the line on a phone; the new field has the focus."""
    make_folder(window, "Below")
    add_page(window, PAGES[0][:3], tmp_path)
    window.page.set_viewport_size({"width": width, "height": 800})
    open_page(window, 0)
    read = window.texts()
    if width == 1360:
        window.press("Alt+Enter")
    else:
        choose(window, 0, "Add a line below")
    expect(window.lines()).to_have_count(4)
    window.page.wait_for_selector("li.line:nth-child(2).active textarea:focus")
    assert window.texts() == [read[0], "", *read[1:]]


def test_a_session_that_ends_loses_no_correction(
    window: Window, system: LocalSystem, key: str, tmp_path: Path
) -> None:
    """The page asks for the key again, on top of the work, and sends the correction then."""
    make_folder(window, "Session")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    read = window.texts()[0]
    window.page.context.clear_cookies()
    refused: list[str] = []
    window.page.on("response", lambda answer: refused.append(answer.url) if answer.status == 401 else None)
    window.press("Enter")
    dialog = window.page.locator("[role=dialog]")
    expect(dialog).to_contain_text("nothing is lost")
    window.page.wait_for_timeout(2000)
    assert 1 <= len(refused) < 8  # each would count as a failed key of the address
    dialog.locator("input").fill(key)
    window.page.keyboard.press("Enter")
    window.wait_saved(0)
    expect(dialog).to_have_count(0)
    with system.client(key) as client:
        assert corrected(client)[0] == read


def test_a_user_whose_sign_out_does_not_arrive_stays_signed_in_and_reads_why(window: Window) -> None:
    """The cookie would work on, so the page does not look signed out; the next attempt ends the session."""
    window.page.route("**/session", lambda route: route.abort())
    window.page.click("text=Sign out")
    expect(window.page.locator(".banner[role=alert]")).to_contain_text("connection")
    expect(window.page.locator("text=Sign out")).to_have_count(1)
    window.page.unroute("**/session")
    window.page.click("text=Sign out")
    expect(window.page.locator("input[type=password]")).to_have_count(1)
    expect(window.page.locator(".banner[role=alert]")).to_have_count(0)


def test_a_correction_is_undone_and_an_earlier_text_used_again(window: Window, tmp_path: Path) -> None:
    """Undo returns to the reading; the history has every text."""
    make_folder(window, "History")
    add_page(window, PAGES[0][:3], tmp_path)
    open_page(window, 0)
    read = window.texts()[0]
    for text in ("דדאג הדדג דגהב", "דדאג הדדג דגהג"):
        window.page.locator("li.line textarea").nth(0).fill(text)
        window.press("Enter")
        window.wait_saved(0)
        window.page.wait_for_selector("li.line:nth-child(2).active textarea:focus")
    window.page.locator("li.line textarea").nth(0).click()
    window.press("Alt+z")
    expect(window.page.locator("li.line").nth(0)).not_to_have_class("corrected")
    expect(window.page.locator("li.line textarea").nth(0)).to_have_value(read)
    window.page.locator("li.line").nth(0).locator("text=Earlier texts").click()
    window.page.locator("li.line").nth(0).locator("text=Use this").nth(1).click()
    window.wait_saved(0)
    assert window.texts()[0] == "דדאג הדדג דגהב"


def test_each_page_of_a_pdf_is_a_page_and_a_bad_file_says_what_is_wrong(
    window: Window, tmp_path: Path
) -> None:
    """The other files are read; the failed one can be sent again."""
    make_folder(window, "Files")
    images = [Image.open(BytesIO(draw_page(texts))) for texts in PAGES[:2]]
    images[0].save(tmp_path / "pages.pdf", "PDF", save_all=True, append_images=images[1:])
    (tmp_path / "broken.png").write_bytes(draw_page(PAGES[0])[:400])
    files = [tmp_path / "pages.pdf", tmp_path / "broken.png"]
    window.page.set_input_files("input[type=file]:not([webkitdirectory])", files)
    expect(window.page.locator(".pages > li")).to_have_count(2, timeout=60_000)
    failed = window.page.locator(".uploads li.failed")
    expect(failed).to_contain_text("The file is damaged")
    expect(failed.locator("button")).to_have_text("Try again")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
@pytest.mark.parametrize("language", ["en-GB", "he-IL"])
def test_axe_finds_nothing_serious_in_any_view(
    browser: Browser, system: LocalSystem, tmp_path: Path, language: str, width: int, scheme: str
) -> None:
    """In both languages and schemes, on a desk and on a phone, which never scrolls sideways."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(system.url)
    page.wait_for_selector("#key")
    violations = serious(Axe().run(page))
    page.fill("#key", system.api_key)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav")
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "he-IL" else "ltr")
    project = shared_project(system)
    for address in ("#/", f"#/project/{project['project_id']}", page_address(project), "#/learning"):
        page.goto(system.url + address)
        page.wait_for_selector("h1")
        page.wait_for_load_state("networkidle")
        violations += serious(Axe().run(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    context.close()
    assert violations == []


def shared_project(system: LocalSystem) -> dict[str, object]:
    """Return the project of the first user, with one page that is read; make it at the first call."""
    with system.client() as client:
        if not client.get("/projects/").json()["projects"]:
            files = {"file": ("page.png", draw_page(PAGES[0]), "image/png")}
            assert client.post("/ocr/", files=files, data={"name": "Shared"}).status_code == 201
        [project] = client.get("/projects/").json()["projects"]
        document: dict[str, object] = client.get(f"/projects/{project['project_id']}").json()
        return document


def page_address(project: dict[str, object]) -> str:
    """Return the address of the first page of a project."""
    images = project["images"]
    assert isinstance(images, list)
    return f"#/project/{project['project_id']}/page/{images[0]['image_id']}"


def test_the_page_is_ready_within_a_second(
    window: Window, system: LocalSystem, record_property: Recorder
) -> None:
    """From the request of the document to the list of folders, best of five: other programs may run."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        window.page.goto(system.url)
        window.page.wait_for_selector("h1:has-text('My pages')")
        seconds.append(time.perf_counter() - began)
    record_property("ready_s", min(seconds))
    assert min(seconds) < READY_S


def test_a_key_that_is_unknown_is_explained_at_the_field(browser: Browser, system: LocalSystem) -> None:
    """In the words of the page, and the field keeps the focus."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(system.url)
    page.fill("#key", "ktv_wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-error")).to_contain_text("does not know this key")
    assert page.evaluate("document.activeElement.id") == "key"
    assert page.evaluate("document.cookie") == ""
    context.close()
