"""Query parameters that an address does not have are refused: a misspelt name must not be ignored."""

from fastapi import Request

from ketav_common.errors import InvalidInput

_MAX_NAME_CHARACTERS = 64


def refuse_unknown_parameters(request: Request) -> None:
    """Raise InvalidInput unknown-field for the first query parameter that the description does not have."""
    if not request.query_params:
        return
    paths = request.app.openapi()["paths"]
    operation = paths[request.scope["route"].path_format][request.method.lower()]
    known = {entry["name"] for entry in operation.get("parameters", []) if entry["in"] == "query"}
    for name in request.query_params:
        if name not in known:
            raise _unknown_parameter(name, known)


def _unknown_parameter(name: str, known: set[str]) -> InvalidInput:
    """Return the error for a parameter; its name is printable and cut to 64 characters."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in name[:_MAX_NAME_CHARACTERS])
    advice = f"the parameters are {', '.join(sorted(known))}" if known else "it has no parameters"
    return InvalidInput(
        f"The address has no parameter {printable!r}. Remove it; {advice}.",
        code="unknown-field",
        details={"pointer": printable},
    )
