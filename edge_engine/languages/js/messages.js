// The messages' fields. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// A type is "int", "ns" (BigInt), "float", "bool", "str", a struct's name, or ["list", type],
// ["tuple", type, …], ["map", type], ["optional", type], ["literal", value, …].
// A field is [type], or [type, default].

export const WIRE_VERSION = 1;
export const HEARTBEAT_NS = 500000000n;
export const CLOCK_TOPIC = "clock";
export const KINDS = {"result": "ResultMessage", "health": "HealthMessage", "describe": "DescribeMessage"};
export const STRUCTS = {
  ClockReply: {
    asked_ns: ["ns"],
    received_ns: ["ns"],
    answered_ns: ["ns"],
    clock: ["str"],
  },
  ClockRequest: {
    sent_ns: ["ns"],
  },
  DescribeMessage: {
    version: ["int", 1],
    stream: ["str"],
    session: ["str"],
    model: ["str"],
    task: ["str"],
    labels: [["list", "str"]],
    max_age_ms: ["int"],
    keypoint_names: [["list", "str"], []],
    classes: [["list", "str"], []],
    score_threshold: ["float", 0.0],
    label_thresholds: [["map", "float"], {}],
    min_fps: ["float", 0.0],
    clock: ["str", ""],
    clock_port: ["int", 0],
  },
  Counters: {
    captured: ["int"],
    published: ["int"],
    in_flight: ["int"],
    dropped: [["map", "int"]],
  },
  TagRow: {
    score: ["float"],
    class_id: ["int"],
    label: ["str"],
  },
  SegmentationRows: {
    size: [["tuple", "int", "int"]],
    class_ids: [["list", "int"]],
    counts: [["list", "int"]],
    shares: [["map", "float"]],
  },
  Mask: {
    size: [["tuple", "int", "int"]],
    counts: [["list", "int"]],
  },
  HealthMessage: {
    version: ["int", 1],
    stream: ["str"],
    session: ["str"],
    published_ns: ["ns"],
    counters: ["Counters"],
    state: ["str", "running"],
    reason: ["str", ""],
    since_ns: ["ns", 0n],
    reconnects: ["int", 0],
    missed: ["int", 0],
    alarms: [["map", "str"], {}],
    clock: ["str", ""],
    paused: ["bool", false],
  },
  ObjectRow: {
    xyxy: [["tuple", "float", "float", "float", "float"]],
    score: ["float"],
    class_id: ["int"],
    label: ["str"],
    keypoints: [["list", ["tuple", "float", "float", "float"]], []],
    mask: [["optional", "Mask"], null],
    track_id: [["optional", "int"], null],
    track_state: [["optional", ["literal", "confirmed", "lost", "new"]], null],
    velocity: [["optional", ["tuple", "float", "float"]], null],
    velocity_covariance: [["optional", ["tuple", ["tuple", "float", "float"], ["tuple", "float", "float"]]], null],
  },
  ResultMessage: {
    version: ["int", 1],
    stream: ["str"],
    seq: ["int"],
    session: ["str"],
    captured_ns: ["ns"],
    captured_utc_ns: ["ns"],
    published_ns: ["ns"],
    valid_until_ns: ["ns"],
    size: [["tuple", "int", "int"]],
    model: ["str"],
    stages_ms: [["map", "float"]],
    counters: ["Counters"],
    objects: [["list", "ObjectRow"]],
    tags: [["list", "TagRow"], []],
    segmentation: [["optional", "SegmentationRows"], null],
    valid: ["bool", true],
    reason: ["str", ""],
    clock: ["str", ""],
  },
};
