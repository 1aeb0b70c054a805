"""The recognizer's calls to the registry."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from ketav.registry.v1 import models_pb2, models_pb2_grpc
from ketav_common import context, rpc
from ketav_common.identity import Identity
from ketav_recognizer.domain import ModelRef
from ketav_recognizer.model_cache import Fetch, UsableDigests

_DOWNLOAD_S: Final = 60.0
"""Deadline of a model's download in seconds: 64 MiB take 5 s at 100 Mbit/s."""
_CHECK_S: Final = 10.0
"""Deadline of a check of digests in seconds."""


def model_download(stub: "models_pb2_grpc.ModelServiceAsyncStub") -> Fetch:
    """Return a function that streams a model's file on behalf of the user whose page is read."""

    async def fetch(model: ModelRef) -> AsyncIterator[bytes]:
        """Yield the file's chunks in order; raises the registry's errors."""
        user = context.current_identity().user_id
        with context.bind(identity=Identity("recognizer", user), request_id=context.request_id()):
            request = models_pb2.DownloadModelRequest(sha256=bytes.fromhex(model.sha256), grant=model.grant)
            call = stub.DownloadModel(request, timeout=_DOWNLOAD_S)
        with rpc.raise_ketav_errors():
            async for message in call:
                yield message.chunk

    return fetch


def usable_digests(stub: "models_pb2_grpc.ModelServiceAsyncStub") -> UsableDigests:
    """Return a function that asks which model files may still be used."""

    async def usable(digests: Sequence[str]) -> set[str]:
        """Return those of the digests whose models the registry still provides."""
        request = models_pb2.CheckModelsRequest(sha256=[bytes.fromhex(digest) for digest in digests])
        with context.bind(identity=Identity("recognizer")), rpc.raise_ketav_errors():
            response = await stub.CheckModels(request, timeout=_CHECK_S)
        return {digest.hex() for digest in response.sha256}

    return usable
