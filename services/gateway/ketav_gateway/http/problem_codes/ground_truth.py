"""The codes of imports of ground truth."""

from ketav_gateway.http.problem_codes.kinds import ProblemCode

CODES: dict[str, ProblemCode] = {
    "damaged-archive": ProblemCode(422, "The archive is damaged. Make it again."),
    "unsupported-archive": ProblemCode(
        422, "The archive has the zip64 format, which is not read. Divide it into archives below 4 GiB."
    ),
    "archive-too-large": ProblemCode(
        413,
        "The archive has more than 1,073,741,824 bytes after decompression. Divide it into several archives.",
    ),
    "too-many-entries": ProblemCode(
        413, "The archive has more than 5,000 entries. Divide it into several archives."
    ),
    "nothing-to-import": ProblemCode(
        422,
        "The archive has no file that can be imported. Correct the files as their reasons in `files` say.",
        {
            "files": [
                {
                    "name": "lines/0002.png",
                    "code": "no-text",
                    "reason": "The archive has no text for this image. Add a .gt.txt or XML file of the same "
                    "name.",
                }
            ]
        },
    ),
}
