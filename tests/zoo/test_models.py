"""The zoo's models on real pictures with known content, as the engine runs them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_engine import pictures, zoo
from edge_engine.models.model import Model
from edge_engine.pixels import BgrPixels
from edge_engine.result import Answer, Objects, Segmentation, Tags
from tests.golden import GOLDEN

# Of the picture of an astronaut, 512 x 512: around the head, and the middle of the face.
HEAD_XYXY = (130, 0, 320, 230)
EYES = {"right_eye": (204, 102), "left_eye": (247, 104)}


def picture(name: str) -> NDArray[np.uint8]:
    image = cv2.imread(str(pictures.known_pictures()[name].path))
    assert image is not None
    return np.asarray(image, np.uint8)


def laid(model: Model, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    tensor = model.new_input()
    box = model.spec.input.lay((image.shape[1], image.shape[0]))
    place = tensor[0, box.top : box.top + box.height, box.left : box.left + box.width]
    BgrPixels(image).resize_into(place, model.spec.input.colour, box.region)
    return tensor


def recognised(name: str, image: NDArray[np.uint8]) -> tuple[Model, Answer]:
    model = Model(zoo.find_model(name))
    tensor, outputs = laid(model, image), model.new_outputs()
    model.run(model.bind(tensor, outputs))
    return model, model.decoder(outputs, model.spec.score_threshold, model.spec.iou_threshold)


@pytest.mark.parametrize(
    ("shown", "label", "among"),
    [("chelsea", {"Egyptian cat", "tabby", "tiger cat"}, 3), ("coffee", {"espresso"}, 1)],
)
def test_efficientnet_lite_names_what_a_picture_shows(shown: str, label: set[str], among: int) -> None:
    model, tags = recognised("efficientnet-lite0", picture(shown))
    assert isinstance(tags, Tags)
    named = [model.spec.labels[i] for i in tags.class_ids.tolist()][:among]
    assert set(named) <= label


def test_selfie_finds_the_person_and_not_the_sky() -> None:
    _, found = recognised("selfie", picture("astronaut"))
    assert isinstance(found, Segmentation)
    inside = found.class_ids
    rows, columns = inside.shape
    assert inside[rows // 2 :, columns // 3 : columns // 2].mean() > 0.95  # the suit
    assert inside[: rows // 4, : columns // 6].mean() < 0.05
    assert 0.3 < inside.mean() < 0.8


def test_movenet_finds_the_head_and_the_shoulders() -> None:
    model, found = recognised("movenet-lightning", picture("astronaut"))
    assert isinstance(found, Objects)
    assert found.keypoints is not None
    box = model.spec.input.lay((512, 512))
    points = dict(
        zip(model.spec.keypoint_names, box.points_to_source(found.keypoints[0, :, :2]).tolist(), strict=True)
    )
    for name, place in EYES.items():
        assert np.linalg.norm(np.subtract(points[name], place)) < 25
    assert points["right_shoulder"][0] < points["nose"][0] < points["left_shoulder"][0]
    assert points["nose"][1] < points["left_shoulder"][1]


def test_blazeface_finds_the_face_and_its_eyes() -> None:
    model, found = recognised("blazeface", picture("astronaut"))
    assert isinstance(found, Objects)
    assert len(found) == 1
    assert found.keypoints is not None
    box = model.spec.input.lay((512, 512))
    left, top, right, bottom = box.to_source(found.boxes_xyxy)[0].tolist()
    assert HEAD_XYXY[0] < left < right < HEAD_XYXY[2]
    assert HEAD_XYXY[1] < top < bottom < HEAD_XYXY[3]
    points = box.points_to_source(found.keypoints[0, :, :2])
    for name, place in EYES.items():
        point = points[model.spec.keypoint_names.index(name)]
        assert np.linalg.norm(point - place) < 15


def test_no_face_where_there_is_none() -> None:
    _, found = recognised("blazeface", picture("coffee"))
    assert isinstance(found, Objects)
    assert len(found) == 0


@pytest.mark.parametrize(
    ("name", "limit"), [("selfie", 2e-3), ("movenet-lightning", 1e-4), ("blazeface", 2e-3)]
)
def test_the_outputs_are_those_of_the_original_in_tensorflow_js(name: str, limit: float) -> None:
    """Measured: 3e-4 of a mask kept in float16, 1.4e-6 of a pose, 4e-4 of logits up to 306."""
    model = Model(zoo.find_model(name))
    outputs = model.new_outputs()
    model.run(model.bind(laid(model, picture("astronaut")), outputs))
    names = [output.name for output in model.session.get_outputs()]
    with np.load(GOLDEN / f"{name}_tfjs.npz") as goldens:
        assert set(goldens) == set(names)
        for output_name, output in zip(names, outputs, strict=True):
            np.testing.assert_allclose(output.ravel(), goldens[output_name], rtol=0, atol=limit)


def test_the_whole_zoo_stays_small() -> None:
    assert sum(entry.bytes for entry in zoo.entries().values()) < 20_000_000
