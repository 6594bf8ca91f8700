// What stands still in the world, and the shapes of what moves: everything `measure` must know
// beside the state. Plain data; World frame W, board frame B (see grid.hpp), metres.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "geometry.hpp"
#include "grid.hpp"
#include "hull.hpp"

namespace bomb {

// Two bodies touch when they are closer than this (m).
constexpr double kTouch = 0.0005;

// Distances to fingers are exact below this and reported as this beyond (m).
constexpr double kDistanceCap = 0.030;

// A stone that leans more than this counts as tilted in its status (rad): 10 degrees.
constexpr double kLeanLimit = 0.17453292519943295;

enum Finger { kLeft = 0, kRight = 1 };

// A box at a fixed pose in the frame L of the link that carries it.
struct LinkBox {
  Box box;
  Pose X_LK;
};

// The collision boxes of one finger; the last is the pad.
struct FingerShape {
  std::vector<LinkBox> boxes;
  Vec3 centre_L;        // of a sphere that holds all boxes
  double radius = 0.0;  // of that sphere
};

struct Scene {
  Grid grid;
  Pose X_WB;  // board frame
  Box board;  // centred half its thickness below the origin of B
  Pose X_WT;  // centre of the table top
  Box table;
  ConvexHull stone;                    // in the stone's frame: origin at the centre of mass, axis z
  std::array<FingerShape, 2> fingers;  // left, right
};

// The boxes with their bounding sphere. `boxes` is not empty.
inline FingerShape make_finger(std::vector<LinkBox> boxes) {
  FingerShape finger;
  for (const LinkBox& each : boxes)
    finger.centre_L = finger.centre_L + (1.0 / static_cast<double>(boxes.size())) * each.X_LK.p;
  for (const LinkBox& each : boxes) {
    finger.radius = std::fmax(finger.radius, norm(each.X_LK.p - finger.centre_L) + norm(each.box.half_size));
  }
  finger.boxes = std::move(boxes);
  return finger;
}

}  // namespace bomb
