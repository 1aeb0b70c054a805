"""The ground truth of a project becomes a data set of Kraken by the commands in docs/howto/export.md."""

import asyncio
import re
import shlex
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from tests.parts.gateway import in_process_gateway, upload

KETOS = Path(sys.executable).with_name("ketos")
DOCUMENT = Path(__file__).parents[2] / "docs" / "howto" / "export.md"
COMPILE_S = 300
"""Seconds for a command of Kraken: it imports torch first, on a busy machine."""


def documented(form: str) -> list[str]:
    """Return the command that the document gives for a format, in words."""
    [command] = re.findall(rf"`(ketos\s+compile\s+-f\s+{form}\s[^`]+)`", DOCUMENT.read_text())
    return shlex.split(command)


def compiled_texts(folder: Path, arguments: list[str]) -> list[str]:
    """Compile the files of a folder by Kraken's command; return the texts in the arrow file."""
    *options, pattern = arguments
    names = sorted(path.name for path in folder.glob(pattern))
    ran = subprocess.run(
        [KETOS, *options, *names], cwd=folder, capture_output=True, text=True, timeout=COMPILE_S, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with pa.memory_map(str(folder / options[options.index("-o") + 1])) as stored:
        table = pa.ipc.open_file(stored).read_all()
    return [line["text"] for line in table.column("lines").to_pylist()]


async def corrected_export(client: httpx.AsyncClient, query: str) -> tuple[bytes, list[str]]:
    """Read a page, correct its first two lines, and return the export of its project and the texts of all."""
    read = (await upload(client)).json()
    texts = ["בוקר טוב לכולם", "שורה שנייה"]
    lines = [
        {"line_id": line["line_id"], "text": text} for line, text in zip(read["lines"], texts, strict=False)
    ]
    body = {"project_id": read["project_id"], "image_id": read["image_id"], "lines": lines}
    assert (await client.post("/feedback/", json=body)).status_code == httpx.codes.CREATED
    exported = await client.get(f"/projects/{read['project_id']}/export?{query}")
    assert exported.status_code == httpx.codes.OK
    others = [line["text"] for line in read["lines"][len(texts) :]]
    return exported.content, texts + others


@pytest.mark.parametrize(("form", "query"), [("page", "format=page&images=true"), ("path", "format=pairs")])
async def test_kraken_compiles_an_export_into_an_arrow_file_with_its_texts(
    tmp_path: Path, form: str, query: str
) -> None:
    """Pairs have the corrected lines alone, PAGE all lines with their polygons."""
    async with in_process_gateway(tmp_path) as gateway:
        archive, texts = await corrected_export(gateway.client, query)
    folder = tmp_path / "export"
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        opened.extractall(folder)
    compiled = await asyncio.to_thread(compiled_texts, folder, documented(form)[1:])
    assert sorted(compiled) == sorted(texts[:2] if form == "path" else texts)
