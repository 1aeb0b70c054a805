"""How the recognizer gets models from the registry."""

from collections.abc import AsyncIterator, Sequence

from ketav.registry.v1 import models_pb2, models_pb2_grpc
from ketav_common import context, rpc
from ketav_common.identity import Identity
from ketav_recognizer.domain import ModelRef
from ketav_recognizer.model_cache import Check, Fetch

_DOWNLOAD_S = 60.0
_CHECK_S = 10.0


def downloads(stub: "models_pb2_grpc.ModelServiceAsyncStub") -> Fetch:
    """Return a function that streams a model's file, on behalf of the user who is being served."""

    async def fetch(model: ModelRef) -> AsyncIterator[bytes]:
        """Yield the file's chunks in order; raises what the registry raises."""
        user = context.current_identity().user_id
        with context.bind(identity=Identity("recognizer", user), request_id=context.request_id()):
            call = stub.DownloadModel(
                models_pb2.DownloadModelRequest(sha256=bytes.fromhex(model.sha256)), timeout=_DOWNLOAD_S
            )
        with rpc.translated():
            async for message in call:
                yield message.chunk

    return fetch


def checks(stub: "models_pb2_grpc.ModelServiceAsyncStub") -> Check:
    """Return a function that asks which files may still be used."""

    async def check(digests: Sequence[str]) -> set[str]:
        """Return those of the digests that the registry still hands out."""
        request = models_pb2.CheckModelsRequest(sha256=[bytes.fromhex(digest) for digest in digests])
        with context.bind(identity=Identity("recognizer")), rpc.translated():
            answer = await stub.CheckModels(request, timeout=_CHECK_S)
        return {digest.hex() for digest in answer.sha256}

    return check
