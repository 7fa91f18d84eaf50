// Reads messages from stdin, each behind its length (4 bytes, big-endian), and says what each is: a line of JSON.
#include "json.hpp"

int main() {
  std::string head(4, '\0');
  while (std::cin.read(head.data(), 4)) {
    std::size_t size = 0;
    for (const char each : head) size = size << 8 | static_cast<unsigned char>(each);
    std::string data(size, '\0');
    std::cin.read(data.data(), static_cast<std::streamsize>(size));
    const auto [message, fault] = edge_engine::decode(data);
    const auto reply = edge_engine::decode_clock_reply(data);
    if (message) std::visit([](const auto& found) { Json::print(found); }, *message);
    else if (reply) Json::print(*reply);
    else std::cout << (fault == edge_engine::Fault::damaged ? "\"damaged\"" : "\"foreign\"");
    std::cout << '\n';
  }
}
