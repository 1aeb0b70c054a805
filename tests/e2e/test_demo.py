"""`make demo` on the real engine with the shipped weights."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ketav_local.demo.page import LINES

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "hebrew_base.safetensors"
MAX_CER_PERCENT = 35.0
"""Well above the 4 % of the demo's page: the test is about the demo, not about the model."""


@pytest.mark.kraken
@pytest.mark.skipif(not WEIGHTS.exists(), reason="models/hebrew_base.safetensors is missing")
def test_the_demo_reads_and_corrects_a_page(tmp_path: Path) -> None:
    """It prints the CER and the corrected page, and leaves no file."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "KETAV_MODELS_DIR": str(WEIGHTS.parent)}
    ran = subprocess.run(
        [sys.executable, "-m", "ketav_local.demo"],
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cer = re.search(r"CER ([0-9.]+)%", ran.stdout)
    assert cer is not None, ran.stdout
    assert float(cer[1]) <= MAX_CER_PERCENT
    assert ran.stdout.rstrip().endswith("nothing left behind")
    after = ran.stdout.split("the page as corrected")[1]
    assert all(line in after for line in LINES)
    assert list(tmp_path.glob("ketav-*")) == []
