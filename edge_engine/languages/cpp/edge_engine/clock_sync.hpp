// How far a publisher's clock on another machine is from this one's: asked in a thread of its own, so that an
// answer's time is taken when it comes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <zmq.hpp>

#include "freshness.hpp"
#include "wire.hpp"

namespace edge_engine {

class ClockSync {
 public:
  // `at` is where the clock of that name answers; `protect` gives a socket its keys.
  ClockSync(zmq::context_t& context, const std::string& at, const std::string& clock_name,
            std::function<void(zmq::socket_t&)> protect)
      : endpoint(at), clock(clock_name), context_(context), protect_(std::move(protect)),
        thread_([this] { run(); }) {}
  ClockSync(const ClockSync&) = delete;
  ClockSync& operator=(const ClockSync&) = delete;

  ~ClockSync() {
    {
      const std::lock_guard lock(mutex_);
      is_closing_ = true;
    }
    closing_.notify_all();
    thread_.join();
  }

  // Nothing until an answer has come.
  std::optional<Offset> offset() const {
    const std::lock_guard lock(mutex_);
    return bounds_.offset(monotonic_ns());
  }

  const std::string endpoint, clock;

 private:
  static constexpr int FIRST = 8;
  static constexpr std::chrono::milliseconds FIRST_EVERY{20}, EVERY{500}, ANSWER{500};

  void run() {
    int exchanges = 0;
    std::unique_lock lock(mutex_);
    while (!closing_.wait_for(lock, exchanges < FIRST ? FIRST_EVERY : EVERY, [this] { return is_closing_; })) {
      lock.unlock();
      try {
        if (exchange()) ++exchanges;
      } catch (const zmq::error_t&) {
        // No socket now; until there is one again, the bounds loosen by themselves.
      }
      lock.lock();
    }
  }

  // A new socket each time: what was asked of a publisher that is gone is not asked of the next one. The first
  // message makes the connection; the second one is timed.
  bool exchange() {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::maxmsgsize, std::int64_t{1024});
    protect_(socket);
    socket.connect(endpoint);
    return ask(socket) && ask(socket);
  }

  bool ask(zmq::socket_t& socket) {
    const std::int64_t asked_ns = monotonic_ns();
    socket.send(zmq::buffer(encode_clock_request(asked_ns)), zmq::send_flags::dontwait);
    zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
    while (zmq::poll(&item, 1, ANSWER) > 0) {
      const std::int64_t back_ns = monotonic_ns();
      zmq::message_t message;
      if (!socket.recv(message, zmq::recv_flags::dontwait)) continue;
      const auto reply = decode_clock_reply(message.to_string_view());
      if (!reply) continue;
      if (reply->clock != clock) return false;
      if (reply->asked_ns != asked_ns) continue;
      const std::lock_guard lock(mutex_);
      bounds_.note(asked_ns, reply->received_ns, reply->answered_ns, back_ns);
      return true;
    }
    return false;
  }

  zmq::context_t& context_;
  std::function<void(zmq::socket_t&)> protect_;
  mutable std::mutex mutex_;  // guards what the thread and its owner share: the bounds, and whether to end
  std::condition_variable closing_;
  bool is_closing_ = false;
  Bounds bounds_;
  std::thread thread_;
};

}  // namespace edge_engine
