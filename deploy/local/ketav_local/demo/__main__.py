"""Start the system in a temporary folder, read a page, correct it, train on letters of its writer, stop.

`--quick` does without the training; `--picture FILE` draws a letter as read before and after it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import httpx

from ketav_common.error_rates import cer
from ketav_local.demo.learning import json_or_raise, show_learning
from ketav_local.demo.page import LINES, render
from ketav_local.errors import StartError
from ketav_local.main import Running, running, say
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings

REQUEST_TIMEOUT_S = 180.0


def compare(read: Sequence[str], true: Sequence[str]) -> None:
    """Print the true and the recognized text of each line, and the CER of the page."""
    width = max(map(len, [*true, "written"])) + 2
    print(f"\n   {'written':<{width}}read")
    for expected, line in zip_longest(true, read, fillvalue=""):
        print(f"   {expected:<{width}}{line}")
    print(f"\n   CER {cer([(chr(10).join(true), chr(10).join(read))]).rate:.1%} of the page\n")


async def run_demo(run: Running, picture: Path | None, *, quick: bool) -> None:
    """Read a page, correct it, list its project and train through the REST API; print each step."""
    headers = {"Authorization": f"Bearer {run.api_key}"}
    async with httpx.AsyncClient(
        base_url=run.url, headers=headers, timeout=REQUEST_TIMEOUT_S, trust_env=False
    ) as client:
        page = await asyncio.to_thread(render)
        say("POST /ocr/: a page of six handwritten lines")
        began = time.monotonic()
        read = json_or_raise(await client.post("/ocr/", files={"file": ("page.png", page, "image/png")}))
        model = read["model"]
        say(f"read in {time.monotonic() - began:.1f} s by {model['kind']} model {model['version']}")
        compare([line["text"] for line in read["lines"]], LINES)
        correction = {key: read[key] for key in ("project_id", "image_id")} | {
            "corrected_text": "\n".join(LINES)
        }
        feedback = json_or_raise(await client.post("/feedback/", json=correction))
        say(f"POST /feedback/: {feedback['accepted_lines']} corrected lines are ground truth now")
        project = json_or_raise(await client.get(f"/projects/{read['project_id']}"))
        say(f"GET /projects/{read['project_id']}: the page as corrected")
        for line in project["images"][0]["transcription"]["lines"]:
            print(f"   {line['corrected_text'] or line['text']}")
        if not quick:
            await show_learning(client, picture)


async def demo(picture: Path | None, *, quick: bool) -> None:
    """Run the demo against a temporary system, and delete its files afterwards."""
    with tempfile.TemporaryDirectory(prefix="ketav-demo-") as folder:
        settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(settings) as run:
            await run_demo(run, picture, quick=quick)
        say("stopped, nothing left behind")


def main() -> int:
    """Run `python -m ketav_local.demo`; exit status 1 when a step failed."""
    parser = argparse.ArgumentParser(prog="ketav_local.demo", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="do without the training")
    parser.add_argument("--picture", type=Path, help="file for the picture: PNG or WebP")
    arguments = parser.parse_args()
    try:
        asyncio.run(demo(arguments.picture, quick=arguments.quick))
    except StartError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
