// The messages. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// Every field is there once a message is decoded; *_ns, nanoseconds, are BigInts.

export const WIRE_VERSION: number;
export const HEARTBEAT_NS: bigint;
export const CLOCK_TOPIC: string;

/**
 * When the publisher got the request and when it answered, by the clock of that name.
 */
export interface ClockReply {
  asked_ns: bigint;
  received_ns: bigint;
  answered_ns: bigint;
  clock: string;
}

/**
 * Sent from a DEALER socket, sealed like any message, with the topic `clock`; `sent_ns` is the asker's
 * own CLOCK_MONOTONIC, and comes back.
 */
export interface ClockRequest {
  sent_ns: bigint;
}

/**
 * What a stream's results are made of; sent again to each new subscriber.
 *
 * `classes` are the labels that are published, none for all of them; a label of `label_thresholds` needs
 * that score, any other `score_threshold`. `min_fps`: fewer results a second are a fault. `clock_port`: the
 * TCP port of the publisher's host that answers ClockRequests; 0 for none.
 */
export interface DescribeMessage {
  version: number;
  stream: string;
  session: string;
  model: string;
  task: string;
  labels: Array<string>;
  max_age_ms: number;
  keypoint_names: Array<string>;
  classes: Array<string>;
  score_threshold: number;
  label_thresholds: Record<string, number>;
  min_fps: number;
  clock: string;
  clock_port: number;
}

/**
 * The stream's ledger: captured = published + in_flight + Σ dropped.
 *
 * `published` counts this message too, so that a receiver finds gaps by it.
 */
export interface Counters {
  captured: number;
  published: number;
  in_flight: number;
  dropped: Record<string, number>;
}

/**
 * Somebody came into the zone or left it, or crossed the line, whose name is `place`.
 *
 * `number` counts a stream's events in this session, from 1, without gaps. The stamps are those of the
 * picture by which it counts; it happened `ago_ms` before. `dwell_ms`: of one that left, how long it was
 * inside.
 */
export interface EventRow {
  number: number;
  kind: "appeared" | "crossed" | "entered" | "exited" | "lost_inside";
  place: string;
  track_id: number;
  label: string;
  score: number;
  xyxy: [number, number, number, number];
  seq: number;
  captured_ns: bigint;
  captured_utc_ns: bigint;
  ago_ms: number;
  direction: "left_to_right" | "right_to_left" | null;
  dwell_ms: number | null;
}

/**
 * What the whole picture shows: one of the best classes, or a tag; score 0..1.
 */
export interface TagRow {
  score: number;
  class_id: number;
  label: string;
}

/**
 * A class per cell of a grid of `size` (rows, columns) over the whole picture, row by row as runs of
 * equal cells: `class_ids` and how many cells `counts` each run has. `shares`: of the picture, by label.
 * Classes that aren't asked for are 255 (65535 where there are more than 255 labels) and have no share.
 */
export interface SegmentationRows {
  size: [number, number];
  class_ids: Array<number>;
  counts: Array<number>;
  shares: Record<string, number>;
}

/**
 * By label, how many crossed since the session began, as seen by who goes along the line.
 */
export interface LineRow {
  name: string;
  left_to_right: Record<string, number>;
  right_to_left: Record<string, number>;
}

/**
 * Of a zone in a tracked stream: by label, how many came and went since the session began (what counts as
 * what is at the head of zones/), and how long those that are inside have been there by now.
 */
export interface VisitsRow {
  entered: Record<string, number>;
  appeared: Record<string, number>;
  exited: Record<string, number>;
  lost_inside: Record<string, number>;
  longest_dwell_ms: number;
  mean_dwell_ms: number;
}

/**
 * COCO's uncompressed run lengths: column by column of a grid of `size` (rows, columns) over the whole
 * picture, first how many cells are outside, then how many inside, and so on.
 */
export interface Mask {
  size: [number, number];
  counts: Array<number>;
}

/**
 * Where an object is in the robot's axes: x forward, y left, z up (REP-103), from the point on the ground
 * below the lens. Each number has its standard deviation, and is None where it can't be known.
 *
 * `bearing_deg` from forward, positive to the left, and `elevation_deg` from the horizon, positive up, of
 * the box's middle as the camera sees it. `distance_m` over the ground to the object's foot, whose place is
 * `position_m`, with the covariance of its errors in m², 3x3; `distance_by`: where the foot meets the
 * `ground`, or the object's known `height`.
 */
export interface GeometryRow {
  bearing_deg: number | null;
  bearing_std_deg: number | null;
  elevation_deg: number | null;
  elevation_std_deg: number | null;
  distance_m: number | null;
  distance_std_m: number | null;
  position_m: [number, number, number] | null;
  position_covariance: Array<[number, number, number]> | null;
  distance_by: "ground" | "height" | null;
}

/**
 * The heartbeat, twice a second, and at once when the stream's state changes. It stops when a stage
 * hangs: when a frame takes more than 0.8 s, and four times as long as usual.
 *
 * `state`: opening, running, stalled, reconnecting, ended or failed, since `since_ns`, for that `reason`;
 * `reconnects`: how often the source was lost; `missed`: pictures that never reached the engine, as far as
 * the source knows. `alarms`: what the engine can't do at the moment beside recognising, such as writing a
 * file, by output. `paused`: nothing is recognised, because somebody has asked for that.
 */
export interface HealthMessage {
  version: number;
  stream: string;
  session: string;
  published_ns: bigint;
  counters: Counters;
  state: string;
  reason: string;
  since_ns: bigint;
  reconnects: number;
  missed: number;
  alarms: Record<string, string>;
  clock: string;
  paused: boolean;
}

/**
 * The events of one result, sent right after it, when there are any. One message, so that many at a time
 * don't overflow a subscriber's queue. `valid` as in the result.
 */
export interface EventMessage {
  version: number;
  stream: string;
  session: string;
  published_ns: bigint;
  events: Array<EventRow>;
  valid: boolean;
  clock: string;
}

/**
 * `objects`: which of the message's objects have their anchor inside in this picture, by their places in
 * the list from 0. `inside`: how many there are, by label; in a tracked stream those that are settled there,
 * and then `visits` are counted. `density_per_megapixel`: of these, in the zone's part of the picture;
 * `density_per_m2`: where the configuration has its area.
 */
export interface ZoneRow {
  name: string;
  objects: Array<number>;
  inside: Record<string, number>;
  density_per_megapixel: number;
  density_per_m2: number | null;
  visits: VisitsRow | null;
}

/**
 * One recognised object: box `xyxy` in source pixels (left, top, right, bottom), score 0..1.
 *
 * `keypoints`: x, y in source pixels and score each, named in `describe`; `mask`: which part it covers.
 *
 * Of a tracked stream: `track_id`, from 1 up, given once per stream and session and to one object;
 * `track_state`: `new` (first seen a few pictures ago), `confirmed`, or `lost` (known, but not seen in this
 * picture: the box is where it is expected, its score 0); `velocity` of the box's centre, x and y, in source
 * pixels per second, and the covariance of its errors, [[xx, xy], [yx, yy]].
 *
 * `geometry`, where the stream's camera is described.
 */
export interface ObjectRow {
  xyxy: [number, number, number, number];
  score: number;
  class_id: number;
  label: string;
  keypoints: Array<[number, number, number]>;
  mask: Mask | null;
  track_id: number | null;
  track_state: "confirmed" | "lost" | "new" | null;
  velocity: [number, number] | null;
  velocity_covariance: [[number, number], [number, number]] | null;
  geometry: GeometryRow | null;
}

/**
 * What was recognised in one frame. Don't act on it once `valid_until_ns` has passed, nor when it isn't
 * `valid`: then `reason` says what is wrong with the camera, such as a picture that has stood still.
 * `zones` and `lines` are those of the configuration; `events`: what came to count by this picture.
 */
export interface ResultMessage {
  version: number;
  stream: string;
  seq: number;
  session: string;
  captured_ns: bigint;
  captured_utc_ns: bigint;
  published_ns: bigint;
  valid_until_ns: bigint;
  size: [number, number];
  model: string;
  stages_ms: Record<string, number>;
  counters: Counters;
  objects: Array<ObjectRow>;
  tags: Array<TagRow>;
  segmentation: SegmentationRows | null;
  valid: boolean;
  reason: string;
  clock: string;
  zones: Array<ZoneRow>;
  lines: Array<LineRow>;
  events: Array<EventRow>;
}

export type Message = ResultMessage | EventMessage | HealthMessage | DescribeMessage;

export interface Kinds {
  result: ResultMessage;
  event: EventMessage;
  health: HealthMessage;
  describe: DescribeMessage;
}
