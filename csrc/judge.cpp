#include "judge.hpp"

#include <cmath>
#include <utility>

#include "check.hpp"

namespace bomb {
namespace {

// INT-ACT: the tool this close to the source's centre shows the intention (m).
constexpr double kIntentionDistance = 0.05;

// A gripper has opened, or shut, once its opening changed by this since it held the stone (about 1 mm of 48).
constexpr float kOpened = 0.02F;

float least(float a, float b) { return b < a ? b : a; }

}  // namespace

EpisodeJudge::EpisodeJudge(Episode episode, std::vector<StoneMeasure> layout,
                           const std::array<float, 3>& tool_B)
    : episode_(std::move(episode)), layout_(std::move(layout)), tool_at_reset_(tool_B) {
  check_layout();
  now_ = layout_;
  records_.resize(layout_.size());
  find_source();
}

void EpisodeJudge::check_layout() const {
  const Goal& goal = episode_.goal;
  const int size = episode_.grid.size;
  if (goal.color != kBlack && goal.color != kWhite) {
    refuse("goal_color: " + std::to_string(goal.color) + ", must be 1 (black) or 2 (white)");
  }
  if (goal.on_table) {
    const double edges[] = {goal.region.half_x, goal.region.half_y};
    check_positive("region half size", {2}, edges);
  }
  if (goal.stone < -1 || goal.stone >= episode_.stones()) {
    refuse("goal_stone: " + std::to_string(goal.stone) + ", must be one of " +
           std::to_string(episode_.stones()) + " stones, or -1 for any of the colour");
  }
  if (!goal.on_table && (goal.row < 0 || goal.row >= size)) {
    refuse("goal_row: " + std::to_string(goal.row) + ", must be 0 to " + std::to_string(size - 1));
  }
  if (!goal.on_table && (goal.column < 0 || goal.column >= size)) {
    refuse("goal_column: " + std::to_string(goal.column) + ", must be 0 to " + std::to_string(size - 1));
  }
  if (static_cast<int>(layout_.size()) != episode_.stones()) {
    refuse("layout: " + std::to_string(layout_.size()) + " stones, but colors has " +
           std::to_string(episode_.stones()));
  }
  bool any_named = false;
  for (int i = 0; i < episode_.stones(); ++i) {
    const int color = episode_.colors[i];
    if (color != kBlack && color != kWhite) {
      refuse("colors[" + std::to_string(i) + "]: " + std::to_string(color) +
             ", must be 1 (black) or 2 (white)");
    }
    any_named = any_named || episode_.named(i);
  }
  if (!any_named) refuse("colors: no stone of the named colour " + std::to_string(goal.color));
  if (goal.stone >= 0 && !episode_.of_color(goal.stone)) {
    refuse("goal_stone: stone " + std::to_string(goal.stone) + " is not of the named colour");
  }
  check_measures(layout_.data());
  for (int i = 0; i < episode_.stones(); ++i) {
    // A region may hold stones that were taken there before, but not the one that is meant.
    if ((!goal.on_table || goal.stone == i) && within_goal(layout_[i])) {
      refuse("layout[" + std::to_string(i) + "]: lies on the goal already");
    }
  }
}

void EpisodeJudge::check_measures(const StoneMeasure* measures) const {
  for (int i = 0; i < episode_.stones(); ++i) {
    const StoneMeasure& m = measures[i];
    const float sum = std::fabs(m.position[0]) + std::fabs(m.position[1]) + std::fabs(m.position[2]) +
                      std::fabs(m.tilt) + std::fabs(m.low) + std::fabs(m.gap) + std::fabs(m.pad_left) +
                      std::fabs(m.pad_right) + std::fabs(m.speed) + std::fabs(m.spin) + std::fabs(m.high);
    if (!std::isfinite(sum)) refuse("measures[" + std::to_string(i) + "]: a value is not finite");
    const int size = episode_.grid.size;
    if (m.row < 0 || m.row >= size || m.column < 0 || m.column >= size) {
      refuse("measures[" + std::to_string(i) + "]: intersection (" + std::to_string(m.row) + ", " +
             std::to_string(m.column) + ") is not on a board of size " + std::to_string(size));
    }
  }
}

void EpisodeJudge::find_source() {
  tool_distance_.clear();
  source_ = -1;
  for (int i = 0; i < episode_.stones(); ++i) {
    const double dx = layout_[i].position[0] - tool_at_reset_[0];
    const double dy = layout_[i].position[1] - tool_at_reset_[1];
    tool_distance_.push_back(std::sqrt(dx * dx + dy * dy));
  }
  // A stone that lies on the board at reset is part of the game; it is meant only if there is no other.
  for (const bool on_board : {false, true}) {
    for (int i = 0; i < episode_.stones(); ++i) {
      if (!episode_.named(i) || (layout_[i].over_board != 0) != on_board) continue;
      if (source_ < 0 || tool_distance_[i] < tool_distance_[source_]) source_ = i;
    }
    if (source_ >= 0) return;
  }
}

void EpisodeJudge::update(const Moment& moment, const StoneMeasure* measures) {
  for (const double value : {moment.time, double{moment.tool_B[0]}, double{moment.tool_B[1]},
                             double{moment.tool_B[2]}, double{moment.opening}}) {
    if (!std::isfinite(value)) refuse("update: time, tool position and opening must be finite");
  }
  if (started_ && moment.time < time_) {
    refuse("time: " + describe(moment.time) + ", must not be before the last update at " + describe(time_));
  }
  check_measures(measures);
  started_ = true;
  time_ = moment.time;
  now_.assign(measures, measures + episode_.stones());
  for (int i = 0; i < episode_.stones(); ++i) note_stone(i, moment);
  stages_[kUsedNearest] = first_grasped_ >= 0 && first_grasped_ == source_;
  note_int_act(moment);
  placed_ = succeeding_stone();
  success_once_ = success_once_ || placed_ >= 0;
  opening_ = moment.opening;
}

void EpisodeJudge::note_hold(StoneRecord& record, const StoneMeasure& m, float opening) {
  if ((m.touches & kHeld) != 0) {
    record.hold = Hold::kNow;
    // A stone that is let go at the board's height beside the board was carried to the wrong place: that it then
    // falls by the board's thickness is no drop. So heights are those above the board's top, where the goal is.
    record.height_at_grasp = episode_.goal.on_table ? m.gap : m.low;
    record.opening_at_grasp = opening;
    return;
  }
  if ((m.since & kHeld) != 0) {  // caught and lost between two control steps
    if (record.hold != Hold::kNow) record.opening_at_grasp = opening_;
    record.hold = Hold::kLoose;
  }
  if (record.hold == Hold::kNow) record.hold = Hold::kLoose;
  if (record.hold != Hold::kLoose) return;
  const double clearance = episode_.tolerances.clearance;
  const bool free = m.pad_left > clearance && m.pad_right > clearance;
  if (opening > record.opening_at_grasp + kOpened) {
    record.hold = Hold::kLetGo;
  } else if (free || opening < record.opening_at_grasp - kOpened) {
    record.hold = Hold::kSlipped;
  }
}

void EpisodeJudge::note_stone(int stone, const Moment& moment) {
  const Tolerances& limit = episode_.tolerances;
  const StoneMeasure& m = now_[stone];
  StoneRecord& record = records_[stone];
  if (!slow(stone)) {
    record.slow_since = std::numeric_limits<double>::infinity();
  } else if (record.slow_since > moment.time) {
    record.slow_since = moment.time;
  }
  record.closest_pad = least(record.closest_pad, least(m.pad_left, m.pad_right));
  const std::uint8_t since = m.touches | m.since;
  if ((since & kBothPads) != 0) record.closest_pad = 0.0F;
  if ((since & kFingers) != 0) record.touched = 1;
  // A stone on its way out of a closing gripper is within the friction cone for a moment: that is no grasp. One is
  // held at two control steps in a row.
  if ((m.touches & kHeld) != 0 && record.hold == Hold::kNow) record.grasped = 1;
  note_hold(record, m, moment.opening);
  const float height = (m.touches & kHeld) != 0 && m.low > m.high ? m.low : m.high;
  if (record.grasped != 0 && static_cast<double>(height) - layout_[stone].low > limit.lift) record.lifted = 1;

  if (!episode_.named(stone)) {
    stages_[kWrongStone] |= record.grasped != 0 || displacement(stone) > limit.wrong_move;
    return;
  }
  if (record.grasped != 0 && first_grasped_ < 0) first_grasped_ = stone;
  stages_[kReached] |= record.closest_pad <= limit.reach;
  stages_[kTouched] |= record.touched != 0;
  stages_[kGrasped] |= record.grasped != 0;
  stages_[kLifted] |= record.lifted != 0;
  stages_[kReleased] |= record.grasped != 0 && record.hold == Hold::kLetGo && free_of_pads(stone);
  stages_[kPlaced] |= placed(stone) && slow(stone);
}

void EpisodeJudge::note_int_act(const Moment& moment) {
  const StoneMeasure& m = now_[source_];
  const double dx = moment.tool_B[0] - m.position[0];
  const double dy = moment.tool_B[1] - m.position[1];
  const double dz = moment.tool_B[2] - m.position[2];
  const bool near = std::sqrt(dx * dx + dy * dy + dz * dz) < kIntentionDistance;
  source_intended_ = source_intended_ || near || ((m.touches | m.since) & kFingers) != 0;
  source_pinched_ = source_pinched_ || m.pinched != 0;
}

int EpisodeJudge::succeeding_stone() const {
  int best = -1;
  for (int i = 0; i < episode_.stones(); ++i) {
    if (!episode_.named(i) || !placed(i) || !rested(i) || !others_in_place(i)) continue;
    if (best < 0 || goal_distance(i) < goal_distance(best)) best = i;
  }
  return best;
}

}  // namespace bomb
