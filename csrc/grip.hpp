// Whether a stone is in the grip of the two fingers: told from shapes and poses, never from forces.
//
// The *opening direction* points from the left pad to the right one. A finger *presses* a stone that it
// touches if the shortest way from it to the stone lies within a limit of that direction, inwards.
#pragma once

#include <cstdint>

#include "scene.hpp"

namespace bomb {

// A pad holds up to this angle from the opening direction (rad): 45 degrees, the friction cone of the
// coefficient of 1 between pad and stone (docs/stage.md). Anything beyond slides off: a stone cannot be
// held by its bevel, which leans 56 degrees, but by its rim.
constexpr double kGripAngle = 0.78539816339744831;

// INT-ACT's limit for the same angle (rad): 60 degrees, `max_angle` of the WidowX's check_grasp.
constexpr double kPinchAngle = 1.0471975511965976;

struct Grip {
  bool left = false;     // the left pad presses it with its inner face, and its centre is inwards of that
  bool right = false;    // the right pad
  bool pinched = false;  // INT-ACT: both fingers press it, with whatever part of them touches it

  bool held() const { return left && right; }
};

// From the left pad to the right one, of unit length; zero if they lie in one another.
Vec3 opening_direction(const Scene& scene, const Pose* X_WL);

// Of a stone at X_WS that touches what the bits of Touch in `touches` say.
Grip grip_of(const Scene& scene, const Pose& X_WS, const Pose* X_WL, std::uint8_t touches);

}  // namespace bomb
