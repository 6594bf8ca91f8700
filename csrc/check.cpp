#include "check.hpp"

#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace bomb {
namespace {

std::size_t size_of(const std::vector<std::size_t>& shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  return size;
}

// "name[3, 1]" for a flat index into an array of that shape; just "name" for an array without axes.
std::string element(const std::string& name, const std::vector<std::size_t>& shape, std::size_t flat) {
  std::string index;
  for (std::size_t axis = shape.size(); axis-- > 0; flat /= shape[axis]) {
    index = std::to_string(flat % shape[axis]) + (index.empty() ? "" : ", ") + index;
  }
  return index.empty() ? name : name + "[" + index + "]";
}

}  // namespace

std::string describe(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

void refuse(const std::string& message) { throw std::invalid_argument(message); }

void check_finite(const std::string& name, const std::vector<std::size_t>& shape, const double* values) {
  const std::size_t size = size_of(shape);
  bool all_good = true;  // without branches: this runs at every control step
  for (std::size_t i = 0; i < size; ++i) all_good &= std::fabs(values[i]) <= kLargest;  // false for NaN
  if (all_good) return;
  for (std::size_t i = 0; i < size; ++i) {
    if (std::fabs(values[i]) <= kLargest) continue;
    const char* rule = std::isfinite(values[i]) ? ", must be within 1e9" : ", must be finite";
    refuse(element(name, shape, i) + ": " + describe(values[i]) + rule);
  }
}

void check_poses(const std::string& name, const std::vector<std::size_t>& shape, const double* values) {
  check_finite(name, shape, values);
  const std::vector<std::size_t> poses(shape.begin(), shape.end() - 1);
  const std::size_t count = size_of(poses);
  constexpr double kLeast = (1.0 - kUnitTolerance) * (1.0 - kUnitTolerance);
  constexpr double kMost = (1.0 + kUnitTolerance) * (1.0 + kUnitTolerance);
  for (std::size_t i = 0; i < count; ++i) {
    const double* q = values + 7 * i + 3;
    const double norm2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
    if (norm2 < kLeast || norm2 > kMost) {
      refuse(element(name, poses, i) + ": quaternion norm " + describe(std::sqrt(norm2)) + ", must be 1");
    }
  }
}

void check_positive(const std::string& name, const std::vector<std::size_t>& shape, const double* values) {
  check_finite(name, shape, values);
  const std::size_t size = size_of(shape);
  for (std::size_t i = 0; i < size; ++i) {
    if (!(values[i] > 0.0))
      refuse(element(name, shape, i) + ": " + describe(values[i]) + ", must be positive");
  }
}

}  // namespace bomb
