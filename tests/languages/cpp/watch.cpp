// A control loop that looks every 20 ms and says what it would do, in a line of JSON, until stdin ends.
//     watch ENDPOINT [SERVER_PUBLIC CLIENT_PUBLIC CLIENT_SECRET]
#include <iostream>

#include <unistd.h>

#include <poll.h>

#include "edge_engine.hpp"

int main(int count, char** arguments) {
  std::optional<edge_engine::Keys> keys;
  if (count > 4) keys = {arguments[2], arguments[3], arguments[4]};
  edge_engine::Subscriber subscriber(arguments[1], "", keys);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (poll(&input, 1, 20) == 0) {
    const auto now_ns = edge_engine::monotonic_ns();
    const auto result = subscriber.latest();
    const auto status = subscriber.status();
    const auto stats = subscriber.stats();
    const auto age_ms = result ? subscriber.age_ms(*result) : std::nullopt;
    std::cout << std::boolalpha << "{\"ok\":" << static_cast<bool>(status) << ",\"alive\":" << status.alive
              << ",\"fresh\":" << status.fresh << ",\"reason\":\"" << status.reason << "\",\"session\":\""
              << subscriber.session() << "\",\"now_ns\":" << now_ns
              << ",\"captured_ns\":" << (result ? result->captured_ns : 0) << ",\"age_ms\":" << age_ms.value_or(0)
              << ",\"received\":" << stats.received << ",\"lost\":" << stats.lost << ",\"repeated\":" << stats.repeated
              << ",\"late\":" << stats.late << ",\"damaged\":" << stats.damaged << ",\"foreign\":" << stats.foreign
              << ",\"restarts\":" << stats.restarts << "}" << std::endl;
  }
}
