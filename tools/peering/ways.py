"""Each way to run a model over a clip for ever: a generator that yields, whenever a frame's boxes are
there, when that frame was read, in nanoseconds of the monotonic clock."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2

from tools.peering.task import SCORE, Image, Task

Way = Callable[[Path, Path], Iterator[int]]
_ADDRESS = "tcp://127.0.0.1:5598"


def frames(clip: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(clip))
    while True:
        is_there, image = capture.read()
        if is_there:
            yield image
        else:
            capture.set(cv2.CAP_PROP_POS_FRAMES, 0)


def onnxruntime_session(model: Path) -> Any:  # noqa: ANN401 - onnxruntime has no types
    import onnxruntime

    return onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])


def plain(model: Path, clip: Path) -> Iterator[int]:
    """One loop: read, prepare, infer, decode."""
    yield from _recognise(model, frames(clip))


def _recognise(model: Path, images: Iterator[Image]) -> Iterator[int]:
    session, task = onnxruntime_session(model), Task(model)
    while True:
        started_ns = time.monotonic_ns()
        image = next(images)
        task.decode(session.run(None, {task.input: task.prepare(image)}))
        yield started_ns


def threaded(model: Path, clip: Path) -> Iterator[int]:
    """A thread that reads into a queue, and one loop that takes from it."""
    read: queue.Queue[tuple[int, Image]] = queue.Queue(maxsize=4)

    def capture() -> None:
        images = frames(clip)
        while True:
            started_ns = time.monotonic_ns()
            read.put((started_ns, next(images)))

    threading.Thread(target=capture, daemon=True).start()
    session, task = onnxruntime_session(model), Task(model)
    while True:
        started_ns, image = read.get()
        task.decode(session.run(None, {task.input: task.prepare(image)}))
        yield started_ns


def opencv_dnn(model: Path, clip: Path) -> Iterator[int]:
    net, task = cv2.dnn.readNetFromONNX(str(model)), Task(model)
    names = net.getUnconnectedOutLayersNames()
    for started_ns, image in _stamped(frames(clip)):
        net.setInput(task.prepare(image))
        task.decode(list(net.forward(names)))
        yield started_ns


def _stamped(images: Iterator[Image]) -> Iterator[tuple[int, Image]]:
    while True:
        started_ns = time.monotonic_ns()
        yield started_ns, next(images)


def ultralytics(model: Path, clip: Path) -> Iterator[int]:
    from ultralytics import YOLO

    yolo = YOLO(str(model), task="detect")
    while True:
        for result in yolo.predict(str(clip), stream=True, verbose=False, device="cpu", conf=SCORE):
            spent_ms = sum(result.speed.values())
            yield time.monotonic_ns() - int(spent_ms * 1e6)


def supervision(model: Path, clip: Path) -> Iterator[int]:
    import supervision as sv

    session, task = onnxruntime_session(model), Task(model)
    while True:
        for started_ns, image in _until_the_end(sv.get_video_frames_generator(str(clip))):
            boxes, scores, class_ids = task.decode(session.run(None, {task.input: task.prepare(image)}))
            boxes = boxes.reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            sv.Detections(xyxy=boxes, confidence=scores, class_id=class_ids).with_nms(threshold=0.7)
            yield started_ns


def _until_the_end(images: Iterator[Image]) -> Iterator[tuple[int, Image]]:
    while True:
        started_ns = time.monotonic_ns()
        image = next(images, None)
        if image is None:
            return
        yield started_ns, image


def openvino(model: Path, clip: Path) -> Iterator[int]:
    """Its asynchronous queue with the throughput hint; reading, preparing and decoding in one thread."""
    task = Task(model)
    yield from _openvino_queue(model, ((s, task.prepare(image)) for s, image in _stamped(frames(clip))), task)


def openvino_bare(model: Path, clip: Path) -> Iterator[int]:
    """The same, inference alone: one prepared picture again and again, nothing read, nothing decoded."""
    tensor = Task(model).prepare(next(frames(clip)))
    yield from _openvino_queue(model, ((time.monotonic_ns(), tensor) for _ in iter(int, 1)), None)


def _openvino_queue(model: Path, tensors: Iterator[tuple[int, Any]], task: Task | None) -> Iterator[int]:
    import openvino as ov

    compiled = ov.Core().compile_model(str(model), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    requests, done = ov.AsyncInferQueue(compiled), queue.SimpleQueue[int]()

    def finish(request: Any, started_ns: int) -> None:  # noqa: ANN401
        if task is not None:
            task.decode([request.get_output_tensor(i).data for i in range(len(compiled.outputs))])
        done.put(started_ns)

    requests.set_callback(finish)
    for started_ns, tensor in tensors:
        requests.start_async([tensor], started_ns)
        while not done.empty():
            yield done.get()


def imagezmq(model: Path, clip: Path) -> Iterator[int]:
    """A camera's process sends every picture through imagezmq, another one recognises."""
    import imagezmq as transport

    hub = transport.ImageHub(open_port=_ADDRESS)
    sender = multiprocessing.get_context("spawn").Process(target=_send, args=(clip,), daemon=True)
    sender.start()

    def received() -> Iterator[Image]:
        while True:
            _, image = hub.recv_image()
            hub.send_reply(b"OK")
            yield image

    yield from _recognise(model, received())


def _send(clip: Path) -> None:
    import imagezmq as transport

    sender = transport.ImageSender(connect_to=_ADDRESS)
    for image in frames(clip):
        sender.send_image("camera", image)


def vidgear(model: Path, clip: Path) -> Iterator[int]:
    """CamGear reads in a thread of its own."""
    from vidgear.gears import CamGear

    def read() -> Iterator[Image]:
        while True:
            stream = CamGear(source=str(clip)).start()
            while (image := stream.read()) is not None:
                yield image
            stream.stop()

    yield from _recognise(model, read())


WAYS: dict[str, Way] = {
    "plain loop": plain,
    "threaded loop": threaded,
    "OpenCV DNN": opencv_dnn,
    "ultralytics": ultralytics,
    "supervision": supervision,
    "OpenVINO async": openvino,
    "OpenVINO bare inference": openvino_bare,
    "imagezmq": imagezmq,
    "vidgear": vidgear,
}
