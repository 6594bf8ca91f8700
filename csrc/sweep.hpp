// What happens between two control steps: a finger may strike a stone and be away from it again, so the
// states after every time step of the engine are looked at, by the same geometry as in `measure`.
#pragma once

#include <cstddef>

#include "chain.hpp"
#include "measure.hpp"

namespace bomb {

// States after each time step of one control step; the last is the one that `after` measured. Valid.
struct TraceView {
  std::size_t steps;
  int stones;
  const double* joint_positions;  // (steps, kJoints), rad and m
  const double* stone_poses;      // (steps, stones, 7)
};

// Whether the coming control step must be traced. `reach` bounds how far any point of a finger moves in it
// (m), `rise` how far the tool goes up, `tool_B` is the tool centre point. A stone that moves may come towards a
// finger. One that is held counts only on its way up: what remains to be seen of it is how high it gets.
bool worth_tracing(const StoneMeasure* measures, int stones, const float* tool_B, double reach, double rise);

// Adds to the last four fields of `after` what happened since `before`.
void sweep(const Scene& scene, const FingerChain& chain, const TraceView& trace, const StoneMeasure* before,
           StoneMeasure* after);

}  // namespace bomb
