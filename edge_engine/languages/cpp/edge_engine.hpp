// edge_engine's results in C++17: a controller includes this one file, with the folder edge_engine/ beside it.
//
//     apt-get install g++ libzmq3-dev cppzmq-dev
//     g++ -std=c++17 -O2 -I edge_engine/languages/cpp controller.cpp -o controller -lzmq -pthread
//
// Who takes the bytes from elsewhere, a file or a transport of its own, includes edge_engine/wire.hpp alone, which
// needs no ZeroMQ.
#pragma once

#include "edge_engine/subscriber.hpp"
