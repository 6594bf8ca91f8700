// Vectors, rotations, poses and boxes: just enough algebra for the checker.
//
// Notation: X_AB is the pose of frame B in frame A, p_AB its origin, R_AB its rotation;
// letters meet in a product, X_AC = X_AB * X_BC. Metres, radians, quaternions wxyz.
#pragma once

#include <cmath>

namespace bomb {

struct Vec3 {
  double x = 0.0;
  double y = 0.0;
  double z = 0.0;
};

inline Vec3 operator+(const Vec3& a, const Vec3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(const Vec3& a, const Vec3& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator-(const Vec3& a) { return {-a.x, -a.y, -a.z}; }
inline Vec3 operator*(double s, const Vec3& a) { return {s * a.x, s * a.y, s * a.z}; }

inline double dot(const Vec3& a, const Vec3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double norm(const Vec3& a) { return std::sqrt(dot(a, a)); }
inline Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// A rotation matrix by its columns: column k is axis k of the rotated frame.
struct Mat3 {
  Vec3 x{1.0, 0.0, 0.0};
  Vec3 y{0.0, 1.0, 0.0};
  Vec3 z{0.0, 0.0, 1.0};
};

inline Vec3 operator*(const Mat3& R, const Vec3& v) { return v.x * R.x + v.y * R.y + v.z * R.z; }
inline Vec3 transpose_times(const Mat3& R, const Vec3& v) { return {dot(R.x, v), dot(R.y, v), dot(R.z, v)}; }

struct Pose {
  Mat3 R;
  Vec3 p;
};

inline Vec3 operator*(const Pose& X_AB, const Vec3& p_B) { return X_AB.R * p_B + X_AB.p; }
inline Pose operator*(const Pose& X_AB, const Pose& X_BC) {
  return {{X_AB.R * X_BC.R.x, X_AB.R * X_BC.R.y, X_AB.R * X_BC.R.z}, X_AB * X_BC.p};
}
// inverse(X_AB) * p_A without building the inverse.
inline Vec3 inverse_times(const Pose& X_AB, const Vec3& p_A) { return transpose_times(X_AB.R, p_A - X_AB.p); }
inline Pose inverse_times(const Pose& X_AB, const Pose& X_AC) {
  const Mat3& R = X_AC.R;
  return {{transpose_times(X_AB.R, R.x), transpose_times(X_AB.R, R.y), transpose_times(X_AB.R, R.z)},
          inverse_times(X_AB, X_AC.p)};
}

// Seven numbers p(3), q(4, wxyz) to a pose. The quaternion is normalised; it must not be zero.
inline Pose pose_from(const double* p_q) {
  const double* q = p_q + 3;
  const double s = 2.0 / (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  const double xx = s * q[1] * q[1], yy = s * q[2] * q[2], zz = s * q[3] * q[3];
  const double xy = s * q[1] * q[2], xz = s * q[1] * q[3], yz = s * q[2] * q[3];
  const double wx = s * q[0] * q[1], wy = s * q[0] * q[2], wz = s * q[0] * q[3];
  return {{{1.0 - yy - zz, xy + wz, xz - wy},
           {xy - wz, 1.0 - xx - zz, yz + wx},
           {xz + wy, yz - wx, 1.0 - xx - yy}},
          {p_q[0], p_q[1], p_q[2]}};
}

// A box centred at the origin of its frame.
struct Box {
  Vec3 half_size;
};

inline double clamp(double value, double low, double high) {
  return value < low ? low : (value > high ? high : value);
}

// The point of `box` nearest to `p`, both in the box's frame.
inline Vec3 nearest_point(const Box& box, const Vec3& p) {
  const Vec3& h = box.half_size;
  return {clamp(p.x, -h.x, h.x), clamp(p.y, -h.y, h.y), clamp(p.z, -h.z, h.z)};
}

}  // namespace bomb
