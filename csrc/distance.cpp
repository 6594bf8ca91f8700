#include "distance.hpp"

#include <limits>

#include "simplex.hpp"

namespace bomb {
namespace {

// The bounds on a distance must meet to within this (m): a tenth of a nanometre.
constexpr double kPrecision = 1e-10;

// Polytopes need about ten rounds; the limit only stops a cycle that rounding might cause.
constexpr int kMaxRounds = 64;

// Distance from the origin to the set D = {a - b}, given its extreme points: `extreme(d)` is the
// point of D farthest along d. At first `v`, not zero, is some point of D.
//
// |v| for a point v of D is an upper bound; for any v, the plane through extreme(-v) across v has
// all of D behind it, so dot(v, extreme(-v)) / |v| is a lower bound. `v` begins as such a point and
// ends as the best that was found.
template <typename Extreme>
double distance_to_origin(const Extreme& extreme, Vec3& v, const Reach& reach) {
  Simplex simplex;
  double upper = norm(v);
  for (int round = 0; round < kMaxRounds; ++round) {
    if (upper <= reach.enough) return upper;
    const Vec3 w = extreme(-v);
    const double lower = dot(v, w) / upper;
    if (lower >= reach.cap) return reach.cap;
    if (upper - lower <= kPrecision || simplex.contains(w)) break;
    simplex.add(w);
    const Vec3 next = simplex.reduce_to_nearest();
    const double next_upper = norm(next);
    if (next_upper <= kPrecision) {
      v = {};
      return 0.0;
    }
    if (round > 0 && next_upper >= upper) break;
    v = next;
    upper = next_upper;
  }
  return upper < reach.cap ? upper : reach.cap;
}

// As `distance`; `v` becomes the shortest vector from the box to the hull that was found.
double distance_to_box(const ConvexHull& hull, const Box& box, const Pose& X_HK, const Reach& reach, Vec3& v) {
  const Vec3 centre_K = -transpose_times(X_HK.R, X_HK.p);
  v = -(X_HK * nearest_point(box, centre_K));
  if (norm(v) <= kPrecision) {
    v = {};
    return 0.0;
  }
  const Vec3& h = box.half_size;
  const auto extreme = [&](const Vec3& d) {
    const Vec3 d_K = transpose_times(X_HK.R, d);
    const Vec3 corner{d_K.x > 0.0 ? -h.x : h.x, d_K.y > 0.0 ? -h.y : h.y, d_K.z > 0.0 ? -h.z : h.z};
    return hull.support(d) - X_HK * corner;
  };
  return distance_to_origin(extreme, v, reach);
}

}  // namespace

double distance(const ConvexHull& hull, const Box& box, const Pose& X_HK, const Reach& reach) {
  Vec3 v;
  return distance_to_box(hull, box, X_HK, reach, v);
}

Vec3 separation(const ConvexHull& hull, const Box& box, const Pose& X_HK) {
  Vec3 v;
  distance_to_box(hull, box, X_HK, {std::numeric_limits<double>::infinity()}, v);
  return v;
}

double distance(const ConvexHull& hull, const Pose& X_HK, const Reach& reach) {
  if (norm(X_HK.p) <= kPrecision) return 0.0;
  const auto extreme = [&](const Vec3& d) {
    return hull.support(d) - X_HK * hull.support(transpose_times(X_HK.R, -d));
  };
  Vec3 v = -X_HK.p;
  return distance_to_origin(extreme, v, reach);
}

}  // namespace bomb
