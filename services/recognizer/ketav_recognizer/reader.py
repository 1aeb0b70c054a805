"""A reader process: decodes and reads one image after another, so that its death hurts one request only.

Started as `python -m ketav_recognizer.reader FD`, FD being its end of a socket pair. It sends `READY` once
the engine is warm, then answers each `Task` with a `ReadPage` or a `Refusal`. It ends when its parent does.
"""

import hashlib
import os
import signal
import sys
from collections import OrderedDict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from ketav_common.processes import OUT_OF_MEMORY, confine, end_with_parent, is_out_of_memory
from ketav_engine.domain import Engine, EngineError, Model, ReadPage, UnusableImageError
from ketav_engine.engines import make_engine
from ketav_engine.images import decode
from ketav_recognizer.domain import Answer, ReaderSpec, Refusal, Task

READY: Final = "ready"
"""Sent once, when the engine is warm."""
_FORGET_S: Final = 30.0


class Reader:
    """Answers tasks with one engine; keeps the models used last."""

    def __init__(self, engine: Engine, models: int) -> None:
        """Take the engine and how many loaded models are kept."""
        self._engine = engine
        self._room = models
        self._models: OrderedDict[str, tuple[Model, Path]] = OrderedDict()

    def answer(self, task: Task) -> Answer:
        """Read a task's image; what is wrong with the image or the model is a refusal, not an exception."""
        try:
            return self._read(task)
        except UnusableImageError as error:
            return Refusal("image", str(error))
        except EngineError as error:
            return Refusal("model", str(error))

    def _read(self, task: Task) -> Answer:
        """Load the model when it is not at hand, then decode and read."""
        if task.model_sha256 not in self._models:
            content = _content(task)
            if content is None:
                return Refusal("cache", "the cached model file is gone or damaged")
            loaded = self._engine.load_model(content, task.model_sha256)
            self._models[task.model_sha256] = loaded, Path(task.model_path)
        model, _ = self._models[task.model_sha256]
        self._models.move_to_end(task.model_sha256)
        while len(self._models) > self._room:
            self._models.popitem(last=False)
        page: ReadPage = self._engine.read_page(decode(task.image), task.layout, model)
        return page

    def forget(self) -> None:
        """Let go of loaded models whose files are gone: they may not be used any more."""
        for digest, (_, path) in list(self._models.items()):
            if not path.exists():
                del self._models[digest]


def serve(connection: Connection, spec: ReaderSpec) -> None:
    """Answer tasks until the other end closes."""
    engine = make_engine(spec.engine, spec.language)
    engine.warm_up()
    reader = Reader(engine, spec.models)
    connection.send(READY)
    while True:
        try:
            waiting = connection.poll(_FORGET_S)
            reader.forget()
            if not waiting:
                continue
            task: Task = connection.recv()
        except EOFError:
            return
        connection.send(_answer(reader, task))


def main() -> None:
    """Run a reader process on the file descriptor named on the command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides when a reader ends
    end_with_parent()
    connection = Connection(int(sys.argv[1]))
    spec: ReaderSpec = connection.recv()
    confine(spec.memory_bytes)
    serve(connection, spec)


def _answer(reader: Reader, task: Task) -> Answer:
    """Answer a task; end the process when memory ran out, report any other defect by its kind alone."""
    try:
        return reader.answer(task)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: nothing may leave it half-said
        if is_out_of_memory(error):
            os._exit(OUT_OF_MEMORY)
        return Refusal("defect", _where(error))


def _where(error: Exception) -> str:
    """Name an exception and the line that raised it, without its text, which may hold what was read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"


def _content(task: Task) -> bytes | None:
    """Return the bytes of a task's model file, or None when it is gone or not the one expected."""
    try:
        content = Path(task.model_path).read_bytes()
    except FileNotFoundError:
        return None
    return content if hashlib.sha256(content).hexdigest() == task.model_sha256 else None


if __name__ == "__main__":
    main()
