// The intersections of the board, in its frame B.
//
//        column 0   1   2   3   4
//   row 0     +---+---+---+---+      y_B
//   row 1     +---+---+---+---+       ^
//   row 2     +---+---o---+---+       |      o: origin of B, on the board's top surface
//   row 3     +---+---+---+---+       +--> x_B      z_B points up, at the reader
//   row 4     +---+---+---+---+
#pragma once

#include <cmath>
#include <cstdint>

namespace bomb {

struct Intersection {
  std::int8_t row;
  std::int8_t column;
};

struct Grid {
  int size = 0;        // intersections along an edge
  double pitch = 0.0;  // m between neighbours

  // Coordinates of a row or column in B (m).
  double x(int column) const { return (column - 0.5 * (size - 1)) * pitch; }
  double y(int row) const { return (0.5 * (size - 1) - row) * pitch; }

  // The intersection nearest to (x_B, y_B); a point outside the grid gets one on its edge.
  Intersection nearest(double x_B, double y_B) const {
    const double half = 0.5 * (size - 1);
    return {index(half - y_B / pitch), index(half + x_B / pitch)};
  }

 private:
  std::int8_t index(double coordinate) const {
    const double last = size - 1;
    const double inside = coordinate > 0.0 ? (coordinate < last ? coordinate : last) : 0.0;
    return static_cast<std::int8_t>(static_cast<int>(inside + 0.5));
  }
};

}  // namespace bomb
