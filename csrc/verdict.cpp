// The second half of EpisodeJudge: what follows from its memory at one moment.
#include <cmath>

#include "judge.hpp"

namespace bomb {
namespace {

// INT-ACT's limits: what counts as moved, the slack of "on the target", the air below it (m).
constexpr double kIntActMoved = 0.03;
constexpr double kIntActHalfTarget = 0.011;
constexpr double kIntActSlack = 0.003;
constexpr double kIntActGap = 0.02;

// Times are sums of control steps: a rest of exactly rest_time may come out a rounding short (s).
constexpr double kTimeSlack = 1e-6;

double length(double x, double y) { return std::sqrt(x * x + y * y); }

}  // namespace

double EpisodeJudge::goal_distance(int stone) const {
  const float* p = now_[stone].position;
  return length(p[0] - episode_.goal_x(), p[1] - episode_.goal_y());
}

bool EpisodeJudge::within_goal(const StoneMeasure& measure) const {
  const double dx = measure.position[0] - episode_.goal_x(), dy = measure.position[1] - episode_.goal_y();
  if (!episode_.goal.on_table) return length(dx, dy) <= episode_.tolerances.distance;
  const Region& region = episode_.goal.region;
  const double c = std::cos(region.yaw), s = std::sin(region.yaw);
  return measure.over_board == 0 && std::fabs(c * dx + s * dy) <= region.half_x &&
         std::fabs(c * dy - s * dx) <= region.half_y;
}

double EpisodeJudge::shift(int stone) const {
  const float *p = now_[stone].position, *start = layout_[stone].position;
  return length(static_cast<double>(p[0]) - start[0], static_cast<double>(p[1]) - start[1]);
}

double EpisodeJudge::displacement(int stone) const {
  return length(shift(stone), static_cast<double>(now_[stone].position[2]) - layout_[stone].position[2]);
}

bool EpisodeJudge::rests_on_board(int stone) const {
  return now_[stone].over_board != 0 && std::fabs(now_[stone].low) <= episode_.tolerances.gap;
}

bool EpisodeJudge::rests_on_table(int stone) const {
  return now_[stone].over_board == 0 && std::fabs(now_[stone].gap) <= episode_.tolerances.gap;
}

bool EpisodeJudge::rests_where_asked(int stone) const {
  return episode_.goal.on_table ? rests_on_table(stone) : rests_on_board(stone);
}

bool EpisodeJudge::free_of_pads(int stone) const {
  const double clearance = episode_.tolerances.clearance;
  return now_[stone].pad_left > clearance && now_[stone].pad_right > clearance;
}

bool EpisodeJudge::held(int stone) const { return (now_[stone].touches & kHeld) != 0; }

bool EpisodeJudge::slow(int stone) const {
  return now_[stone].speed <= episode_.tolerances.speed && now_[stone].spin <= episode_.tolerances.spin;
}

bool EpisodeJudge::placed(int stone) const {
  return within_goal(now_[stone]) && now_[stone].tilt <= episode_.tolerances.tilt &&
         rests_where_asked(stone) && free_of_pads(stone);
}

bool EpisodeJudge::rested(int stone) const {
  return time_ - records_[stone].slow_since >= episode_.tolerances.rest_time - kTimeSlack;
}

bool EpisodeJudge::handled(int stone) const {
  return records_[stone].grasped != 0 || displacement(stone) > episode_.tolerances.wrong_move;
}

bool EpisodeJudge::others_in_place(int stone) const {
  for (int i = 0; i < episode_.stones(); ++i) {
    if (i != stone && displacement(i) > episode_.tolerances.displacement) return false;
  }
  return true;
}

int EpisodeJudge::judged_stone() const {
  if (placed_ >= 0) return placed_;
  int best = source_;
  for (int i = 0; i < episode_.stones(); ++i) {
    if (episode_.named(i) && i != best && before(i, best)) best = i;
  }
  return best;
}

bool EpisodeJudge::before(int a, int b) const {
  const auto grip = [this](int stone) {
    return held(stone) ? 3 : (records_[stone].lifted != 0 ? 2 : (records_[stone].grasped != 0 ? 1 : 0));
  };
  if (grip(a) != grip(b)) return grip(a) > grip(b);
  const double limit = episode_.tolerances.wrong_move;
  const bool a_moved = displacement(a) > limit, b_moved = displacement(b) > limit;
  if (a_moved != b_moved) return a_moved;
  if (a_moved && goal_distance(a) != goal_distance(b)) return goal_distance(a) < goal_distance(b);
  const float a_pad = records_[a].closest_pad, b_pad = records_[b].closest_pad;
  if (a_pad != b_pad) return a_pad < b_pad;
  if (tool_distance_[a] != tool_distance_[b]) return tool_distance_[a] < tool_distance_[b];
  return a < b;
}

bool EpisodeJudge::done_with_another(bool of_color) const {
  bool other_grasped = false, other_on_goal = false;
  for (int i = 0; i < episode_.stones(); ++i) {
    if (episode_.named(i) || episode_.of_color(i) != of_color) continue;
    other_grasped = other_grasped || records_[i].grasped != 0;
    other_on_goal = other_on_goal || (displacement(i) > episode_.tolerances.wrong_move &&
                                      rests_where_asked(i) && within_goal(now_[i]));
  }
  return other_on_goal || (other_grasped && !stages_[kGrasped]);
}

bool EpisodeJudge::applies(Reason reason, int judged) const {
  const Tolerances& limit = episode_.tolerances;
  const StoneMeasure& m = now_[judged];
  const StoneRecord& record = records_[judged];
  const bool handled = this->handled(judged);
  const bool on_table = episode_.goal.on_table;
  const bool fallen = m.over_board == 0 && m.gap < -limit.gap;  // from the table
  const bool outside = handled && !within_goal(m);
  const bool rests_astray = outside && !on_table && rests_on_board(judged);
  const bool lost = record.grasped != 0 && !held(judged) && !placed(judged);
  const bool slipped = record.hold == Hold::kSlipped || record.hold == Hold::kLoose;
  const bool fell = record.height_at_grasp > limit.drop;
  const bool nearest_goal = m.row == episode_.goal.row && m.column == episode_.goal.column;
  bool reached = false, touched = false, grasped = false;  // any stone
  for (const StoneRecord& any : records_) {
    reached = reached || any.closest_pad <= limit.reach;
    touched = touched || any.touched != 0;
    grasped = grasped || any.grasped != 0;
  }
  switch (reason) {
    case Reason::kNeverReached: return !reached;
    case Reason::kNeverTouched: return !touched;
    case Reason::kNeverGrasped: return !grasped;
    case Reason::kLostBeforeLift:
      return lost && record.lifted == 0 && !fell && !fallen && (slipped || !rests_where_asked(judged));
    case Reason::kDropped: return lost && fell && free_of_pads(judged);
    case Reason::kStillHeld: return held(judged);
    case Reason::kStillMoving: return handled && !slow(judged);
    case Reason::kOffBoard: return handled && m.over_board == 0 && (!on_table || fallen);
    case Reason::kStackedOrTilted:
      return handled && !held(judged) && (m.over_board != 0) != on_table && !fallen &&
             (m.tilt > limit.tilt || !rests_where_asked(judged));
    case Reason::kWrongColor: return done_with_another(false);
    case Reason::kWrongStone: return done_with_another(true);
    case Reason::kOutsideRegion:
      return outside && on_table && (rests_on_table(judged) || rests_on_board(judged));
    case Reason::kWrongIntersection: return rests_astray && !nearest_goal;
    case Reason::kBeyondTolerance: return rests_astray && nearest_goal;
    case Reason::kNotClear: return handled && !held(judged) && !free_of_pads(judged);
    case Reason::kKnockedAnotherStone: return !others_in_place(judged);
    case Reason::kNone:
    case Reason::kUnfinished: return false;
  }
  return false;
}

std::vector<Reason> EpisodeJudge::reasons(int judged) const {
  std::vector<Reason> result;
  if (success()) return result;
  for (int k = static_cast<int>(Reason::kNeverReached); k < static_cast<int>(Reason::kUnfinished); ++k) {
    if (applies(static_cast<Reason>(k), judged)) result.push_back(static_cast<Reason>(k));
  }
  if (result.empty()) result.push_back(Reason::kUnfinished);
  return result;
}

std::vector<std::uint8_t> EpisodeJudge::occupancy() const {
  const int size = episode_.grid.size;
  std::vector<std::uint8_t> colors(static_cast<std::size_t>(size) * size, 0);
  std::vector<float> nearest(colors.size(), std::numeric_limits<float>::infinity());
  for (int i = 0; i < episode_.stones(); ++i) {
    const StoneMeasure& m = now_[i];
    const std::size_t cell = static_cast<std::size_t>(m.row) * size + m.column;
    if (!rests_on_board(i) || !(m.distance_mm < nearest[cell])) continue;
    nearest[cell] = m.distance_mm;
    colors[cell] = static_cast<std::uint8_t>(episode_.colors[i]);
  }
  return colors;
}

std::array<bool, kIntActs> EpisodeJudge::int_act() const {
  const StoneMeasure& source = now_[source_];
  const double moved = shift(source_);
  bool other_moved = false, other_farther = false, others_less = true;
  for (int i = 0; i < episode_.stones(); ++i) {
    if (i == source_) continue;
    const double other = shift(i);
    other_moved = other_moved || other > kIntActMoved;
    other_farther = other_farther || other > moved;
    others_less = others_less && other < moved;
  }
  const bool above_target =
      goal_distance(source_) <= length(kIntActHalfTarget, kIntActHalfTarget) + kIntActSlack &&
      source.position[2] > 0.0F && source.low <= kIntActGap && (source.touches & (kTable | kStone)) == 0;
  const bool above_region =
      within_goal(source) && source.gap <= kIntActGap && (source.touches & (kBoard | kStone)) == 0;
  const bool on_target = episode_.goal.on_table ? above_region : above_target;
  std::array<bool, kIntActs> result{};
  result[kSourceIntention] = source_intended_;
  result[kGraspCorrect] = source_pinched_;
  result[kMoveCorrect] = moved > kIntActMoved && others_less;
  result[kWrongObject] = other_moved && other_farther;
  result[kIntActSuccess] = on_target;
  return result;
}

Verdict EpisodeJudge::verdict() const {
  const int judged = judged_stone();
  const StoneMeasure& m = now_[judged];
  Verdict verdict;
  verdict.success = success();
  verdict.success_once = success_once_;
  verdict.reasons = reasons(judged);
  verdict.stone = judged;
  verdict.distance_mm = 1000.0 * goal_distance(judged);
  verdict.offset_mm[0] = 1000.0 * (m.position[0] - episode_.goal_x());
  verdict.offset_mm[1] = 1000.0 * (m.position[1] - episode_.goal_y());
  verdict.tilt = m.tilt;
  for (int i = 0; i < episode_.stones(); ++i) {
    if (i != judged) verdict.others_moved_mm = std::fmax(verdict.others_moved_mm, 1000.0 * displacement(i));
  }
  verdict.size = episode_.grid.size;
  verdict.occupancy = occupancy();
  verdict.stages = stages_;
  verdict.int_act = int_act();
  return verdict;
}

}  // namespace bomb
