// What an episode asks for: the goal, the colours, and how exact is exact enough.
#pragma once

#include <vector>

#include "grid.hpp"

namespace bomb {

// The limits of success and of the stage flags. Success keeps `<=` for all but clearance, which
// must be exceeded.
struct Tolerances {
  double distance = 0.010;            // m, from the goal, horizontally
  double tilt = 0.17453292519943295;  // rad (10 degrees)
  double gap = 0.001;                 // m, lowest point above or below the board's top
  double clearance = 0.001;           // m, from either pad
  double speed = 0.005;               // m/s
  double spin = 0.5;                  // rad/s
  double rest_time = 0.5;             // s, slower than both without a break
  double displacement = 0.010;        // m, of any other stone from where it started
  double reach = 0.015;               // m, of a pad from a stone
  double lift = 0.020;                // m, of the lowest point above its height at reset
  double drop = 0.010;                // m, air below a stone that makes letting go a drop
  double wrong_move = 0.010;          // m, from its start, that counts as having moved a stone
};

struct ToleranceField {
  const char* name;
  double Tolerances::* value;
};
constexpr ToleranceField kToleranceFields[] = {
    {"distance", &Tolerances::distance},
    {"tilt", &Tolerances::tilt},
    {"gap", &Tolerances::gap},
    {"clearance", &Tolerances::clearance},
    {"speed", &Tolerances::speed},
    {"spin", &Tolerances::spin},
    {"rest_time", &Tolerances::rest_time},
    {"displacement", &Tolerances::displacement},
    {"reach", &Tolerances::reach},
    {"lift", &Tolerances::lift},
    {"drop", &Tolerances::drop},
    {"wrong_move", &Tolerances::wrong_move},
};

enum Color { kBlack = 1, kWhite = 2 };

struct Goal {
  int color;
  int row;
  int column;
};

// Everything the judge is told at construction but the layout; it never changes.
struct Episode {
  Grid grid;
  std::vector<int> colors;  // a Color for each stone
  Goal goal;
  Tolerances tolerances;

  int stones() const { return static_cast<int>(colors.size()); }
  bool named(int stone) const { return colors[stone] == goal.color; }
};

}  // namespace bomb
