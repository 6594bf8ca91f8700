#include "distance.hpp"

#include "simplex.hpp"

namespace bomb {
namespace {

// The bounds on a distance must meet to within this (m): a tenth of a nanometre.
constexpr double kPrecision = 1e-10;

// Polytopes need about ten rounds; the limit only stops a cycle that rounding might cause.
constexpr int kMaxRounds = 64;

// Distance from the origin to the set D = {a - b}, given its extreme points: `extreme(d)` is the
// point of D farthest along d. `start`, not zero, is some point of D.
//
// |v| for a point v of D is an upper bound; for any v, the plane through extreme(-v) across v has
// all of D behind it, so dot(v, extreme(-v)) / |v| is a lower bound.
template <typename Extreme>
double distance_to_origin(const Extreme& extreme, const Vec3& start, const Reach& reach) {
  Simplex simplex;
  Vec3 v = start;
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
    if (next_upper <= kPrecision) return 0.0;
    if (round > 0 && next_upper >= upper) break;
    v = next;
    upper = next_upper;
  }
  return upper < reach.cap ? upper : reach.cap;
}

}  // namespace

double distance(const ConvexHull& hull, const Box& box, const Pose& X_HK, const Reach& reach) {
  const Vec3 centre_K = -transpose_times(X_HK.R, X_HK.p);
  const Vec3 start = -(X_HK * nearest_point(box, centre_K));
  if (norm(start) <= kPrecision) return 0.0;
  const Vec3& h = box.half_size;
  const auto extreme = [&](const Vec3& d) {
    const Vec3 d_K = transpose_times(X_HK.R, d);
    const Vec3 corner{d_K.x > 0.0 ? -h.x : h.x, d_K.y > 0.0 ? -h.y : h.y, d_K.z > 0.0 ? -h.z : h.z};
    return hull.support(d) - X_HK * corner;
  };
  return distance_to_origin(extreme, start, reach);
}

double distance(const ConvexHull& hull, const Pose& X_HK, const Reach& reach) {
  if (norm(X_HK.p) <= kPrecision) return 0.0;
  const auto extreme = [&](const Vec3& d) {
    return hull.support(d) - X_HK * hull.support(transpose_times(X_HK.R, -d));
  };
  return distance_to_origin(extreme, -X_HK.p, reach);
}

}  // namespace bomb
