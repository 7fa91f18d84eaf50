"""Frame: one picture's record on its way through the pipeline, from the camera's stamp to its fate."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_engine.pixels import Image, Pixels


@dataclass(slots=True)
class Frame:
    """A picture as the camera gave it, with its stamps.

    One thread at a time holds a frame: a ring hands it on, and whoever took it may write to it. `seq` counts
    every frame that the camera delivered, from 0, also those that were dropped. `work_ns` gathers, per stage,
    how long that stage worked on this frame. `doubt`: why the camera that gave it is not to be trusted, such
    as pictures that have stood still; empty while it is. `media_ns`: of a recording, its own time.
    """

    stream: str
    seq: int
    captured_ns: int
    captured_utc_ns: int
    size: tuple[int, int]
    pixels: Pixels | None
    work_ns: dict[str, int] = field(default_factory=dict)
    doubt: str = ""
    media_ns: int | None = None

    @property
    def shown_ns(self) -> int:
        """When the picture is of: by which things in it move, however fast a recording is read."""
        return self.captured_ns if self.media_ns is None else self.media_ns

    def bgr(self) -> Image:
        """The whole picture, uint8 [height, width, 3], converted when asked; ValueError once let go."""
        if self.pixels is None:
            raise ValueError(f"frame {self.seq} of {self.stream} has let its pixels go")
        return self.pixels.bgr()
