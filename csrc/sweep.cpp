#include "sweep.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "distance.hpp"
#include "grip.hpp"

namespace bomb {
namespace {

// No part of a finger is farther than this from the tool centre point, from a stone's surface to its
// centre included (m): the finger's root is 60 mm above the point, and 40 mm to the side at most.
constexpr double kAroundTool = 0.085;

// A held stone that moves faster (m/s), is lower (m, in B) and is taken up by more than this (m) is on its way up.
constexpr double kMoving = 0.02;
constexpr double kAloft = 0.045;
constexpr double kRising = 0.001;

// For how long a stone that is not held is taken to keep its speed (s): friction stops it sooner.
constexpr double kCoast = 0.05;

// Distances are computed up to this (m); a body that far away is skipped until it can have come near.
constexpr double kLook = 0.008;

bool held(const StoneMeasure& stone) { return (stone.touches & kHeld) != 0; }

// Distance of the stone to the boxes of one finger, to the nearest and to the pad; both at most kLook.
struct Near {
  double finger = kLook;
  double pad = kLook;
};

Near look(const ConvexHull& stone, const Pose& X_WS, const FingerShape& finger, const Pose& X_WL) {
  Near near;
  const Pose X_LS = inverse_times(X_WL, X_WS);
  for (std::size_t k = finger.boxes.size(); k-- > 0;) {  // the pad, which is last, first
    const LinkBox& part = finger.boxes[k];
    const Vec3 centre_K = inverse_times(part.X_LK, X_LS.p);
    if (norm(centre_K - nearest_point(part.box, centre_K)) - stone.radius() >= near.finger) continue;
    const double here = distance(stone, part.box, inverse_times(X_LS, part.X_LK), {near.finger, kTouch});
    near.finger = std::min(near.finger, here);
    if (k + 1 == finger.boxes.size()) near.pad = here;
  }
  return near;
}

// How far any point of a body of this radius has moved at most between two poses (m).
double moved(const Pose& from, const Pose& to, double radius) {
  const Mat3 &A = from.R, &B = to.R;
  const double turn = std::sqrt(dot(A.x - B.x, A.x - B.x) + dot(A.y - B.y, A.y - B.y) + dot(A.z - B.z, A.z - B.z));
  return norm(to.p - from.p) + radius * turn;
}

// One stone, followed through the trace.
class Follower {
 public:
  Follower(const Scene& scene, StoneMeasure& out) : scene_(scene), out_(out) {}

  void see(const Pose& X_WS, const std::array<Pose, 2>& X_WL) {
    if (started_) {
      const double stone = moved(X_WS_, X_WS, scene_.stone.radius());
      for (int side = 0; side < 2; ++side) {
        const FingerShape& finger = scene_.fingers[side];
        const double far = norm(finger.centre_L) + finger.radius;  // of its points from the link's origin
        margin_[side] -= stone + moved(X_WL_[side], X_WL[side], far);
      }
    }
    started_ = true;
    X_WS_ = X_WS;
    X_WL_ = X_WL;
    std::uint8_t touches = 0;
    for (int side = 0; side < 2; ++side) {
      if (margin_[side] > kTouch) continue;
      const Near near = look(scene_.stone, X_WS, scene_.fingers[side], X_WL[side]);
      margin_[side] = near.finger;
      if (near.finger <= kTouch) touches |= side == kLeft ? kLeftFinger : kRightFinger;
      if (near.pad <= kTouch) touches |= side == kLeft ? kLeftPad : kRightPad;
    }
    if (touches == 0) return;
    out_.since |= touches;
    const Grip grip = grip_of(scene_, X_WS, X_WL.data(), touches);
    if (grip.pinched) out_.pinched = 1;
    if (!grip.held()) return;
    out_.since |= kHeld;
    const Pose X_BS = inverse_times(scene_.X_WB, X_WS);
    const Vec3 down_S{-X_BS.R.x.z, -X_BS.R.y.z, -X_BS.R.z.z};
    out_.high = std::max(out_.high, static_cast<float>((X_BS * scene_.stone.support(down_S)).z));
  }

 private:
  const Scene& scene_;
  StoneMeasure& out_;
  bool started_ = false;
  Pose X_WS_;
  std::array<Pose, 2> X_WL_;
  double margin_[2] = {0.0, 0.0};  // m, a lower bound of the distance to each finger
};

}  // namespace

bool worth_tracing(const StoneMeasure* measures, int stones, const float* tool_B, double reach, double rise) {
  for (int i = 0; i < stones; ++i) {
    const StoneMeasure& m = measures[i];
    if (held(m)) {
      if (m.speed > kMoving && m.low < kAloft && rise > kRising) return true;
      continue;
    }
    const double nearest = m.left < m.right ? m.left : m.right;
    const double closer = reach + kCoast * m.speed;
    if (nearest < kDistanceCap ? nearest <= closer : closer >= kDistanceCap) {
      const Vec3 from_tool{double{m.position[0]} - tool_B[0], double{m.position[1]} - tool_B[1],
                           double{m.position[2]} - tool_B[2]};
      if (norm(from_tool) <= closer + kAroundTool) return true;
    }
  }
  return false;
}

void sweep(const Scene& scene, const FingerChain& chain, const TraceView& trace, const StoneMeasure* before,
           StoneMeasure* after) {
  std::vector<std::array<Pose, 2>> X_WL;
  X_WL.reserve(trace.steps);
  for (std::size_t k = 0; k < trace.steps; ++k) X_WL.push_back(chain.fingers(trace.joint_positions + kJoints * k));
  for (int i = 0; i < trace.stones; ++i) {
    after[i].swept = 1;
    // Held before and after, it was so all the time; its height at both ends is known.
    if (held(before[i]) && held(after[i])) continue;
    Follower follower(scene, after[i]);
    for (std::size_t k = 0; k < trace.steps; ++k) {
      follower.see(pose_from(trace.stone_poses + 7 * (trace.stones * k + i)), X_WL[k]);
    }
  }
}

}  // namespace bomb
