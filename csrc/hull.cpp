#include "hull.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace bomb {
namespace {

// Centre and the two half edges of one cell on the surface of the cube |d|_max = 1.
struct Cell {
  Vec3 centre;
  Vec3 half_u;
  Vec3 half_v;
};

Cell cell_at(int face, int i, int j, int cells) {
  const double half = 1.0 / cells;
  const double u = (2 * i + 1) * half - 1.0;
  const double v = (2 * j + 1) * half - 1.0;
  const double sign = face % 2 == 0 ? 1.0 : -1.0;
  switch (face / 2) {
    case 0: return {{sign, u, v}, {0.0, half, 0.0}, {0.0, 0.0, half}};
    case 1: return {{u, sign, v}, {half, 0.0, 0.0}, {0.0, 0.0, half}};
    default: return {{u, v, sign}, {half, 0.0, 0.0}, {0.0, half, 0.0}};
  }
}

// Whether `b` lies farther than `a` along every direction of the cell: the least of
// dot(d, b - a) over the square, with a margin far above rounding and far below the hull's size.
bool always_farther(const Cell& cell, const Vec3& b, const Vec3& a) {
  const Vec3 ab = b - a;
  const double least =
      dot(cell.centre, ab) - std::fabs(dot(cell.half_u, ab)) - std::fabs(dot(cell.half_v, ab));
  return least > 1e-9 * norm(ab);
}

std::vector<std::uint16_t> candidates_of(const Cell& cell, const std::vector<Vec3>& vertices) {
  const Vec3* farthest = &vertices[0];
  for (const Vec3& vertex : vertices) {
    if (dot(cell.centre, vertex) > dot(cell.centre, *farthest)) farthest = &vertex;
  }
  std::vector<std::uint16_t> kept;
  for (std::size_t i = 0; i < vertices.size(); ++i) {
    if (!always_farther(cell, *farthest, vertices[i])) kept.push_back(static_cast<std::uint16_t>(i));
  }
  std::vector<std::uint16_t> result;
  for (const std::uint16_t i : kept) {
    bool beaten = false;
    for (const std::uint16_t k : kept) beaten = beaten || always_farther(cell, vertices[k], vertices[i]);
    if (!beaten) result.push_back(i);
  }
  return result;
}

}  // namespace

ConvexHull::ConvexHull(std::vector<Vec3> vertices) : vertices_(std::move(vertices)) {
  if (vertices_.size() < 4 || vertices_.size() > 65535) {
    throw std::invalid_argument("stone_hull: a hull has 4 to 65535 vertices, got " +
                                std::to_string(vertices_.size()));
  }
  for (const Vec3& vertex : vertices_) radius_ = std::fmax(radius_, norm(vertex));
  for (int face = 0; face < 6; ++face) {
    for (int i = 0; i < kCells; ++i) {
      for (int j = 0; j < kCells; ++j) {
        const Cell cell = cell_at(face, i, j, kCells);
        const std::vector<std::uint16_t> list = candidates_of(cell, vertices_);
        first_.push_back(static_cast<std::uint32_t>(candidates_.size()));
        candidates_.insert(candidates_.end(), list.begin(), list.end());
        if (dot(cell.centre, vertices_[list.front()]) <= 0.0) {
          throw std::invalid_argument("stone_hull: the origin (centre of mass) must lie inside the hull");
        }
      }
    }
  }
  first_.push_back(static_cast<std::uint32_t>(candidates_.size()));
}

}  // namespace bomb
