"""Conversion of accounts."""

from ketav.registry.v1 import accounts_pb2
from ketav_registry.convert import common
from ketav_registry.domain.accounts import Account


def account_message(account: Account) -> accounts_pb2.GetAccountResponse:
    """Return the message of an account and one of its keys."""
    return accounts_pb2.GetAccountResponse(
        user_id=str(account.user_id),
        name=account.name,
        create_time=common.timestamp(account.create_time),
        key_prefix=account.key_prefix,
        key_create_time=common.timestamp(account.key_create_time),
    )
