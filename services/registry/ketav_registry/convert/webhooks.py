"""Webhooks on the wire."""

from ketav.registry.v1 import webhooks_pb2 as pb
from ketav_registry.convert import common
from ketav_registry.domain.webhooks import Claimed, DeliveryState, Webhook

_STATES = {state: pb.DeliveryState.Value(f"DELIVERY_STATE_{state.name}") for state in DeliveryState}


def webhook(found: Webhook) -> pb.Webhook:
    """Write a webhook."""
    return pb.Webhook(
        url=found.url,
        disabled_reason=found.disabled_reason,
        create_time=common.timestamp(found.create_time),
        deliveries=[
            pb.WebhookDelivery(
                delivery_id=str(each.delivery_id),
                event=each.event,
                state=_STATES[each.state],
                attempts=each.attempts,
                error=each.error,
                create_time=common.timestamp(each.create_time),
            )
            for each in found.deliveries
        ],
    )


def claimed(found: list[Claimed]) -> pb.ClaimDeliveriesResponse:
    """Write deliveries that are to be tried."""
    return pb.ClaimDeliveriesResponse(
        deliveries=[
            pb.ClaimedDelivery(
                delivery_id=str(each.delivery_id),
                attempt=each.attempt,
                url=each.url,
                secret=each.secret,
                body=each.body,
            )
            for each in found
        ]
    )
