"""Names of the objects of pages."""

from uuid import UUID

from ketav_registry.domain.pages import digest_key, image_key


def test_the_object_of_an_image_is_named_by_its_page() -> None:
    """An image that was stored before pages had objects of their own is named by its digest."""
    page_id = UUID("cd" * 16)
    assert image_key(page_id) == f"images/cd/{page_id}"
    assert digest_key(bytes([0xAB]) * 32) == f"images/ab/{'ab' * 32}"
