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

Grip grip_of(const Scene& scene, const Pose& X_WS, const Pose* X_WL, std::uint8_t touches) {
  if ((touches & kFingers) != kFingers) return {false, false};
  const LinkBox &left = scene.fingers[kLeft].boxes.back(), &right = scene.fingers[kRight].boxes.back();
  const Pose X_WKl = X_WL[kLeft] * left.X_LK, X_WKr = X_WL[kRight] * right.X_LK;
  const Vec3 between = X_WKr.p - X_WKl.p;
  const double span = norm(between);
  if (!(span > 0.0)) return {false, false};
  const Vec3 inwards = (1.0 / span) * between;  // of the left finger

  Grip grip{};
  grip.pinched = presses(scene.stone, X_WS, scene.fingers[kLeft], X_WL[kLeft], inwards, kPinchAngle) &&
                 presses(scene.stone, X_WS, scene.fingers[kRight], X_WL[kRight], -inwards, kPinchAngle);
  if ((touches & kBothPads) != kBothPads) return grip;
  const double centre = dot(X_WS.p - X_WKl.p, inwards);
  const double least = std::cos(kGripAngle);
  grip.held = centre > extent(left.box, X_WKl, inwards) &&
              centre < span - extent(right.box, X_WKr, inwards) &&
              directness(scene.stone, X_WS, left.box, X_WKl, inwards) >= least &&
              directness(scene.stone, X_WS, right.box, X_WKr, -inwards) >= least;
  return grip;
}

}  // namespace bomb
