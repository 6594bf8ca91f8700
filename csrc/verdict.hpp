// The verdict: what a judge says about an episode at one moment. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "reasons.hpp"

namespace bomb {

// The judged stone is, of the stones of the named colour:
//   1. the one that succeeds (the nearest to the goal, if several do); else
//   2. the one that got farther in the gripper: held now, before lifted, before grasped, before none of these;
//   3. of equals, one more than `wrong_move` from its start before one that is not, and the nearest to
//      the goal of those that are; else
//   4. the one a pad came closest to; then the one nearest to the tool at reset; then the first.
struct Verdict {
  bool success = false;          // at this moment
  bool success_once = false;     // at this or an earlier moment
  std::vector<Reason> reasons;   // all that apply, in order; empty on success
  int stone = 0;                 // the judged stone
  double distance_mm = 0.0;      // its distance from the goal, horizontal
  double offset_mm[2] = {};      // its x and y from the goal, in B
  double tilt = 0.0;             // rad, its lean
  double others_moved_mm = 0.0;  // the farthest any other stone lies from its start
  int size = 0;
  std::vector<std::uint8_t> occupancy;  // (size, size): colour of the stone resting there, 0 for none
  std::array<bool, kStages> stages{};
  std::array<bool, kIntActs> int_act{};

  // The same placement as a part of a longer job that is not done yet.
  Verdict unfinished() const {
    Verdict part = *this;
    part.success = part.success_once = false;
    part.reasons = {Reason::kUnfinished};
    return part;
  }

  Reason reason() const { return reasons.empty() ? Reason::kNone : reasons.front(); }

  // The last step taken on the way to a placement, "none" before the first.
  const char* stage() const {
    for (int step = kLastStep; step >= 0; --step) {
      if (stages[step]) return kStageNames[step];
    }
    return "none";
  }
};

}  // namespace bomb
