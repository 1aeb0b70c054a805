"""`make demo` on the real engine with the shipped weights, as a newcomer runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ketav_local.demo.page import LINES

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "hebrew_base.safetensors"
WORST_CER = 35.0


@pytest.mark.kraken
@pytest.mark.skipif(not WEIGHTS.exists(), reason="models/hebrew_base.safetensors is not there")
def test_the_demo_reads_corrects_and_reads_back_with_the_real_engine(tmp_path: Path) -> None:
    """Every written line is shown beside what was read; the corrected page comes back; nothing is left."""
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
    found = re.search(r"CER ([0-9.]+)%", ran.stdout)
    assert found is not None, ran.stdout
    assert float(found[1]) <= WORST_CER
    assert ran.stdout.rstrip().endswith("nothing left behind")
    after = ran.stdout.split("the page as corrected")[1]
    assert all(line in after for line in LINES)
    assert list(tmp_path.glob("ketav-*")) == []
