// The simplex of the distance algorithm: up to four points, and the point of their hull nearest
// to the origin. The cases follow Ericson, Real-Time Collision Detection (2005), sections 5.1.2
// (segment), 5.1.5 (triangle) and 5.1.6 (tetrahedron).
#pragma once

#include <limits>

#include "geometry.hpp"

namespace bomb {

class Simplex {
 public:
  void add(const Vec3& point) { points_[count_++] = point; }

  bool contains(const Vec3& point) const {
    for (int i = 0; i < count_; ++i) {
      if (points_[i].x == point.x && points_[i].y == point.y && points_[i].z == point.z) return true;
    }
    return false;
  }

  // Drops the points that do not carry the nearest point; returns it. Zero if the origin is inside.
  Vec3 reduce_to_nearest() {
    const Vec3* p = points_;
    Nearest nearest{p[0], 1, {0, 0, 0}};
    if (count_ == 2) nearest = on_segment(0, 1);
    if (count_ == 3) nearest = on_triangle(0, 1, 2);
    if (count_ == 4) nearest = in_tetrahedron();
    Vec3 kept[3];
    for (int i = 0; i < nearest.count; ++i) kept[i] = p[nearest.index[i]];
    for (int i = 0; i < nearest.count; ++i) points_[i] = kept[i];
    count_ = nearest.count;
    return nearest.point;
  }

 private:
  struct Nearest {
    Vec3 point;
    int count;     // how many points carry it
    int index[3];  // which
  };

  static Nearest nearer(const Nearest& a, const Nearest& b) {
    return dot(b.point, b.point) < dot(a.point, a.point) ? b : a;
  }

  Nearest on_segment(int i, int j) const {
    const Vec3 &a = points_[i], &b = points_[j];
    const Vec3 ab = b - a;
    const double along = -dot(a, ab);
    const double length2 = dot(ab, ab);
    if (along <= 0.0) return {a, 1, {i, 0, 0}};
    if (along >= length2) return {b, 1, {j, 0, 0}};
    return {a + (along / length2) * ab, 2, {i, j, 0}};
  }

  Nearest on_triangle(int i, int j, int k) const {
    const Vec3 &a = points_[i], &b = points_[j], &c = points_[k];
    const Vec3 ab = b - a, ac = c - a;
    const double d1 = -dot(ab, a), d2 = -dot(ac, a);
    if (d1 <= 0.0 && d2 <= 0.0) return {a, 1, {i, 0, 0}};
    const double d3 = -dot(ab, b), d4 = -dot(ac, b);
    if (d3 >= 0.0 && d4 <= d3) return {b, 1, {j, 0, 0}};
    const double vc = d1 * d4 - d3 * d2;
    if (vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0) return on_segment(i, j);
    const double d5 = -dot(ab, c), d6 = -dot(ac, c);
    if (d6 >= 0.0 && d5 <= d6) return {c, 1, {k, 0, 0}};
    const double vb = d5 * d2 - d1 * d6;
    if (vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0) return on_segment(i, k);
    const double va = d3 * d6 - d5 * d4;
    if (va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0) return on_segment(j, k);
    if (!(va > 0.0 && vb > 0.0 && vc > 0.0)) {  // rounding on a triangle without area
      return nearer(on_segment(i, j), nearer(on_segment(i, k), on_segment(j, k)));
    }
    const double sum = va + vb + vc;
    return {a + (vb / sum) * ab + (vc / sum) * ac, 3, {i, j, k}};
  }

  // Whether the origin may lie beyond the face (i, j, k) as seen from the fourth point. A flat
  // tetrahedron has no inside: then every face is looked at.
  bool beyond(int i, int j, int k, int fourth) const {
    const Vec3& a = points_[i];
    const Vec3 normal = cross(points_[j] - a, points_[k] - a);
    const Vec3 to_fourth = points_[fourth] - a;
    const double side_of_fourth = dot(normal, to_fourth);
    const double side_of_origin = -dot(normal, a);
    const bool flat = std::fabs(side_of_fourth) <= 1e-10 * norm(normal) * norm(to_fourth);
    return flat || side_of_origin * side_of_fourth < 0.0;
  }

  Nearest in_tetrahedron() const {
    constexpr int kFaces[4][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {1, 3, 2, 0}};
    Nearest best{{0.0, 0.0, 0.0}, 0, {0, 0, 0}};
    double least = std::numeric_limits<double>::infinity();
    for (const auto& face : kFaces) {
      if (!beyond(face[0], face[1], face[2], face[3])) continue;
      const Nearest here = on_triangle(face[0], face[1], face[2]);
      const double length2 = dot(here.point, here.point);
      if (length2 < least) {
        least = length2;
        best = here;
      }
    }
    return best;
  }

  Vec3 points_[4];
  int count_ = 0;
};

}  // namespace bomb
