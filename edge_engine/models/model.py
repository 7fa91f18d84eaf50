"""Model: an ONNX file, what it says of itself, and a session that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_engine.errors import ModelError, one_line
from edge_engine.models.answers import InferenceError as InferenceError
from edge_engine.models.answers import check_numbers
from edge_engine.models.choice import with_labels
from edge_engine.models.families import load_family
from edge_engine.models.families.family import Decoder
from edge_engine.models.glance import check_file
from edge_engine.models.providers import Setting
from edge_engine.models.reading import read_spec
from edge_engine.models.repair import Repaired, repaired
from edge_engine.models.session import open_session
from edge_engine.models.spec import BATCH_DIMENSION, ModelSpec

Tensor = NDArray[Any]

_PLAIN = Setting()
_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


class Binding(NamedTuple):
    """Where one inference reads and writes: the runtime holds bare addresses, so the arrays go along.

    `outputs` is the very list that was bound: a run puts a new array into the places of outputs whose size
    varies from picture to picture, and fills the others.
    """

    io: Any  # an onnxruntime.IOBinding, which has no types
    tensor: Tensor
    outputs: list[Tensor]


class Model:
    """Loaded once; `run` may be called by several workers at a time, each with tensors of its own."""

    def __init__(
        self,
        path: Path,
        setting: Setting = _PLAIN,
        *,
        aspect: tuple[int, int] | None = None,
        labels: tuple[str, ...] = (),
        made: Repaired | None = None,
    ) -> None:
        """`aspect`: for pictures of that shape alone, (width, height) in any unit, without the padding of
        its letterbox. `labels`: in place of its own. `made`: what was repaired already. Raises ModelError or
        ProviderError, in one line."""
        check_file(path)
        self.path = path
        is_batched = setting.batch > 1
        file, self.repairs = made or repaired(path, is_batched=is_batched, aspect=aspect, labels=labels)
        self.session, provider = open_session(file, setting)
        self.setting = msgspec.structs.replace(setting, provider=provider)
        spec = read_spec(path, self.session.get_modelmeta().custom_metadata_map)
        self.spec = with_labels(path, spec, labels)
        self._input = self._check_input()
        self._output_names = [output.name for output in self.session.get_outputs()]
        self._outputs = self._first_run()
        self._varying = self._find_varying()
        self.decoder = self.new_decoder(self.spec)

    def new_decoder(self, spec: ModelSpec) -> Decoder:
        """One with scratch of its own, for this model's spec with changes to what is asked for."""
        shapes = {name: output.shape for name, output in self._outputs.items()}
        return load_family(spec.family)(spec, shapes)

    def new_input(self) -> Tensor:
        """A tensor to put a picture into, filled with the letterbox's padding."""
        return np.full_like(self._input, self.spec.input.pad)

    @property
    def input_bytes(self) -> int:
        return self._input.nbytes

    def new_batch(self) -> Tensor:
        """A tensor for as many pictures as the setting lets into one inference."""
        return np.repeat(self.new_input(), self.setting.batch, axis=0)

    def new_outputs(self) -> list[Tensor]:
        """One preallocated array [batch, …] per output, in the graph's order.

        Of an output whose size varies it only holds the place; repair refuses batches of such models.
        """
        return [np.repeat(np.zeros_like(o), self.setting.batch, axis=0) for o in self._outputs.values()]

    def bind(self, tensor: Tensor, outputs: list[Tensor]) -> Binding:
        """What `run` needs to read and write these very arrays."""
        io = self.session.io_binding()
        name = self.session.get_inputs()[0].name
        io.bind_input(name, "cpu", 0, tensor.dtype.type, tensor.shape, tensor.ctypes.data)
        for i, (name, output) in enumerate(zip(self._output_names, outputs, strict=True)):
            if i in self._varying:
                io.bind_output(name, "cpu")
            else:
                io.bind_output(name, "cpu", 0, output.dtype.type, output.shape, output.ctypes.data)
        return Binding(io, tensor, outputs)

    def run(self, binding: Binding, options: Any = None) -> None:  # noqa: ANN401
        """One inference, without the GIL; `options` is a RunOptions that another thread may terminate."""
        try:
            for i in self._varying:  # anew each time: else the last run's array is to hold this one's
                binding.io.bind_output(self._output_names[i], "cpu")
            self.session.run_with_iobinding(binding.io, options)
            self._take_varying(binding)
        except Exception as error:  # ONNX Runtime raises a type of its own per status code
            raise InferenceError(one_line(error)) from None
        check_numbers(self._output_names, binding.outputs)

    def _take_varying(self, binding: Binding) -> None:
        if self._varying:
            given = binding.io.get_outputs()
            for i in self._varying:
                binding.outputs[i] = given[i].numpy()

    def _find_varying(self) -> tuple[int, ...]:
        """Indices of the outputs whose shape the graph leaves open: it shows with each picture."""
        first = 0 if self.setting.batch == 1 else 1
        pairs = zip(self.session.get_outputs(), self._outputs.values(), strict=True)
        return tuple(
            i for i, (said, got) in enumerate(pairs) if said.shape[first:] != list(got.shape[first:])
        )

    def _check_input(self) -> Tensor:
        """An empty tensor of the model's input; ModelError when graph and spec disagree."""
        inputs = self.session.get_inputs()
        spec = self.spec.input
        size = (spec.height, spec.width)
        first = 1 if self.setting.batch == 1 else BATCH_DIMENSION
        expected = [first, *size, 3]
        got = [(_DTYPES.get(i.type, i.type), i.shape) for i in inputs]
        if got != [(spec.dtype, expected)]:
            raise ModelError(
                f"{self.path}: its metadata promises one input {spec.dtype} {expected}, the graph has {got}"
            )
        return np.zeros((1, *size, 3), spec.dtype)

    def _first_run(self) -> dict[str, Tensor]:
        """Run once on padding: warms up, and shows the outputs' real shapes, those of one picture."""
        name = self.session.get_inputs()[0].name
        try:
            if self.setting.batch > 1:
                self.session.run(self._output_names, {name: self.new_batch()})
            outputs = self.session.run(self._output_names, {name: self.new_input()})
        except Exception as error:  # ONNX Runtime raises a type of its own per status code
            raise ModelError(f"{self.path}: its first inference failed: {one_line(error)}") from None
        return dict(zip(self._output_names, outputs, strict=True))
