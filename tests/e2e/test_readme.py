"""The commands of README.md read, correct and export a folder of pages when they are run as printed."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.e2e.local_system import LocalSystem, boxes

ROOT = Path(__file__).resolve().parents[2]


def commands(section: str) -> str:
    """Return the first shell block of a section of README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(f"## {section}\n", 1)[1]
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return block[1]


def test_a_reader_with_a_folder_of_pages_gets_to_corrected_text(system: LocalSystem, tmp_path: Path) -> None:
    """Three pages are read into one project, the first is corrected as a whole text, exported and shown."""
    (tmp_path / "pages").mkdir()
    for number in (1, 2, 3):
        (tmp_path / "pages" / f"{number:03}.png").write_bytes(boxes(number + 1))
    script = commands("Read, correct, train").replace("127.0.0.1:8000", f"127.0.0.1:{system.port}")
    script = script.replace("# edit 001.txt now", "; sed -i '1s/^./ש/' 001.txt")
    env = {**os.environ, "KETAV_DATA_DIR": str(system.data_dir), "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pages = [json.loads((tmp_path / f"{number:03}.json").read_text()) for number in (1, 2, 3)]
    assert len({page["project_id"] for page in pages}) == 1
    assert [len(page["lines"]) for page in pages] == [2, 3, 4]
    assert '"accepted_lines":2' in ran.stdout.replace(" ", "")
    assert "too-few-lines" in ran.stdout
    corrected = (tmp_path / "001.txt").read_text()
    assert corrected.startswith("ש")
    assert ran.stdout.endswith(corrected)
