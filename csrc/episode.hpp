// What an episode asks for: the goal, the colours, and how exact is exact enough.
#pragma once

#include <vector>

#include "grid.hpp"

namespace bomb {

// The limits of success and of the stage flags; core/judge/checker.py sets their values. Success keeps `<=`
// for all but clearance, which must be exceeded.
struct Tolerances {
  double distance;      // m, from the goal, horizontally
  double tilt;          // rad
  double gap;           // m, lowest point above or below the board's top
  double clearance;     // m, from either pad
  double speed;         // m/s
  double spin;          // rad/s
  double rest_time;     // s, slower than both without a break
  double displacement;  // m, of any other stone from where it started
  double reach;         // m, of a pad from a stone
  double lift;          // m, of the lowest point above its height at reset
  double drop;          // m, height of a stone above where it is to lie that makes letting go a drop
  double wrong_move;    // m, from its start, that counts as having moved a stone
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

// A marked rectangle of the table, in B: what a stone that leaves the board is taken to.
struct Region {
  double x, y;            // m, centre
  double half_x, half_y;  // m, half edges that a stone's centre must keep within
  double yaw;             // rad, of its edges from those of B
};

// An intersection of the board, or a region of the table, for a stone of a colour or one stone alone.
struct Goal {
  int color;
  int row = 0;
  int column = 0;
  int stone = -1;  // the one stone that is meant; -1: any of the colour
  bool on_table = false;
  Region region{};
};

// Everything the judge is told at construction but the layout; it never changes.
struct Episode {
  Grid grid;
  std::vector<int> colors;  // a Color for each stone
  Goal goal;
  Tolerances tolerances;

  int stones() const { return static_cast<int>(colors.size()); }
  bool of_color(int stone) const { return colors[stone] == goal.color; }
  bool named(int stone) const { return goal.stone < 0 ? of_color(stone) : stone == goal.stone; }
  double goal_x() const { return goal.on_table ? goal.region.x : grid.x(goal.column); }
  double goal_y() const { return goal.on_table ? goal.region.y : grid.y(goal.row); }
};

}  // namespace bomb
