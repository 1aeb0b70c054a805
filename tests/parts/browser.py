"""Debian's Chromium for tests of the correction page, installed where it is missing and apt can do it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

PACKAGES = ("chromium", "fonts-dejavu-core")
APT_GET = ("apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300")
"""Waits for another apt-get, such as that of a test process next to this one."""
TIMEOUT_MS = 20_000


def unavailable() -> str | None:
    """Return why no browser can run here, or None; installs Debian's packages where Chromium is missing."""
    if shutil.which("chromium"):
        return None
    if os.geteuid() != 0:
        return "Chromium is not installed, and only root can install it"
    if shutil.which("apt-get") is None:
        return "Chromium is not installed, and this machine has no apt-get"
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        ran = subprocess.run([*APT_GET, *command], capture_output=True, text=True, check=False)
        if ran.returncode:
            return f"apt-get {command[0]} failed: {ran.stderr.strip()[-300:]}"
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """A page of the browser: what its console reports, and the keys that its user has pressed."""

    page: Page
    errors: list[str] = field(default_factory=list)
    presses: int = 0

    def __post_init__(self) -> None:
        """Collect errors of scripts and violations of the policy."""
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        """Collect an error of the console; a response of 4xx that the page handles is none."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def press(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)
        self.presses += 1

    def type(self, text: str) -> None:
        """Type a text, a key for each letter."""
        for letter in text:
            self.page.keyboard.type(letter)
            self.presses += 1

    def sign_in(self, url: str, key: str) -> None:
        """Open the page and sign in with a key."""
        self.page.goto(url)
        self.page.fill("#key", key)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("h1:has-text('My pages')")

    def lines(self) -> Locator:
        """Return the lines of the page that is shown."""
        return self.page.locator("li.line")

    def texts(self) -> list[str]:
        """Return the text of each line's field."""
        return [field.input_value() for field in self.page.locator("li.line textarea").all()]

    def selected_text(self) -> str:
        """Return the selected part of the field that has the focus."""
        script = (
            "(({value, selectionStart: a, selectionEnd: b}) => value.slice(a, b))(document.activeElement)"
        )
        return str(self.page.evaluate(script))

    def state(self, number: int) -> Locator:
        """Return the state of a line, which is counted from 0."""
        return self.lines().nth(number).locator(".state")

    def wait_saved(self, number: int) -> None:
        """Wait until a line is stored by the server."""
        self.page.wait_for_function(
            "number => document.querySelectorAll('li.line')[number]?.classList.contains('corrected')",
            arg=number,
        )


def serious(result: Any) -> list[str]:
    """Return the serious and critical violations that axe has found, with the elements."""
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in result.response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
