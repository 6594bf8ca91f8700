// A convex hull that answers "which vertex lies farthest along d" in a few nanoseconds.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry.hpp"

namespace bomb {

// The directions are cut into cells: each face of the cube |d|_max = 1 into kCells x kCells squares.
// For each cell the hull keeps the vertices that are farthest for *some* direction of the cell, so
// a query looks at those few only and is still exact.
class ConvexHull {
 public:
  static constexpr int kCells = 16;

  // Vertices in the hull's frame; points inside the hull are allowed and never returned.
  // Throws std::invalid_argument unless the origin lies inside.
  explicit ConvexHull(std::vector<Vec3> vertices);

  // The vertex with the greatest dot(direction, vertex). `direction` is not zero and need not be unit.
  Vec3 support(const Vec3& direction) const {
    const int cell = cell_of(direction);
    const std::uint16_t* candidate = candidates_.data() + first_[cell];
    const std::uint16_t* const end = candidates_.data() + first_[cell + 1];
    const Vec3* best = &vertices_[*candidate];
    double farthest = dot(direction, *best);
    for (++candidate; candidate != end; ++candidate) {
      const Vec3* vertex = &vertices_[*candidate];
      const double along = dot(direction, *vertex);
      best = along > farthest ? vertex : best;
      farthest = along > farthest ? along : farthest;
    }
    return *best;
  }

  // Radius of the sphere about the origin that holds the hull (m).
  double radius() const { return radius_; }

 private:
  // Cube faces are numbered +x, -x, +y, -y, +z, -z.
  static int cell_of(const Vec3& d) {
    const double ax = std::fabs(d.x), ay = std::fabs(d.y), az = std::fabs(d.z);
    if (ax >= ay && ax >= az) return square(d.x < 0.0 ? 1 : 0, d.y, d.z, ax);
    if (ay >= az) return square(d.y < 0.0 ? 3 : 2, d.x, d.z, ay);
    return square(d.z < 0.0 ? 5 : 4, d.x, d.y, az);
  }
  static int square(int face, double u, double v, double major) {
    const double scale = 0.5 * kCells / major;
    const int i = static_cast<int>(u * scale + 0.5 * kCells);
    const int j = static_cast<int>(v * scale + 0.5 * kCells);
    return (face * kCells + (i < kCells ? i : kCells - 1)) * kCells + (j < kCells ? j : kCells - 1);
  }

  std::vector<Vec3> vertices_;
  std::vector<std::uint16_t> candidates_;  // all cells' lists, one after the other
  std::vector<std::uint32_t> first_;       // where each cell's list begins, and the end
  double radius_ = 0.0;
};

}  // namespace bomb
