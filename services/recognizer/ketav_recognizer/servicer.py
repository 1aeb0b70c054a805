"""The recognizer's RPCs: decode, one use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav_common.context import current_identity
from ketav_common.identity import Signer
from ketav_recognizer import convert, usecases
from ketav_recognizer.model_cache import ModelCache
from ketav_recognizer.pool import ReaderPool


class RecognizerServicer(recognizer_pb2_grpc.RecognizerServiceServicer):
    """Serves ketav.recognizer.v1.RecognizerService."""

    def __init__(self, cache: ModelCache, pool: ReaderPool, signer: Signer) -> None:
        """Take what the use case needs, and who checks the grants of models."""
        self._signer = signer
        self._cache = cache
        self._pool = pool

    async def RecognizePage(
        self,
        request_iterator: AsyncIterator[recognizer_pb2.RecognizePageRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> recognizer_pb2.RecognizePageResponse:
        """Read one image; a place in the queue is taken before its bytes are received."""
        request = await convert.receive_header(request_iterator)
        user = current_identity().user_id
        self._signer.check_grant(request.grant, user, bytes.fromhex(request.model.sha256))
        with self._pool.place():
            image = await convert.receive_image(request_iterator, request.size_bytes)
            page = await usecases.run_ocr(
                image, request.model, request.layout, user=user, cache=self._cache, pool=self._pool
            )
        return convert.to_response(page, request.model.version)
