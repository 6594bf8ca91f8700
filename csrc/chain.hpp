// Where the two fingers are, for given joint positions: an arm of revolute joints in a row, and two
// prismatic joints at its end.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "geometry.hpp"

namespace bomb {

constexpr std::size_t kArmJoints = 7;
constexpr std::size_t kJoints = kArmJoints + 2;  // then the left and the right finger

struct ChainJoint {
  Pose X_PJ;   // in the joint before it, at joint position zero; the first in W, both fingers in the arm's last
  Vec3 axis;   // unit, in its own frame
};

// By Rodrigues' formula: the turn by `angle` about the unit vector `axis`.
inline Mat3 rotation_about(const Vec3& axis, double angle) {
  const double s = std::sin(angle), c = std::cos(angle), d = 1.0 - c;
  const Vec3& a = axis;
  return {{c + d * a.x * a.x, d * a.x * a.y + s * a.z, d * a.x * a.z - s * a.y},
          {d * a.x * a.y - s * a.z, c + d * a.y * a.y, d * a.y * a.z + s * a.x},
          {d * a.x * a.z + s * a.y, d * a.y * a.z - s * a.x, c + d * a.z * a.z}};
}

struct FingerChain {
  std::array<ChainJoint, kJoints> joints;

  // Poses in W of the left and the right finger's link, for kJoints positions (rad, m).
  std::array<Pose, 2> fingers(const double* positions) const {
    Pose X_WJ;
    for (std::size_t k = 0; k < kArmJoints; ++k) {
      X_WJ = X_WJ * joints[k].X_PJ * Pose{rotation_about(joints[k].axis, positions[k]), {}};
    }
    std::array<Pose, 2> result;
    for (std::size_t side = 0; side < 2; ++side) {
      const ChainJoint& joint = joints[kArmJoints + side];
      result[side] = X_WJ * joint.X_PJ * Pose{{}, positions[kArmJoints + side] * joint.axis};
    }
    return result;
  }
};

}  // namespace bomb
