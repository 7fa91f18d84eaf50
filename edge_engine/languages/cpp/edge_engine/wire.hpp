// A message from its bytes: topic NUL payload crc32, as FORMAT.md has it. Needs no ZeroMQ.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages.hpp"
#include "msgpack.hpp"

namespace edge_engine {

// Why bytes are no message: they were harmed on the way; or they are whole, but of another program or of a
// newer version.
enum class Fault { none, damaged, foreign };

struct Decoded {
  std::optional<Message> message;
  Fault fault = Fault::none;
};

namespace detail {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
  return table;
}

struct Parts {
  std::string_view topic, payload;
};

}  // namespace detail

// zlib's.
inline std::uint32_t crc32(std::string_view data) {
  static constexpr auto table = detail::make_crc_table();
  std::uint32_t value = 0xffffffffu;
  for (const char each : data) value = value >> 8 ^ table[(value ^ static_cast<unsigned char>(each)) & 0xff];
  return ~value;
}

namespace detail {

inline Fault unseal(std::string_view data, Parts& parts) {
  if (data.size() < 4) return Fault::damaged;
  const std::string_view body = data.substr(0, data.size() - 4);
  std::uint32_t told = 0;
  for (const char each : data.substr(body.size())) told = told << 8 | static_cast<unsigned char>(each);
  if (crc32(body) != told) return Fault::damaged;
  const std::size_t end = body.find('\0');
  if (end == std::string_view::npos) return Fault::foreign;
  parts = {body.substr(0, end), body.substr(end + 1)};
  return Fault::none;
}

template <class T>
bool read_whole(std::string_view payload, T& to) {
  Reader reader(payload.data(), payload.size());
  Decoder(reader).read(to);
  return !reader.failed() && reader.at_end();
}

}  // namespace detail

inline Decoded decode(std::string_view data) {
  detail::Parts parts;
  Decoded decoded{std::nullopt, detail::unseal(data, parts)};
  if (decoded.fault != Fault::none) return decoded;
  decoded.fault = Fault::foreign;
  const std::string_view kind = parts.topic.substr(0, parts.topic.find('/'));
  for_kind(kind, [&](auto known) {
    typename decltype(known)::type message;
    if (!detail::read_whole(parts.payload, message) || message.version > WIRE_VERSION) return;
    if (parts.topic != std::string(kind) + '/' + message.stream) return;
    decoded.message.emplace(std::move(message));
    decoded.fault = Fault::none;
  });
  return decoded;
}

inline std::optional<ClockReply> decode_clock_reply(std::string_view data) {
  detail::Parts parts;
  ClockReply reply;
  if (detail::unseal(data, parts) != Fault::none || parts.topic != CLOCK_TOPIC) return std::nullopt;
  if (!detail::read_whole(parts.payload, reply)) return std::nullopt;
  return reply;
}

inline std::string encode_clock_request(std::int64_t sent_ns) {
  std::string data(CLOCK_TOPIC);
  data += '\0';
  data += "\x81\xa7sent_ns\xd3";
  for (int shift = 56; shift >= 0; shift -= 8) data += static_cast<char>(sent_ns >> shift & 0xff);
  const std::uint32_t crc = crc32(data);
  for (int shift = 24; shift >= 0; shift -= 8) data += static_cast<char>(crc >> shift & 0xff);
  return data;
}

}  // namespace edge_engine
