// EpisodeJudge: folds the measures of an episode into a verdict. It sees nothing but the stored
// numbers (float32 measures, time, tool, opening), so a stored series replays to the same verdict.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "episode.hpp"
#include "measure.hpp"
#include "verdict.hpp"

namespace bomb {

// The gripper and the clock, beside the measures of one control step.
struct Moment {
  double time;      // s
  float tool_B[3];  // m, tool centre point in B
  float opening;    // 0 closed, 1 open
};

// How a stone stands to the gripper.
enum class Hold : std::uint8_t {
  kNever,    // it has not been held
  kNow,      // it is held
  kLoose,    // it was, and it does not show yet how that ended
  kLetGo,    // the gripper opened
  kSlipped,  // it came free of a gripper that did not open
};

// What the judge remembers of one stone. Plain data, stored as is by get_state.
struct StoneRecord {
  double slow_since = std::numeric_limits<double>::infinity();  // s; infinity: not slow now
  float closest_pad = static_cast<float>(kDistanceCap);         // m, so far
  float height_at_grasp = 0.0F;                                 // m, at the last control step it was held
  float opening_at_grasp = 0.0F;                                // at the same moment
  std::uint8_t touched = 0;                                     // by a finger, ever
  std::uint8_t grasped = 0;                                     // held at two control steps in a row, ever
  std::uint8_t lifted = 0;                                      // more than `lift` while held, once grasped
  Hold hold = Hold::kNever;
};

class EpisodeJudge {
 public:
  // `layout` holds the measures of the reset state, one per stone; `tool_B` is the tool centre
  // point then. Throws std::invalid_argument if they contradict the episode, or if a stone already
  // lies within the tolerance of the goal.
  EpisodeJudge(Episode episode, std::vector<StoneMeasure> layout, const std::array<float, 3>& tool_B);

  // One control step. `measures` has one row per stone. Time must not run backwards.
  void update(const Moment& moment, const StoneMeasure* measures);

  // What can be said now. Before the first update: of the layout.
  Verdict verdict() const;

  // This episode as it stood at reset.
  EpisodeJudge restarted() const { return EpisodeJudge(episode_, layout_, tool_at_reset_); }

  bool success() const { return placed_ >= 0; }
  bool success_once() const { return success_once_; }
  const Episode& episode() const { return episode_; }

  // The whole memory, layout included, as bytes; see judge_state.cpp. A state goes into any judge of
  // the same stones, goal and tolerances; set_state throws std::invalid_argument for any other.
  std::string get_state() const;
  void set_state(const std::string& bytes);

 private:
  template <typename Archive>
  void archive(Archive& archive);
  void check_layout() const;
  void check_measures(const StoneMeasure* measures) const;
  void find_source();
  void note_stone(int stone, const Moment& moment);
  void note_hold(StoneRecord& record, const StoneMeasure& measure, float opening);
  void note_int_act(const Moment& moment);
  int succeeding_stone() const;

  // Facts about one stone now (verdict.cpp).
  double goal_distance(int stone) const;  // m, horizontal; from the middle of a region
  bool within_goal(const StoneMeasure& measure) const;  // horizontally
  double displacement(int stone) const;   // m, from its start
  double shift(int stone) const;          // m, the same without height
  bool rests_on_board(int stone) const;
  bool rests_on_table(int stone) const;
  bool rests_where_asked(int stone) const;  // on the table for a region, else on the board
  bool free_of_pads(int stone) const;
  bool held(int stone) const;
  bool slow(int stone) const;
  bool placed(int stone) const;  // all that success asks of the stone itself, but resting long enough
  bool rested(int stone) const;
  bool handled(int stone) const;
  bool others_in_place(int stone) const;
  int judged_stone() const;
  bool before(int a, int b) const;  // whether stone a is judged rather than b, if none succeeds
  std::vector<Reason> reasons(int judged) const;
  bool applies(Reason reason, int judged) const;
  bool done_with_another(bool of_color) const;
  std::vector<std::uint8_t> occupancy() const;
  std::array<bool, kIntActs> int_act() const;

  Episode episode_;
  std::vector<StoneMeasure> layout_;
  std::array<float, 3> tool_at_reset_;
  std::vector<double> tool_distance_;  // m, horizontal, of each stone at reset
  int source_ = -1;                    // the stone of the colour with the least of them

  bool started_ = false;
  double time_ = 0.0;
  float opening_ = 1.0F;  // of the gripper, at the last update
  std::vector<StoneMeasure> now_;
  std::vector<StoneRecord> records_;
  std::array<bool, kStages> stages_{};
  bool source_intended_ = false;
  bool source_pinched_ = false;  // as INT-ACT has it
  int first_grasped_ = -1;  // of the named colour
  int placed_ = -1;         // the stone that succeeds now
  bool success_once_ = false;
};

}  // namespace bomb
