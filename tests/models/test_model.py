import weakref

from edge_engine.models.model import Model
from edge_engine.zoo import find_model


def test_a_binding_keeps_alive_what_the_runtime_writes_to() -> None:
    model = Model(find_model("nanodet-g"))
    tensor, outputs = model.new_input(), model.new_outputs()
    arrays = [weakref.ref(array) for array in (tensor, *outputs)]
    binding = model.bind(tensor, outputs)
    del tensor, outputs
    assert all(array() is not None for array in arrays)
    model.run(binding)
    assert any(array().any() for array in arrays[1:])
