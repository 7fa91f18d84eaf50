// MessagePack, as much of it as the messages need (https://github.com/msgpack/msgpack/blob/master/spec.md).
//
// Any bytes may come: nothing is read beyond their end, nothing is reserved on their word alone, and what isn't
// as expected makes the reader fail, for good: from then on it gives zeros and empty strings. Nothing throws but
// std::bad_alloc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edge_engine {

class Reader {
 public:
  Reader(const void* data, std::size_t size)
      : at_(static_cast<const std::uint8_t*>(data)), left_(size) {}

  bool failed() const { return failed_; }
  bool at_end() const { return left_ == 0; }
  void fail() { failed_ = true; left_ = 0; }

  // Whether the next value is nil; if so, it has been read.
  bool nil() {
    if (left_ == 0 || *at_ != 0xc0) return false;
    take(1);
    return true;
  }

  bool boolean() {
    const std::uint8_t head = byte();
    if (head != 0xc2 && head != 0xc3) fail();
    return head == 0xc3;
  }

  std::int64_t integer() { return integer(byte()); }

  double number() {
    const std::uint8_t head = byte();
    if (head == 0xca) return bits<float>(static_cast<std::uint32_t>(big_endian(4)));
    if (head == 0xcb) return bits<double>(big_endian(8));
    if (head == 0xcf) return static_cast<double>(big_endian(8));
    return static_cast<double>(integer(head));
  }

  std::string_view text() {
    const std::uint8_t head = byte();
    std::uint64_t size = 0;
    if ((head & 0xe0) == 0xa0) size = head & 0x1f;
    else if (head >= 0xd9 && head <= 0xdb) size = big_endian(std::size_t{1} << (head - 0xd9));
    else fail();
    const std::uint8_t* start = take(size);
    return failed_ ? std::string_view() : std::string_view(reinterpret_cast<const char*>(start), size);
  }

  // How many values follow.
  std::uint64_t array() { return count(byte(), 0x90, 0xdc, 1); }
  // How many pairs of values follow.
  std::uint64_t map() { return count(byte(), 0x80, 0xde, 2); }

  // Leaves out one value, whatever it is.
  void skip(int depth = 0) {
    if (depth > MOST_NESTED) return fail();
    const std::uint8_t head = byte();
    if (failed_ || head <= 0x7f || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3) return;
    if (head <= 0x8f || head == 0xde || head == 0xdf) return skip_all(2 * count(head, 0x80, 0xde, 2), depth);
    if (head <= 0x9f || head == 0xdc || head == 0xdd) return skip_all(count(head, 0x90, 0xdc, 1), depth);
    if (head <= 0xbf) { take(head & 0x1f); return; }
    if (head == 0xc1) return fail();
    if (head <= 0xc6) { take(big_endian(std::size_t{1} << (head - 0xc4))); return; }
    if (head <= 0xc9) { take(big_endian(std::size_t{1} << (head - 0xc7)) + 1); return; }
    if (head <= 0xcb) { take(head == 0xca ? 4 : 8); return; }
    if (head <= 0xd3) { take(std::uint64_t{1} << ((head - 0xcc) % 4)); return; }
    if (head <= 0xd8) { take((std::uint64_t{1} << (head - 0xd4)) + 1); return; }
    take(big_endian(std::size_t{1} << (head - 0xd9)));
  }

 private:
  static constexpr int MOST_NESTED = 64;

  std::uint8_t byte() {
    const std::uint8_t* start = take(1);
    return failed_ ? 0xc1 : *start;
  }

  const std::uint8_t* take(std::uint64_t size) {
    if (size > left_) fail();
    if (failed_) return nullptr;
    const std::uint8_t* start = at_;
    at_ += size;
    left_ -= static_cast<std::size_t>(size);
    return start;
  }

  std::uint64_t big_endian(std::size_t size) {
    const std::uint8_t* start = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; !failed_ && i < size; ++i) value = value << 8 | start[i];
    return value;
  }

  template <class Float, class Bits>
  static double bits(Bits value) {
    static_assert(sizeof(Float) == sizeof(Bits));
    Float number;
    std::memcpy(&number, &value, sizeof number);
    return static_cast<double>(number);
  }

  std::int64_t integer(std::uint8_t head) {
    if (head <= 0x7f) return head;
    if (head >= 0xe0) return static_cast<std::int8_t>(head);
    if (head >= 0xcc && head <= 0xcf) {
      const std::uint64_t value = big_endian(std::size_t{1} << (head - 0xcc));
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) fail();
      return failed_ ? 0 : static_cast<std::int64_t>(value);
    }
    if (head == 0xd0) return static_cast<std::int8_t>(big_endian(1));
    if (head == 0xd1) return static_cast<std::int16_t>(big_endian(2));
    if (head == 0xd2) return static_cast<std::int32_t>(big_endian(4));
    if (head == 0xd3) return static_cast<std::int64_t>(big_endian(8));
    fail();
    return 0;
  }

  // Of a map or an array; each of its values takes a byte at least, so that more than there are bytes is a lie.
  std::uint64_t count(std::uint8_t head, std::uint8_t fixed, std::uint8_t sixteen, std::uint64_t values) {
    std::uint64_t found = 0;
    if ((head & 0xf0) == fixed) found = head & 0x0f;
    else if (head == sixteen) found = big_endian(2);
    else if (head == sixteen + 1) found = big_endian(4);
    else fail();
    if (found * values > left_) fail();
    return failed_ ? 0 : found;
  }

  void skip_all(std::uint64_t values, int depth) {
    for (; values > 0 && !failed_; --values) skip(depth + 1);
  }

  const std::uint8_t* at_;
  std::size_t left_;
  bool failed_ = false;
};

// Whether it is UTF-8, as RFC 3629 has it: no surrogates, nothing longer than it need be, none above U+10FFFF.
inline bool is_utf8(std::string_view text) {
  static constexpr std::uint32_t SMALLEST[] = {0, 0x80, 0x800, 0x10000};
  for (std::size_t at = 0; at < text.size();) {
    const auto head = static_cast<unsigned char>(text[at++]);
    const unsigned more = head < 0x80 ? 0 : head < 0xc0 ? 4 : head < 0xe0 ? 1 : head < 0xf0 ? 2 : head < 0xf8 ? 3 : 4;
    if (more > text.size() - at || more == 4) return false;
    std::uint32_t code = more == 0 ? head : head & (0x3fu >> more);
    for (unsigned i = 0; i < more; ++i) {
      const auto next = static_cast<unsigned char>(text[at++]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3fu);
    }
    if (code < SMALLEST[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
}

// Reads structs with `fields`, as in messages.hpp. Fields that it doesn't know are left out; those that are
// missing keep their defaults, and without one, or where a field comes twice, the reader fails.
class Decoder {
 public:
  explicit Decoder(Reader& in) : in_(in) {}

  void read(bool& to) { to = in_.boolean(); }
  void read(std::int64_t& to) { to = in_.integer(); }
  void read(double& to) { to = in_.number(); }
  void read(std::string& to) {
    to = in_.text();
    if (!is_utf8(to)) in_.fail();
  }

  template <class T>
  void read(std::optional<T>& to) {
    to.reset();
    if (!in_.nil()) read(to.emplace());
  }

  template <class T>
  void read(std::vector<T>& to) {
    to.clear();
    for (std::uint64_t left = in_.array(); left > 0 && !in_.failed(); --left) read(to.emplace_back());
  }

  template <class T, std::size_t N>
  void read(std::array<T, N>& to) {
    if (in_.array() != N) return in_.fail();
    for (T& each : to) read(each);
  }

  template <class T>
  void read(std::map<std::string, T>& to) {
    to.clear();
    for (std::uint64_t left = in_.map(); left > 0 && !in_.failed(); --left) {
      std::string name;
      read(name);
      read(to[name]);
    }
  }

  template <class T>
  void read(T& to) {
    std::uint64_t seen = 0;  // bit k: the field at k
    for (std::uint64_t left = in_.map(); left > 0 && !in_.failed(); --left) {
      if (!read_field(to, in_.text(), seen)) in_.skip();
    }
    unsigned at = 0;
    T::fields(to, [&](std::string_view, const auto&, bool is_required) {
      if (is_required && (seen >> at & 1) == 0) in_.fail();
      ++at;
    });
  }

 private:
  template <class T>
  bool read_field(T& to, std::string_view name, std::uint64_t& seen) {
    bool is_known = false;
    unsigned at = 0;
    T::fields(to, [&](std::string_view field, auto& value, bool) {
      if (!is_known && field == name) {
        is_known = true;
        if ((seen >> at & 1) != 0) in_.fail();
        seen |= std::uint64_t{1} << at;
        read(value);
      }
      ++at;
    });
    return is_known;
  }

  Reader& in_;
};

}  // namespace edge_engine
