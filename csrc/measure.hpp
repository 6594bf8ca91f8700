// `measure`: the geometry of one state, stone by stone. No history and no goal: see judge.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scene.hpp"

namespace bomb {

// Bits of StoneMeasure::touches.
enum Touch : std::uint8_t {
  kBoard = 1,
  kTable = 2,
  kStone = 4,
  kLeftFinger = 8,
  kRightFinger = 16,
  kLeftPad = 32,
  kRightPad = 64,
  kHeld = 128,  // held between the pads; see grip.hpp
  kBothPads = kLeftPad | kRightPad,
  kFingers = kLeftFinger | kRightFinger,
};

// Where a stone is, the first that applies.
enum class Status : std::uint8_t {
  kHeld,     // held between the pads
  kStacked,  // touches another stone, and neither board nor table
  kTilted,   // touches board or table, and leans more than kLeanLimit
  kOnBoard,  // touches the board
  kOnTable,  // touches the table
  kOff,      // touches none of them: in the air, or fallen from the table
};
constexpr const char* kStatusNames[] = {"held", "stacked", "tilted", "on_board", "on_table", "off"};

// `high` of a stone that was not held (m): far below all that a board stands on.
constexpr float kNotHeld = -1000.0F;

// One stone in one state: a row of the array that Python sees. No padding: 76 bytes, little-endian.
// The last four fields are about the time since the control step before, this moment included. `measure`
// knows this moment alone; sweep.hpp adds what happened in between.
struct StoneMeasure {
  float position[3];       // m, centre of mass in B
  float offset[2];         // m, x and y from the nearest intersection, in B
  float distance_mm;       // mm, length of `offset`
  float tilt;              // rad, between stone axis and board normal, 0 to pi/2 (either face up)
  float low;               // m, z_B of the lowest point
  float gap;               // m, lowest point above the board if over_board, else above the table top
  float left;              // m, distance to the left finger, at most kDistanceCap; 0 if they overlap
  float right;             // m, to the right finger
  float pad_left;          // m, the same to the pad of the left finger alone
  float pad_right;         // m, to the pad of the right finger
  float speed;             // m/s
  float spin;              // rad/s
  std::int16_t neighbour;  // the stone it touches; of several the one with the nearest centre; -1 none
  std::int8_t row;         // nearest intersection, kept on the board
  std::int8_t column;
  std::uint8_t touches;     // bits of Touch: closer than kTouch
  std::uint8_t neighbours;  // how many stones it touches
  std::uint8_t status;      // a Status
  std::uint8_t over_board;  // 1 if the centre of mass is above (or below) the board's top face
  float high;               // m, the greatest z_B of its lowest point while it was held; kNotHeld: it was not
  std::uint8_t since;       // bits of Touch that were set
  std::uint8_t pinched;     // 1 if it was pinched as INT-ACT has it; see grip.hpp
  std::uint8_t swept;       // 1 if the states in between were looked at
  std::uint8_t spare;       // 0
};
static_assert(sizeof(StoneMeasure) == 76, "StoneMeasure must have no padding");

constexpr int kMaxStones = 255;  // `neighbours` is one byte

// One state: rows of numbers as Python hands them over. Valid (see check.hpp).
struct StateView {
  int stones;
  const double* stone_poses;       // (stones, 7)
  const double* stone_velocities;  // (stones, 6), linear then angular, in W
  const double* finger_poses;      // (2, 7), left then right
};

// Fills `out[0 .. state.stones)`.
void measure(const Scene& scene, const StateView& state, StoneMeasure* out);

}  // namespace bomb
