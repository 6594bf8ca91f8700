// Distance between convex bodies, by the algorithm of Gilbert, Johnson and Keerthi:
// "A fast procedure for computing the distance between complex objects in three-dimensional
// space", IEEE Journal of Robotics and Automation 4(2), 1988.
#pragma once

#include "geometry.hpp"
#include "hull.hpp"

namespace bomb {

// How far to look. A distance of `cap` or more is reported as `cap`; the search also ends as soon
// as the distance is known to be at most `enough`, and then returns some value in [distance, enough].
struct Reach {
  double cap;           // m
  double enough = 0.0;  // m
};

// Distance (m) between `hull`, in its own frame H, and `box` at X_HK; 0 if they overlap.
double distance(const ConvexHull& hull, const Box& box, const Pose& X_HK, const Reach& reach);

// The shortest vector from `box` to `hull`, in H (m); zero if they overlap.
Vec3 separation(const ConvexHull& hull, const Box& box, const Pose& X_HK);

// Distance (m) between two copies of `hull`, in frames H and K; 0 if they overlap.
double distance(const ConvexHull& hull, const Pose& X_HK, const Reach& reach);

}  // namespace bomb
