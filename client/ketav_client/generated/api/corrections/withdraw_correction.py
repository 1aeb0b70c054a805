from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.withdraw_correction_response import WithdrawCorrectionResponse


def _parse(response: httpx.Response) -> WithdrawCorrectionResponse:
    response_200 = WithdrawCorrectionResponse.from_dict(response.json())

    return response_200


def withdraw_correction(
    project_id: str,
    image_id: str,
    line_id: str,
) -> Call[WithdrawCorrectionResponse]:
    """Withdraw the correction of a line.

    Withdraw the correction of a line, which counts as uncorrected again.

    Model versions that were trained on the line stop serving, as after a deletion; those that were
    only compared by it, because it is held out, serve on. The history has the text.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}/correction".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
