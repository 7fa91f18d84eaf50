// This machine's monotonic clock, and its name: equal in all processes whose stamps can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace edge_engine {

inline constexpr std::int64_t NS_PER_S = 1'000'000'000;
inline constexpr std::int64_t NS_PER_MS = 1'000'000;

inline std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

namespace detail {

// BLAKE2b (RFC 7693) of up to one block, without a key, 8 bytes long, as hexadecimal digits;
// on a little-endian machine.
class Blake2b {
 public:
  static std::string hex8(std::string_view text) {
    std::array<std::uint64_t, 8> state = IV;
    state[0] ^= 0x01010000 ^ 8;
    std::array<std::uint64_t, 16> block{};
    std::memcpy(block.data(), text.data(), text.size() < 128 ? text.size() : 128);
    compress(state, block, text.size());
    static constexpr char DIGITS[] = "0123456789abcdef";
    std::string name;
    for (int i = 0; i < 8; ++i) {
      const auto byte = static_cast<unsigned>(state[0] >> 8 * i & 0xff);
      name += {DIGITS[byte >> 4], DIGITS[byte & 15]};
    }
    return name;
  }

 private:
  static constexpr std::array<std::uint64_t, 8> IV = {
      0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
      0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static constexpr std::uint8_t SIGMA[10][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

  static std::uint64_t rotated(std::uint64_t value, int bits) { return value >> bits | value << (64 - bits); }

  static void compress(std::array<std::uint64_t, 8>& state, const std::array<std::uint64_t, 16>& block,
                       std::uint64_t size) {
    std::array<std::uint64_t, 16> v{};
    for (std::size_t i = 0; i < 8; ++i) { v[i] = state[i]; v[i + 8] = IV[i]; }
    v[12] ^= size;
    v[14] = ~v[14];  // the last block
    for (int round = 0; round < 12; ++round) {
      const auto& order = SIGMA[round % 10];
      for (std::size_t i = 0; i < 8; ++i) {
        const std::size_t shift = i < 4 ? 0 : 1, column = i % 4;
        auto &a = v[column], &b = v[4 + (column + shift) % 4];
        auto &c = v[8 + (column + 2 * shift) % 4], &d = v[12 + (column + 3 * shift) % 4];
        a += b + block[order[2 * i]];
        d = rotated(d ^ a, 32);
        c += d;
        b = rotated(b ^ c, 24);
        a += b + block[order[2 * i + 1]];
        d = rotated(d ^ a, 16);
        c += d;
        b = rotated(b ^ c, 63);
      }
    }
    for (std::size_t i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
  }
};

}  // namespace detail

// Of one machine since one boot, in one time namespace (time_namespaces(7)); as edge_engine/clock.py names it.
inline std::string clock_id() {
  std::string boot;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  if (!std::getline(file, boot)) return "";
  struct stat found{};
  const bool has_namespaces = stat("/proc/self/ns/time", &found) == 0;
  return detail::Blake2b::hex8(boot + '/' + std::to_string(has_namespaces ? found.st_ino : 0));
}

}  // namespace edge_engine
