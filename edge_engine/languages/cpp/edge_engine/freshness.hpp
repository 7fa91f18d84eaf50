// What a client must know to be fresh or silent: what was lost, whose run speaks, how often results come, and
// how far the publisher's clock is from this one's. As edge_engine/client has it in Python; needs no ZeroMQ.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "clock.hpp"

namespace edge_engine {

// Whether a stream is to be trusted now: `alive`, its heartbeat comes; `fresh`, there is a result that is still
// good; `rate_ok`, results come as often as `min_fps` asks; `valid`, the camera runs, and the engine doesn't doubt
// its pictures. `reason`: the first that doesn't hold. `age_ms`: of the newest result, at most.
struct Status {
  bool alive = false, fresh = false, rate_ok = false, valid = false;
  std::string reason;
  std::optional<double> age_ms;

  explicit operator bool() const { return alive && fresh && rate_ok && valid; }
};

// What came in since the start. Of results: `received`, `lost` on the way, `late` after a newer one. Of all
// messages: `repeated`; `damaged`; `foreign`, whole but of another program, version, stream or of a run that is
// over. None of the last four is ever given out. `restarts` of the engine.
struct Stats {
  std::int64_t received = 0, lost = 0, repeated = 0, late = 0, damaged = 0, foreign = 0, restarts = 0;
};

enum class Verdict { is_new, repeated, late };

// Numbers of one stream in one session; the first one that is seen begins it.
class Sequence {
 public:
  std::int64_t lost = 0;

  Verdict judge(std::int64_t number) {
    if (!newest_) first_ = number;
    const std::int64_t ahead = newest_ ? number - *newest_ : 1;
    if (ahead > 0) {
      lost += ahead - 1;
      seen_ = ahead < REMEMBERED ? seen_ << static_cast<std::size_t>(ahead) : std::bitset<REMEMBERED>();
      seen_[0] = true;
      newest_ = number;
      return Verdict::is_new;
    }
    if (-ahead >= REMEMBERED || seen_[static_cast<std::size_t>(-ahead)]) return Verdict::repeated;
    seen_[static_cast<std::size_t>(-ahead)] = true;
    if (number > first_) --lost;  // what came before the first one was never missed
    return Verdict::late;
  }

 private:
  static constexpr int REMEMBERED = 256;
  std::optional<std::int64_t> newest_;
  std::int64_t first_ = 0;
  std::bitset<REMEMBERED> seen_;  // bit k: newest - k has come
};

// Which run of the engine speaks: one that another has followed never does again.
class Sessions {
 public:
  std::string current;
  std::int64_t restarts = 0;

  bool is_foreign(const std::string& session) const {
    return std::find(retired_.begin(), retired_.end(), session) != retired_.end();
  }

  // Whether this is a new one.
  bool begin(const std::string& session) {
    if (session == current) return false;
    if (!current.empty()) {
      retired_.push_back(current);
      if (retired_.size() > MOST_RETIRED) retired_.pop_front();
      ++restarts;
    }
    current = session;
    return true;
  }

 private:
  static constexpr std::size_t MOST_RETIRED = 64;
  std::deque<std::string> retired_;
};

// Results a second, of the last two, by the publisher's own count and stamps.
class Rate {
 public:
  void note(std::int64_t number, std::int64_t published_ns) {
    published_.emplace_back(number, published_ns);
    while (published_ns - published_.front().second > WINDOW_NS) published_.pop_front();
  }

  // By now, on the publisher's clock; a stream that has ended slows down to 0.
  double fps(std::int64_t now_ns) const {
    const auto first = std::find_if(published_.begin(), published_.end(),
                                    [&](const auto& each) { return now_ns - each.second <= WINDOW_NS; });
    if (first == published_.end() || now_ns <= first->second) return 0;
    const auto results = static_cast<double>(published_.back().first - first->first);
    return results * static_cast<double>(NS_PER_S) / static_cast<double>(now_ns - first->second);
  }

 private:
  static constexpr std::int64_t WINDOW_NS = 2 * NS_PER_S;
  std::deque<std::pair<std::int64_t, std::int64_t>> published_;
};

// `there - here` lies within `ns` ± `uncertainty_ns`.
struct Offset {
  std::int64_t ns = 0, uncertainty_ns = 0;
};

// Cristian's algorithm (1989): a request leaves here at a, arrives there at b, is answered at c, and the answer is
// back at d. Whatever the network does, c - d <= there - here <= b - a; the narrowest bounds of many exchanges
// hold, and loosen as quartz drifts.
class Bounds {
 public:
  void note(std::int64_t asked_ns, std::int64_t received_ns, std::int64_t answered_ns, std::int64_t back_ns) {
    known_.push_back({answered_ns - back_ns, received_ns - asked_ns, asked_ns});
    if (known_.size() > KEPT) known_.pop_front();
  }

  // What all of them agree on; the newest ones alone where a clock has been changed since the older ones.
  std::optional<Offset> offset(std::int64_t now_ns) const {
    std::optional<std::pair<std::int64_t, std::int64_t>> within;
    for (auto each = known_.rbegin(); each != known_.rend(); ++each) {
      const std::int64_t loose_ns = (now_ns - each->at_ns) / 1'000'000 * MAX_DRIFT_PPM + MAX_DRIFT_PPM + 2;
      const std::int64_t lowest = each->lower_ns - loose_ns, highest = each->upper_ns + loose_ns;
      if (!within) within = {lowest, highest};
      else if (lowest > within->second || highest < within->first) break;
      else within = {std::max(within->first, lowest), std::min(within->second, highest)};
    }
    if (!within) return std::nullopt;
    const std::int64_t width = within->second - within->first;
    return Offset{within->first + width / 2, (width + 1) / 2};
  }

 private:
  struct Exchange {
    std::int64_t lower_ns, upper_ns, at_ns;
  };
  static constexpr std::size_t KEPT = 64;
  static constexpr std::int64_t MAX_DRIFT_PPM = 600;
  std::deque<Exchange> known_;
};

}  // namespace edge_engine
