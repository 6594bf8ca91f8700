// Checks of values at the door: every number finite, every quaternion unit. What passes them is
// valid everywhere behind it. A failure throws std::invalid_argument (ValueError in Python) that
// names the argument and the index.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bomb {

constexpr double kUnitTolerance = 1e-3;  // of a quaternion's norm

// Numbers beyond this (m, m/s, rad/s) come from a simulation that has blown up; their squares and
// products must not overflow.
constexpr double kLargest = 1e9;

// A number in words, as short as it is exact enough: 0.2, nan, 1e-05.
std::string describe(double value);

[[noreturn]] void refuse(const std::string& message);

// No NaN, no infinity, nothing beyond kLargest. `values` is the array `name` of the given shape, row by row.
void check_finite(const std::string& name, const std::vector<std::size_t>& shape, const double* values);

// As check_finite; besides, the last axis holds poses p(3), q(4, wxyz) with unit quaternions.
void check_poses(const std::string& name, const std::vector<std::size_t>& shape, const double* values);

void check_positive(const std::string& name, const std::vector<std::size_t>& shape, const double* values);

}  // namespace bomb
