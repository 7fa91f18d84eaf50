// The messages as structs. GENERATED from edge_engine/wire by `python -m tools.wire_schema`: don't edit.
// `fields` shows each field to a visitor: name, value, and whether it is required, as without a default.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace edge_engine {

inline constexpr std::int64_t WIRE_VERSION = 1;
inline constexpr std::int64_t HEARTBEAT_NS = 500000000;
inline constexpr std::string_view CLOCK_TOPIC = "clock";

// When the publisher got the request and when it answered, by the clock of that name.
struct ClockReply {
  std::int64_t asked_ns{};
  std::int64_t received_ns{};
  std::int64_t answered_ns{};
  std::string clock{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("asked_ns", self.asked_ns, true);
    visit("received_ns", self.received_ns, true);
    visit("answered_ns", self.answered_ns, true);
    visit("clock", self.clock, true);
  }
};

// Sent from a DEALER socket, sealed like any message, with the topic `clock`; `sent_ns` is the asker's
// own CLOCK_MONOTONIC, and comes back.
struct ClockRequest {
  std::int64_t sent_ns{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("sent_ns", self.sent_ns, true);
  }
};

// What a stream's results are made of; sent again to each new subscriber.
//
// `classes` are the labels that are published, none for all of them; a label of `label_thresholds` needs
// that score, any other `score_threshold`. `min_fps`: fewer results a second are a fault. `clock_port`: the
// TCP port of the publisher's host that answers ClockRequests; 0 for none.
struct DescribeMessage {
  std::int64_t version = 1;
  std::string stream{};
  std::string session{};
  std::string model{};
  std::string task{};
  std::vector<std::string> labels{};
  std::int64_t max_age_ms{};
  std::vector<std::string> keypoint_names{};
  std::vector<std::string> classes{};
  double score_threshold = 0.0;
  std::map<std::string, double> label_thresholds{};
  double min_fps = 0.0;
  std::string clock{};
  std::int64_t clock_port = 0;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("version", self.version, false);
    visit("stream", self.stream, true);
    visit("session", self.session, true);
    visit("model", self.model, true);
    visit("task", self.task, true);
    visit("labels", self.labels, true);
    visit("max_age_ms", self.max_age_ms, true);
    visit("keypoint_names", self.keypoint_names, false);
    visit("classes", self.classes, false);
    visit("score_threshold", self.score_threshold, false);
    visit("label_thresholds", self.label_thresholds, false);
    visit("min_fps", self.min_fps, false);
    visit("clock", self.clock, false);
    visit("clock_port", self.clock_port, false);
  }
};

// The stream's ledger: captured = published + in_flight + Σ dropped.
//
// `published` counts this message too, so that a receiver finds gaps by it.
struct Counters {
  std::int64_t captured{};
  std::int64_t published{};
  std::int64_t in_flight{};
  std::map<std::string, std::int64_t> dropped{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("captured", self.captured, true);
    visit("published", self.published, true);
    visit("in_flight", self.in_flight, true);
    visit("dropped", self.dropped, true);
  }
};

// Somebody came into the zone or left it, or crossed the line, whose name is `place`.
//
// `number` counts a stream's events in this session, from 1, without gaps. The stamps are those of the
// picture by which it counts; it happened `ago_ms` before. `dwell_ms`: of one that left, how long it was
// inside.
struct EventRow {
  std::int64_t number{};
  std::string kind{};
  std::string place{};
  std::int64_t track_id{};
  std::string label{};
  double score{};
  std::array<double, 4> xyxy{};
  std::int64_t seq{};
  std::int64_t captured_ns{};
  std::int64_t captured_utc_ns{};
  double ago_ms{};
  std::optional<std::string> direction{};
  std::optional<double> dwell_ms{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("number", self.number, true);
    visit("kind", self.kind, true);
    visit("place", self.place, true);
    visit("track_id", self.track_id, true);
    visit("label", self.label, true);
    visit("score", self.score, true);
    visit("xyxy", self.xyxy, true);
    visit("seq", self.seq, true);
    visit("captured_ns", self.captured_ns, true);
    visit("captured_utc_ns", self.captured_utc_ns, true);
    visit("ago_ms", self.ago_ms, true);
    visit("direction", self.direction, false);
    visit("dwell_ms", self.dwell_ms, false);
  }
};

// What the whole picture shows: one of the best classes, or a tag; score 0..1.
struct TagRow {
  double score{};
  std::int64_t class_id{};
  std::string label{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("score", self.score, true);
    visit("class_id", self.class_id, true);
    visit("label", self.label, true);
  }
};

// A class per cell of a grid of `size` (rows, columns) over the whole picture, row by row as runs of
// equal cells: `class_ids` and how many cells `counts` each run has. `shares`: of the picture, by label.
// Classes that aren't asked for are 255 (65535 where there are more than 255 labels) and have no share.
struct SegmentationRows {
  std::array<std::int64_t, 2> size{};
  std::vector<std::int64_t> class_ids{};
  std::vector<std::int64_t> counts{};
  std::map<std::string, double> shares{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("size", self.size, true);
    visit("class_ids", self.class_ids, true);
    visit("counts", self.counts, true);
    visit("shares", self.shares, true);
  }
};

// By label, how many crossed since the session began, as seen by who goes along the line.
struct LineRow {
  std::string name{};
  std::map<std::string, std::int64_t> left_to_right{};
  std::map<std::string, std::int64_t> right_to_left{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("name", self.name, true);
    visit("left_to_right", self.left_to_right, true);
    visit("right_to_left", self.right_to_left, true);
  }
};

// Of a zone in a tracked stream: by label, how many came and went since the session began (what counts as
// what is at the head of zones/), and how long those that are inside have been there by now.
struct VisitsRow {
  std::map<std::string, std::int64_t> entered{};
  std::map<std::string, std::int64_t> appeared{};
  std::map<std::string, std::int64_t> exited{};
  std::map<std::string, std::int64_t> lost_inside{};
  double longest_dwell_ms{};
  double mean_dwell_ms{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("entered", self.entered, true);
    visit("appeared", self.appeared, true);
    visit("exited", self.exited, true);
    visit("lost_inside", self.lost_inside, true);
    visit("longest_dwell_ms", self.longest_dwell_ms, true);
    visit("mean_dwell_ms", self.mean_dwell_ms, true);
  }
};

// COCO's uncompressed run lengths: column by column of a grid of `size` (rows, columns) over the whole
// picture, first how many cells are outside, then how many inside, and so on.
struct Mask {
  std::array<std::int64_t, 2> size{};
  std::vector<std::int64_t> counts{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("size", self.size, true);
    visit("counts", self.counts, true);
  }
};

// Where an object is in the robot's axes: x forward, y left, z up (REP-103), from the point on the ground
// below the lens. Each number has its standard deviation, and is None where it can't be known.
//
// `bearing_deg` from forward, positive to the left, and `elevation_deg` from the horizon, positive up, of
// the box's middle as the camera sees it. `distance_m` over the ground to the object's foot, whose place is
// `position_m`, with the covariance of its errors in m², 3x3; `distance_by`: where the foot meets the
// `ground`, or the object's known `height`.
struct GeometryRow {
  std::optional<double> bearing_deg{};
  std::optional<double> bearing_std_deg{};
  std::optional<double> elevation_deg{};
  std::optional<double> elevation_std_deg{};
  std::optional<double> distance_m{};
  std::optional<double> distance_std_m{};
  std::optional<std::array<double, 3>> position_m{};
  std::optional<std::vector<std::array<double, 3>>> position_covariance{};
  std::optional<std::string> distance_by{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("bearing_deg", self.bearing_deg, true);
    visit("bearing_std_deg", self.bearing_std_deg, true);
    visit("elevation_deg", self.elevation_deg, true);
    visit("elevation_std_deg", self.elevation_std_deg, true);
    visit("distance_m", self.distance_m, true);
    visit("distance_std_m", self.distance_std_m, true);
    visit("position_m", self.position_m, false);
    visit("position_covariance", self.position_covariance, false);
    visit("distance_by", self.distance_by, false);
  }
};

// The heartbeat, twice a second, and at once when the stream's state changes. It stops when a stage
// hangs: when a frame takes more than 0.8 s, and four times as long as usual.
//
// `state`: opening, running, stalled, reconnecting, ended or failed, since `since_ns`, for that `reason`;
// `reconnects`: how often the source was lost; `missed`: pictures that never reached the engine, as far as
// the source knows. `alarms`: what the engine can't do at the moment beside recognising, such as writing a
// file, by output. `paused`: nothing is recognised, because somebody has asked for that.
struct HealthMessage {
  std::int64_t version = 1;
  std::string stream{};
  std::string session{};
  std::int64_t published_ns{};
  Counters counters{};
  std::string state = "running";
  std::string reason{};
  std::int64_t since_ns = 0;
  std::int64_t reconnects = 0;
  std::int64_t missed = 0;
  std::map<std::string, std::string> alarms{};
  std::string clock{};
  bool paused = false;

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("version", self.version, false);
    visit("stream", self.stream, true);
    visit("session", self.session, true);
    visit("published_ns", self.published_ns, true);
    visit("counters", self.counters, true);
    visit("state", self.state, false);
    visit("reason", self.reason, false);
    visit("since_ns", self.since_ns, false);
    visit("reconnects", self.reconnects, false);
    visit("missed", self.missed, false);
    visit("alarms", self.alarms, false);
    visit("clock", self.clock, false);
    visit("paused", self.paused, false);
  }
};

// The events of one result, sent right after it, when there are any. One message, so that many at a time
// don't overflow a subscriber's queue. `valid` as in the result.
struct EventMessage {
  std::int64_t version = 1;
  std::string stream{};
  std::string session{};
  std::int64_t published_ns{};
  std::vector<EventRow> events{};
  bool valid = true;
  std::string clock{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("version", self.version, false);
    visit("stream", self.stream, true);
    visit("session", self.session, true);
    visit("published_ns", self.published_ns, true);
    visit("events", self.events, true);
    visit("valid", self.valid, false);
    visit("clock", self.clock, false);
  }
};

// `objects`: which of the message's objects have their anchor inside in this picture, by their places in
// the list from 0. `inside`: how many there are, by label; in a tracked stream those that are settled there,
// and then `visits` are counted. `density_per_megapixel`: of these, in the zone's part of the picture;
// `density_per_m2`: where the configuration has its area.
struct ZoneRow {
  std::string name{};
  std::vector<std::int64_t> objects{};
  std::map<std::string, std::int64_t> inside{};
  double density_per_megapixel{};
  std::optional<double> density_per_m2{};
  std::optional<VisitsRow> visits{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("name", self.name, true);
    visit("objects", self.objects, true);
    visit("inside", self.inside, true);
    visit("density_per_megapixel", self.density_per_megapixel, true);
    visit("density_per_m2", self.density_per_m2, false);
    visit("visits", self.visits, false);
  }
};

// One recognised object: box `xyxy` in source pixels (left, top, right, bottom), score 0..1.
//
// `keypoints`: x, y in source pixels and score each, named in `describe`; `mask`: which part it covers.
//
// Of a tracked stream: `track_id`, from 1 up, given once per stream and session and to one object;
// `track_state`: `new` (first seen a few pictures ago), `confirmed`, or `lost` (known, but not seen in this
// picture: the box is where it is expected, its score 0); `velocity` of the box's centre, x and y, in source
// pixels per second, and the covariance of its errors, [[xx, xy], [yx, yy]].
//
// `geometry`, where the stream's camera is described.
struct ObjectRow {
  std::array<double, 4> xyxy{};
  double score{};
  std::int64_t class_id{};
  std::string label{};
  std::vector<std::array<double, 3>> keypoints{};
  std::optional<Mask> mask{};
  std::optional<std::int64_t> track_id{};
  std::optional<std::string> track_state{};
  std::optional<std::array<double, 2>> velocity{};
  std::optional<std::array<std::array<double, 2>, 2>> velocity_covariance{};
  std::optional<GeometryRow> geometry{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("xyxy", self.xyxy, true);
    visit("score", self.score, true);
    visit("class_id", self.class_id, true);
    visit("label", self.label, true);
    visit("keypoints", self.keypoints, false);
    visit("mask", self.mask, false);
    visit("track_id", self.track_id, false);
    visit("track_state", self.track_state, false);
    visit("velocity", self.velocity, false);
    visit("velocity_covariance", self.velocity_covariance, false);
    visit("geometry", self.geometry, false);
  }
};

// What was recognised in one frame. Don't act on it once `valid_until_ns` has passed, nor when it isn't
// `valid`: then `reason` says what is wrong with the camera, such as a picture that has stood still.
// `zones` and `lines` are those of the configuration; `events`: what came to count by this picture.
struct ResultMessage {
  std::int64_t version = 1;
  std::string stream{};
  std::int64_t seq{};
  std::string session{};
  std::int64_t captured_ns{};
  std::int64_t captured_utc_ns{};
  std::int64_t published_ns{};
  std::int64_t valid_until_ns{};
  std::array<std::int64_t, 2> size{};
  std::string model{};
  std::map<std::string, double> stages_ms{};
  Counters counters{};
  std::vector<ObjectRow> objects{};
  std::vector<TagRow> tags{};
  std::optional<SegmentationRows> segmentation{};
  bool valid = true;
  std::string reason{};
  std::string clock{};
  std::vector<ZoneRow> zones{};
  std::vector<LineRow> lines{};
  std::vector<EventRow> events{};

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("version", self.version, false);
    visit("stream", self.stream, true);
    visit("seq", self.seq, true);
    visit("session", self.session, true);
    visit("captured_ns", self.captured_ns, true);
    visit("captured_utc_ns", self.captured_utc_ns, true);
    visit("published_ns", self.published_ns, true);
    visit("valid_until_ns", self.valid_until_ns, true);
    visit("size", self.size, true);
    visit("model", self.model, true);
    visit("stages_ms", self.stages_ms, true);
    visit("counters", self.counters, true);
    visit("objects", self.objects, true);
    visit("tags", self.tags, false);
    visit("segmentation", self.segmentation, false);
    visit("valid", self.valid, false);
    visit("reason", self.reason, false);
    visit("clock", self.clock, false);
    visit("zones", self.zones, false);
    visit("lines", self.lines, false);
    visit("events", self.events, false);
  }
};

using Message = std::variant<ResultMessage, EventMessage, HealthMessage, DescribeMessage>;

template <class T>
struct Kind {
  using type = T;
};

// Calls the visitor with the Kind that a topic's first word names; false for none.
template <class Visit>
bool for_kind(std::string_view kind, Visit&& visit) {
  if (kind == "result") { visit(Kind<ResultMessage>()); return true; }
  if (kind == "event") { visit(Kind<EventMessage>()); return true; }
  if (kind == "health") { visit(Kind<HealthMessage>()); return true; }
  if (kind == "describe") { visit(Kind<DescribeMessage>()); return true; }
  return false;
}

}  // namespace edge_engine
