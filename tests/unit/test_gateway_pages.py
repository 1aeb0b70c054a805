"""Images are shown, downloaded and exported."""

import pytest

from tests.parts.gateway import Gateway, upload
from tests.parts.in_memory.recognizer import SECOND_TEXT, TEXT


async def test_the_file_is_returned_as_it_was_stored(gateway: Gateway) -> None:
    """Bytes, media type and safe headers."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    response = await gateway.client.get(path)
    assert response.content == gateway.state.page(read["image_id"]).image
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == f'inline; filename="{read["image_id"]}.png"'


@pytest.mark.parametrize("name", ["txt", "json", "alto", "page", "hocr"])
async def test_an_export_is_a_download_of_the_chosen_format(gateway: Gateway, name: str) -> None:
    """One call; the page's texts are in it."""
    read = (await upload(gateway.client)).json()
    gateway.state.calls.clear()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/export?format={name}"
    response = await gateway.client.get(path)
    assert (response.status_code, gateway.state.calls) == (200, ["GetPage"])
    assert response.headers["content-disposition"].startswith(f'attachment; filename="{read["image_id"]}.')
    assert all(word in response.text for word in f"{TEXT} {SECOND_TEXT}".split())
