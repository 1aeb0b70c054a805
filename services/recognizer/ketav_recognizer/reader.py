"""A reader process: decodes and reads one image at a time, so that only one request fails if it dies.

The pool starts it with `ketav_common.child_process`. It loads the engine at its first request, then
answers each task with a page or a refusal.
"""

import hashlib
from pathlib import Path
from typing import Final

from cachetools import LRUCache

from ketav_common.child_main import Channel, is_out_of_memory, run
from ketav_common.stages import record_stages, stage
from ketav_engine.budgets import PageBudgets, reading_within
from ketav_engine.devices import NoDeviceError
from ketav_engine.domain import Engine, EngineError, Model, UnusableImageError
from ketav_engine.engines import make_engine
from ketav_engine.images import decode
from ketav_engine.orientation import read_upright
from ketav_recognizer.domain import Answer, ReadingTask, Refusal
from ketav_recognizer.reader_messages import PING, WARM_UP, TimedAnswer, from_answer, to_task

_DROP_INTERVAL_S: Final = 30.0
"""Seconds between two checks for loaded models whose files are deleted, while no task arrives."""


class Reader:
    """Answers tasks with one engine; keeps the models that were used last."""

    def __init__(self, engine: Engine, models: int, budgets: PageBudgets | None = None) -> None:
        """Take the engine, the number of loaded models to keep, and the budgets of images."""
        self._engine = engine
        self._budgets = budgets or PageBudgets()
        self._models: LRUCache[str, tuple[Model, Path]] = LRUCache(models)

    def answer(self, task: ReadingTask) -> Answer:
        """Read a task's image; an unusable image or model is a refusal, not an exception."""
        try:
            return self._read(task)
        except UnusableImageError as error:
            return Refusal("image", error.detail)
        except EngineError as error:
            return Refusal("model", error.detail)

    def _read(self, task: ReadingTask) -> Answer:
        """Load the model unless it is loaded, then decode the image and read it."""
        if task.model_sha256 not in self._models:
            content = _model_file(task)
            if content is None:
                return Refusal("cache", "The cached model file is missing or damaged.")
            with stage("load"):
                loaded = self._engine.load_model(content, task.model_sha256)
            self._models[task.model_sha256] = loaded, Path(task.model_path)
        model, _ = self._models[task.model_sha256]
        with stage("decode"):
            image = decode(task.image)
        with reading_within(self._budgets.of(image.shape[0] * image.shape[1])):
            if task.detect_turn:
                return read_upright(self._engine, image, task.layout, model)
            return self._engine.read_page(image, task.layout, model)

    def drop_deleted(self) -> None:
        """Unload models whose files are deleted: they may not be used any more."""
        for digest, (_, path) in list(self._models.items()):
            if not path.exists():
                del self._models[digest]


def serve(channel: Channel) -> None:
    """Load the engine, then answer tasks until the parent closes the channel."""
    language = channel.setup["language"]
    try:
        engine = make_engine(
            channel.setup["engine"], Path(language) if language else None, channel.setup["device"]
        )
    except NoDeviceError as error:
        raise SystemExit(error.detail) from None
    except EngineError as error:
        raise SystemExit(f"KETAV_LANGUAGE_MODEL names a file that cannot be used. {error.detail}") from None
    reader = Reader(engine, channel.setup["models"], PageBudgets(**channel.setup["budgets"]))
    while True:
        frame = channel.receive(_DROP_INTERVAL_S)
        reader.drop_deleted()
        if frame is None:
            continue
        if PING in frame.message:
            channel.send({PING: True})
        elif WARM_UP in frame.message:
            engine.warm_up()
            channel.send({WARM_UP: True})
        else:
            with channel.beating():
                answer = from_answer(_answer(reader, to_task(frame)))
            channel.send(answer)


def _answer(reader: Reader, task: ReadingTask) -> TimedAnswer:
    """Answer a task; an unexpected error is a refusal that names the error without its text."""
    answer: Answer
    with record_stages() as stages:
        try:
            answer = reader.answer(task)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            answer = Refusal("defect", _location(error))
    return TimedAnswer(answer, stages)


def _location(error: Exception) -> str:
    """Return an error's type and the line that raised it, without its text, which may hold what was read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    line = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown line"
    return f"{type(error).__name__} at {line}"


def _model_file(task: ReadingTask) -> bytes | None:
    """Return the bytes of a task's model file, None when it is missing or has another digest."""
    try:
        content = Path(task.model_path).read_bytes()
    except FileNotFoundError:
        return None
    return content if hashlib.sha256(content).hexdigest() == task.model_sha256 else None


if __name__ == "__main__":
    run(serve)
