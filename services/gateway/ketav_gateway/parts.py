"""What the routes work with, built once in `main`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ketav_common.images import ImageNormaliser
from ketav_gateway.clients import Recognizer, Registry, Trainer
from ketav_gateway.clients_account import Account
from ketav_gateway.health import Probe
from ketav_gateway.rates import Rates
from ketav_gateway.readings import Readings
from ketav_gateway.security import Authenticator
from ketav_gateway.settings import GatewaySettings
from ketav_gateway.slots import Slots


@dataclass(frozen=True)
class Parts:
    """The adapters and helpers of a running gateway."""

    settings: GatewaySettings
    registry: Registry
    account: Account
    recognizer: Recognizer
    trainer: Trainer
    images: ImageNormaliser
    authenticator: Authenticator
    rates: Rates
    readings: Readings
    uploads: Slots
    imports: Slots
    probe: Probe


def parts_of(request: Request) -> Parts:
    """Return the parts of the application that serves a request."""
    parts: Parts = request.app.state.parts
    return parts


Gateway = Annotated[Parts, Depends(parts_of)]
