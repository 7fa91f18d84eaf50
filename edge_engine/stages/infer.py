"""Infer: one of several workers that run the model on slots of input."""

from __future__ import annotations

from typing import Any

from edge_engine.clock import monotonic_ns
from edge_engine.errors import ModelError
from edge_engine.models.model import Binding, InferenceError, Model
from edge_engine.ring import Ring, RingClosed
from edge_engine.slots import OutputSlot, TensorSlot

# So many failures in a row are the model's or the device's fault, not the frame's.
_TOLERATED_FAILURES = 10


class Infer:
    """Takes a place for its outputs before its input: a worker that waits for input is one that is free."""

    def __init__(
        self,
        worker: int,
        model: Model,
        source: Ring[TensorSlot],
        output: Ring[OutputSlot],
        run_options: Any = None,  # noqa: ANN401 - onnxruntime has no types
    ) -> None:
        self.name = f"infer-{worker}"
        self._model = model
        self._input = source
        self._output = output
        self._run_options = run_options
        self._bindings: dict[tuple[int, int], Binding] = {}
        self._failures = 0

    def step(self) -> None:
        slot = self._output.acquire()
        try:
            taken = self._input.take()
        except RingClosed:
            self._output.discard(slot)
            raise
        assert taken is not None
        assert taken.frame is not None
        started_ns = monotonic_ns()
        slot.error = self._run(taken, slot)
        slot.frame, taken.frame = taken.frame, None
        slot.frame.work_ns["infer"] = monotonic_ns() - started_ns
        slot.order = taken.ticket
        self._input.release(taken)
        # A failed frame is handed on all the same: its place in the order must not stay empty.
        self._output.commit(slot)

    def _run(self, taken: TensorSlot, slot: OutputSlot) -> str | None:
        """Why the inference failed, or None."""
        key = (id(taken), id(slot))
        if key not in self._bindings:
            self._bindings[key] = self._model.bind(taken.tensor, slot.outputs)
        try:
            self._model.run(self._bindings[key], self._run_options)
        except InferenceError as error:
            self._failures += 1
            if self._failures >= _TOLERATED_FAILURES:
                raise ModelError(
                    f"{self._model.path}: {self._failures} inferences in a row failed; the last: {error}"
                ) from None
            return str(error)
        self._failures = 0
        return None

    def finish(self) -> None:
        self._bindings.clear()
        self._output.close()
