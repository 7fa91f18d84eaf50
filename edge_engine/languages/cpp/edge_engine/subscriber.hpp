// A subscriber for a control loop: the newest results of an engine, and whether they may be acted on.
#pragma once

#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <zmq.hpp>

#include "clock_sync.hpp"
#include "freshness.hpp"
#include "wire.hpp"

namespace edge_engine {

// Z85, as the files of `edge-engine keygen` have them: server.key's public key, and both of NAME.key_secret.
struct Keys {
  std::string server_public, client_public, client_secret;
};

// Results of all streams of a publisher. One thread uses it. Throws zmq::error_t from its constructor.
class Subscriber {
 public:
  // Connecting to nobody is fine: results come when it starts. `stream` empty means all of them.
  explicit Subscriber(const std::string& endpoint = "tcp://127.0.0.1:5555", const std::string& stream = "",
                      std::optional<Keys> keys = std::nullopt)
      : endpoint_(endpoint), keys_(std::move(keys)), socket_(context_, zmq::socket_type::sub) {
    socket_.set(zmq::sockopt::linger, 0);
    // What waits grows old: a few messages, in the queue and in the system's own buffer behind it.
    socket_.set(zmq::sockopt::rcvhwm, 16);
    socket_.set(zmq::sockopt::rcvbuf, 64 * 1024);
    socket_.set(zmq::sockopt::maxmsgsize, std::int64_t{1} << 24);
    // A machine that has lost its power closes nothing.
    socket_.set(zmq::sockopt::tcp_keepalive, 1);
    socket_.set(zmq::sockopt::tcp_keepalive_idle, 2);
    socket_.set(zmq::sockopt::tcp_keepalive_intvl, 1);
    socket_.set(zmq::sockopt::tcp_keepalive_cnt, 3);
    protect(socket_);
    for (const std::string kind : {"result/", "health/", "describe/"}) {
      socket_.set(zmq::sockopt::subscribe, stream.empty() ? kind : kind + stream + '\0');
    }
    socket_.connect(endpoint);
  }

  // The newest result that is still good, or nullptr; of one stream, or the one captured last. Never waits.
  std::shared_ptr<const ResultMessage> latest(const std::string& stream = "",
                                              double max_age_ms = std::numeric_limits<double>::infinity()) {
    receive_all();
    std::shared_ptr<const ResultMessage> newest;
    for (const auto& [name, of] : streams_) {
      const bool is_meant = stream.empty() || stream == name;
      if (is_meant && of.newest && (!newest || of.newest->captured_ns > newest->captured_ns)) newest = of.newest;
    }
    return newest && newest->valid && is_fresh(*newest, max_age_ms) ? newest : nullptr;
  }

  // Whether that stream is to be trusted now, and if not, why. `stream` empty is the only one there is.
  Status status(std::string stream = "") {
    receive_all();
    if (stream.empty() && streams_.size() == 1) stream = streams_.begin()->first;
    const auto found = streams_.find(stream);
    if (found != streams_.end()) return status_of(found->second);
    Status status;
    status.reason = streams_.empty() ? "nothing from " + endpoint_ + " yet" : "which stream? there are several";
    return status;
  }

  // The engine's run that speaks now; empty before one did.
  const std::string& session() const { return sessions_.current; }

  Stats stats() const {
    Stats stats = stats_;
    stats.restarts = sessions_.restarts;
    for (const auto& [_, of] : streams_) stats.lost += of.sequence.lost;
    return stats;
  }

  // What a stream's results are made of; nothing before it was told.
  std::optional<DescribeMessage> described(const std::string& stream) const {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? std::nullopt : found->second.described;
  }

  // How long ago its light was captured, at most; nothing while the publisher's clock isn't known.
  std::optional<double> age_ms(const ResultMessage& result) const {
    const auto now_ns = latest_ns(result.clock);
    if (!now_ns) return std::nullopt;
    return static_cast<double>(*now_ns - result.captured_ns) / static_cast<double>(NS_PER_MS);
  }

  // Whether its time is not over yet, for certain.
  bool is_fresh(const ResultMessage& result,
                double max_age_ms = std::numeric_limits<double>::infinity()) const {
    const auto now_ns = latest_ns(result.clock);
    return now_ns && *now_ns <= result.valid_until_ns && age_ms(result) <= max_age_ms;
  }

 private:
  static constexpr std::int64_t DEAD_AFTER_NS = HEARTBEAT_NS * 5 / 2;
  static constexpr std::int64_t REFUSED_AFTER_NS = 2 * NS_PER_S;

  // What is known of one stream in this session.
  struct Stream {
    std::shared_ptr<const ResultMessage> newest;
    std::optional<HealthMessage> health;
    std::optional<DescribeMessage> described;
    Sequence sequence;
    Rate rate;
  };

  void protect(zmq::socket_t& socket) const {
    if (!keys_) return;
    socket.set(zmq::sockopt::curve_serverkey, keys_->server_public);
    socket.set(zmq::sockopt::curve_publickey, keys_->client_public);
    socket.set(zmq::sockopt::curve_secretkey, keys_->client_secret);
  }

  void receive_all() {
    zmq::message_t message;
    while (socket_.recv(message, zmq::recv_flags::dontwait)) {
      heard_ns_ = monotonic_ns();
      receive(message.to_string_view());
    }
    knock_again();
  }

  // An engine that has refused a key is never asked again by ZeroMQ itself; it may be allowed now.
  void knock_again() {
    if (!keys_ || monotonic_ns() - heard_ns_ < REFUSED_AFTER_NS) return;
    heard_ns_ = monotonic_ns();
    try {
      socket_.disconnect(endpoint_);
    } catch (const zmq::error_t&) {
      // It is connected no more.
    }
    socket_.connect(endpoint_);
  }

  void receive(std::string_view data) {
    auto [message, fault] = decode(data);
    if (fault == Fault::damaged) ++stats_.damaged;
    if (fault == Fault::foreign) ++stats_.foreign;
    if (message) std::visit([this](auto& found) { note(std::move(found)); }, *message);
  }

  template <class M>
  void note(M&& message) {
    if (sessions_.is_foreign(message.session)) {
      ++stats_.foreign;
      return;
    }
    if (sessions_.begin(message.session)) {
      for (const auto& [_, of] : streams_) stats_.lost += of.sequence.lost;
      streams_.clear();
    }
    keep(streams_[message.stream], std::move(message));
  }

  void keep(Stream& of, ResultMessage&& result) {
    const Verdict verdict = of.sequence.judge(result.counters.published);
    if (verdict == Verdict::repeated) ++stats_.repeated;
    if (verdict == Verdict::late) ++stats_.late;
    if (verdict != Verdict::is_new) return;
    ++stats_.received;
    of.rate.note(result.counters.published, result.published_ns);
    of.newest = std::make_shared<const ResultMessage>(std::move(result));
  }

  void keep(Stream& of, HealthMessage&& health) {
    if (of.health && health.published_ns <= of.health->published_ns) ++stats_.repeated;
    else of.health = std::move(health);
  }

  void keep(Stream& of, DescribeMessage&& described) {
    follow_clock(described);
    of.described = std::move(described);
  }

  // Of kinds that this subscriber has no use for.
  template <class M>
  void keep(Stream&, M&&) {}

  // Compares clocks with a publisher whose clock is another one.
  void follow_clock(const DescribeMessage& described) {
    if (is_ours(described.clock) || described.clock_port == 0 || endpoint_.rfind("tcp://", 0) != 0) return;
    const std::string endpoint =
        endpoint_.substr(0, endpoint_.rfind(':') + 1) + std::to_string(described.clock_port);
    if (sync_ && sync_->endpoint == endpoint && sync_->clock == described.clock) return;
    sync_.reset();
    sync_ = std::make_unique<ClockSync>(context_, endpoint, described.clock,
                                        [this](zmq::socket_t& socket) { protect(socket); });
  }

  bool is_ours(const std::string& clock) const { return clock.empty() || clock == clock_; }

  std::optional<Offset> offset(const std::string& clock) const {
    if (is_ours(clock)) return Offset{};
    return sync_ && sync_->clock == clock ? sync_->offset() : std::nullopt;
  }

  // The latest that the clock of that name can show now; nothing while it isn't known.
  std::optional<std::int64_t> latest_ns(const std::string& clock) const {
    const auto known = offset(clock);
    if (!known) return std::nullopt;
    return monotonic_ns() + known->ns + known->uncertainty_ns;
  }

  Status status_of(const Stream& of) const {
    const std::string dead = why_dead(of), stopped = why_invalid(of), old = why_old(of), slow = why_slow(of);
    Status status{dead.empty(), old.empty(), slow.empty(), of.newest && stopped.empty(), dead, std::nullopt};
    for (const std::string& reason : {stopped, old, slow}) {
      if (status.reason.empty()) status.reason = reason;
    }
    if (of.newest) status.age_ms = age_ms(*of.newest);
    return status;
  }

  std::string why_dead(const Stream& of) const {
    if (!of.health) return "no heartbeat yet";
    const auto now_ns = latest_ns(of.health->clock);
    if (!now_ns) return "the publisher's clock is not known yet";
    const std::int64_t silent_ns = *now_ns - of.health->published_ns;
    if (silent_ns <= DEAD_AFTER_NS) return "";
    return "no heartbeat for " + std::to_string(silent_ns / NS_PER_MS) + " ms";
  }

  static std::string why_invalid(const Stream& of) {
    if (of.health && of.health->paused) return "paused";
    if (of.health && of.health->state != "running") return of.health->state + ": " + of.health->reason;
    if (!of.newest || of.newest->valid) return "";
    return of.newest->reason.empty() ? "not valid" : of.newest->reason;
  }

  std::string why_old(const Stream& of) const {
    if (!of.newest) return "no result yet";
    if (is_fresh(*of.newest)) return "";
    const auto age = age_ms(*of.newest);
    if (!age) return "the publisher's clock is not known yet";
    return "the newest result is " + std::to_string(std::llround(*age)) + " ms old";
  }

  std::string why_slow(const Stream& of) const {
    const double min_fps = of.described ? of.described->min_fps : 0;
    const auto known = of.newest ? offset(of.newest->clock) : std::nullopt;
    const double fps = known ? of.rate.fps(monotonic_ns() + known->ns) : 0;
    char text[64];
    std::snprintf(text, sizeof text, "%.1f results a second of at least %g", fps, min_fps);
    return fps < min_fps ? text : "";
  }

  const std::string endpoint_, clock_ = clock_id();
  const std::optional<Keys> keys_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::int64_t heard_ns_ = monotonic_ns();
  Sessions sessions_;
  std::map<std::string, Stream> streams_;
  Stats stats_;
  std::unique_ptr<ClockSync> sync_;
};

}  // namespace edge_engine
