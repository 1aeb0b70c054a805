"""The recognizer's RPCs: decode, one use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav_common.context import current_user
from ketav_common.identity import Signer
from ketav_recognizer import convert, usecases
from ketav_recognizer.celery_app import JobQueue


class RecognizerServicer(recognizer_pb2_grpc.RecognizerServiceServicer):
    """Serves ketav.recognizer.v1.RecognizerService."""

    def __init__(
        self, dependencies: usecases.Dependencies, signer: Signer, queue: JobQueue | None = None
    ) -> None:
        """Take what reading needs, the verifier of the models' grants, and the queue of jobs, if any."""
        self._dependencies = dependencies
        self._signer = signer
        self._queue = queue

    async def RecognizePage(
        self,
        request_iterator: AsyncIterator[recognizer_pb2.RecognizePageRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> recognizer_pb2.RecognizePageResponse:
        """Read one image; a slot of the queue is taken before its bytes are received."""
        user = current_user("recognizer")
        request = await convert.receive_header(request_iterator)
        self._signer.check_grant(request.model.grant, user, bytes.fromhex(request.model.sha256))
        with self._dependencies.readers.slot(str(user), batch=request.batch):
            image = await convert.receive_image(request_iterator, request.size_bytes)
            page = await usecases.run_ocr(image, request, user=user, dependencies=self._dependencies)
        return convert.to_response(page, request.model.version)

    async def EnqueueJob(
        self, request: recognizer_pb2.EnqueueJobRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> recognizer_pb2.EnqueueJobResponse:
        """Send the id of a job to the workers."""
        current_user()
        await usecases.enqueue_job(convert.job_id(request), queue=self._queue)
        return recognizer_pb2.EnqueueJobResponse()
