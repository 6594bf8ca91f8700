#include "grip.hpp"

#include <algorithm>
#include <cmath>

#include "distance.hpp"
#include "measure.hpp"

namespace bomb {
namespace {

// Bodies that touch overlap a little, and then no shortest way leads from one to the other. So it is
// taken from a core of the box, whose faces lie this far inside (m): engines let pads sink in by less.
constexpr double kSkin = 0.0015;

Box core_of(const Box& box) {
  const Vec3& h = box.half_size;
  const auto shrunk = [](double half) { return half - std::min(kSkin, 0.5 * half); };
  return {{shrunk(h.x), shrunk(h.y), shrunk(h.z)}};
}

// How far a box at X_WK reaches from its centre along a direction (m).
double extent(const Box& box, const Pose& X_WK, const Vec3& along) {
  const Vec3 a = transpose_times(X_WK.R, along);
  const Vec3& h = box.half_size;
  return std::fabs(a.x) * h.x + std::fabs(a.y) * h.y + std::fabs(a.z) * h.z;
}

// Cosine of the angle between `inwards` and the shortest way from a box at X_WK to the stone; -1 if
// there is none.
double directness(const ConvexHull& stone, const Pose& X_WS, const Box& box, const Pose& X_WK,
                  const Vec3& inwards) {
  const Vec3 way_S = separation(stone, core_of(box), inverse_times(X_WS, X_WK));
  const double length = norm(way_S);
  return length > 0.0 ? dot(X_WS.R * way_S, inwards) / length : -1.0;
}

// Whether any box of a finger that touches the stone presses it within the angle.
bool presses(const ConvexHull& stone, const Pose& X_WS, const FingerShape& finger, const Pose& X_WL,
             const Vec3& inwards, double angle) {
  for (const LinkBox& part : finger.boxes) {
    const Pose X_WK = X_WL * part.X_LK;
    if (distance(stone, part.box, inverse_times(X_WS, X_WK), {kTouch * 1.01, kTouch}) > kTouch) continue;
    if (directness(stone, X_WS, part.box, X_WK, inwards) >= std::cos(angle)) return true;
  }
  return false;
}

}  // namespace

Vec3 opening_direction(const Scene& scene, const Pose* X_WL) {
  const Vec3 left = X_WL[kLeft] * scene.fingers[kLeft].boxes.back().X_LK.p;
  const Vec3 right = X_WL[kRight] * scene.fingers[kRight].boxes.back().X_LK.p;
  const double span = norm(right - left);
  return span > 0.0 ? (1.0 / span) * (right - left) : Vec3{};
}

Grip grip_of(const Scene& scene, const Pose& X_WS, const Pose* X_WL, std::uint8_t touches) {
  Grip grip;
  if ((touches & (kBothPads | kFingers)) == 0) return grip;
  const Vec3 inwards = opening_direction(scene, X_WL);  // of the left finger
  if ((touches & kFingers) == kFingers) {
    grip.pinched = presses(scene.stone, X_WS, scene.fingers[kLeft], X_WL[kLeft], inwards, kPinchAngle) &&
                   presses(scene.stone, X_WS, scene.fingers[kRight], X_WL[kRight], -inwards, kPinchAngle);
  }
  const auto by_pad = [&](Finger side, const Vec3& towards_stone) {
    const LinkBox& pad = scene.fingers[side].boxes.back();
    const Pose X_WK = X_WL[side] * pad.X_LK;
    return dot(X_WS.p - X_WK.p, towards_stone) > extent(pad.box, X_WK, towards_stone) &&
           directness(scene.stone, X_WS, pad.box, X_WK, towards_stone) >= std::cos(kGripAngle);
  };
  grip.left = (touches & kLeftPad) != 0 && by_pad(kLeft, inwards);
  grip.right = (touches & kRightPad) != 0 && by_pad(kRight, -inwards);
  return grip;
}

}  // namespace bomb
