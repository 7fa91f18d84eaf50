"""recording: what an MCAP file of the engine's holds, written so that Foxglove shows it, and read again.

    topic                  schema (encoding)                      one for
    /<stream>/image        foxglove.CompressedImage (protobuf)    each recorded JPEG, untouched
    /<stream>/image_raw    foxglove.RawImage (protobuf)           each other recorded picture, lossless
    /<stream>/frame        edge_engine.Frame (json)               each recorded picture: what it was
    /<stream>/result       edge_engine.Result (json)              each published result, as on the wire
    /<stream>/annotations  foxglove.ImageAnnotations (json)       each published result, to be drawn
    /<stream>/health       edge_engine.Health (json)              each heartbeat
    /<stream>/describe     edge_engine.Describe (json)            the file: labels, model, terms

A message's `log_time` is the wall clock (UTC) at the capture of what it is about, of a heartbeat when it was
written; `publish_time` is the wall clock when the result was published. The stamps of CLOCK_MONOTONIC are in
the messages. `sequence` is the frame's `seq`. The first record is metadata named RECORDING (header.py).
The container: https://mcap.dev/spec; Foxglove's schemas: https://docs.foxglove.dev/docs/sdk/schemas.
"""
