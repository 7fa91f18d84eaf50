// Messages as JSON, for comparing them with what Python makes of the same bytes.
#pragma once

#include <cmath>
#include <cstdio>
#include <iostream>

#include "edge_engine/wire.hpp"

class Json {
 public:
  static void print(bool value) { std::cout << (value ? "true" : "false"); }
  static void print(std::int64_t value) { std::cout << value; }

  static void print(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    std::cout << (std::isfinite(value) ? text : "null");
  }

  static void print(const std::string& value) {
    std::cout << '"';
    for (const char each : value) {
      const auto code = static_cast<unsigned char>(each);
      char text[8];
      std::snprintf(text, sizeof text, "\\u%04x", code);
      if (code < 0x20 || each == '"' || each == '\\') std::cout << text;
      else std::cout << each;
    }
    std::cout << '"';
  }

  template <class T>
  static void print(const std::optional<T>& value) {
    if (value) print(*value);
    else std::cout << "null";
  }

  template <class T>
  static void print(const std::vector<T>& values) { print_all(values); }

  template <class T, std::size_t N>
  static void print(const std::array<T, N>& values) { print_all(values); }

  template <class T>
  static void print(const std::map<std::string, T>& values) {
    const char* before = "";
    std::cout << '{';
    for (const auto& [name, value] : values) {
      std::cout << before;
      print(name);
      std::cout << ':';
      print(value);
      before = ",";
    }
    std::cout << '}';
  }

  template <class T>
  static void print(const T& value) {
    const char* before = "";
    std::cout << '{';
    T::fields(value, [&](std::string_view name, const auto& field, bool) {
      std::cout << before << '"' << name << "\":";
      print(field);
      before = ",";
    });
    std::cout << '}';
  }

 private:
  template <class T>
  static void print_all(const T& values) {
    const char* before = "";
    std::cout << '[';
    for (const auto& each : values) {
      std::cout << before;
      print(each);
      before = ",";
    }
    std::cout << ']';
  }
};
