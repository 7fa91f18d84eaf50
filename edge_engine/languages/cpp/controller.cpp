// A controller: acts on what is fresh, and stops when nothing is. ./controller [tcp://127.0.0.1:5555]
#include <chrono>
#include <cstdio>
#include <thread>

#include "edge_engine.hpp"

int main(int count, char** arguments) {
  edge_engine::Subscriber subscriber(count > 1 ? arguments[1] : "tcp://127.0.0.1:5555");
  while (true) {
    if (const auto result = subscriber.latest("", 200)) {
      for (const auto& object : result->objects) {
        std::printf("%s %.2f at %.0f, %.0f\n", object.label.c_str(), object.score, object.xyxy[0], object.xyxy[1]);
      }
    } else {
      std::printf("stop: %s\n", subscriber.status().reason.c_str());
    }
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}
