"""Kraken loads the exports, next to the image as it is downloaded, with the same lines in the same order."""

from pathlib import Path

import pytest

from tests.parts.gateway import in_process_gateway, upload


@pytest.mark.parametrize("form", ["alto", "page"])
async def test_kraken_loads_an_export_with_the_image_and_the_lines_in_order(
    tmp_path: Path, form: str
) -> None:
    """Its baselines, boundaries and texts are those of the page."""
    from kraken.lib.xml import XMLPage

    async with in_process_gateway(tmp_path) as gateway:
        read = (await upload(gateway.client)).json()
        path = f"/projects/{read['project_id']}/images/{read['image_id']}"
        image = await gateway.client.get(f"{path}/file")
        name = image.headers["content-disposition"].split('"')[1]
        exported = await gateway.client.get(f"{path}/export?format={form}")
    (tmp_path / name).write_bytes(image.content)
    document = tmp_path / f"page.{form}.xml"
    document.write_bytes(exported.content)
    loaded = XMLPage(document)
    assert Path(loaded.imagename) == tmp_path / name
    lines = loaded.get_sorted_lines()
    assert [line.text for line in lines] == [line["text"] for line in read["lines"]]
    assert [[list(point) for point in line.baseline] for line in lines] == [
        line["baseline"] for line in read["lines"]
    ]
    assert [len(line.boundary) for line in lines] == [len(line["boundary"]) for line in read["lines"]]
