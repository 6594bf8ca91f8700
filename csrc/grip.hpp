// Whether a stone is in the grip of the two fingers: told from shapes and poses, never from forces.
//
// The *opening direction* points from the left pad to the right one. A finger *presses* a stone that it
// touches if the shortest way from it to the stone lies within a limit of that direction, inwards.
#pragma once

#include <cstdint>

#include "scene.hpp"

namespace bomb {

// A pad holds up to this angle from the opening direction (rad): 50 degrees. With a friction coefficient
// of 1 between pad and stone (docs/stage.md) anything beyond 45 degrees slides off; a stone's bevel, at
// 56 degrees, cannot be held, its rim can.
constexpr double kGripAngle = 0.87266462599716477;

// INT-ACT's limit for the same angle (rad): 60 degrees, `max_angle` of the WidowX's check_grasp.
constexpr double kPinchAngle = 1.0471975511965976;

struct Grip {
  bool held;     // both pads press it with their inner faces, and its centre is between those
  bool pinched;  // INT-ACT: both fingers press it, with whatever part of them touches it
};

// Of a stone at X_WS that touches what the bits of Touch in `touches` say.
Grip grip_of(const Scene& scene, const Pose& X_WS, const Pose* X_WL, std::uint8_t touches);

}  // namespace bomb
