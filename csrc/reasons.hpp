// The closed lists of words in a verdict: why a placement failed, and how far it got.
#pragma once

namespace bomb {

// Why there is no success. The order is the order of a placement: the first that applies is *the*
// reason. "The stone" is the judged stone (verdict.hpp); it was *handled* once the pads held it or
// when it lies more than `wrong_move` from its start. From kLostBeforeLift to kNotClear only a handled
// stone is spoken of.
enum class Reason {
  kNone,                 // success
  kNeverReached,         // no pad came within `reach` of any stone
  kNeverTouched,         // no finger touched any stone
  kWrongColor,           // a stone of the other colour was put on the goal, or was the only colour grasped
  kWrongStone,           // as kWrongColor, with a stone of the colour that is not the one named
  kNeverGrasped,         // no stone was grasped: held between the pads at two control steps in a row
  kLostBeforeLift,       // the stone was held but never lifted: it slipped away, or was let go where it was
  kDropped,              // the stone left the pads more than `drop` above the board (region: above what is below)
  kStillHeld,            // the stone is held between the pads
  kOffBoard,             // the stone is not over the board; for a region: it fell from the table
  kStillMoving,          // the stone is not slow
  kStackedOrTilted,      // not held, over the board (region: table), but leaning, or not down on it
  kWrongIntersection,    // rests on the board beyond the tolerance, nearest to another intersection
  kBeyondTolerance,      // rests on the board nearest to the goal, but beyond the tolerance
  kOutsideRegion,        // rests on board or table, but not wholly in the region asked for
  kNotClear,             // a pad is within `clearance` of the stone, but does not hold it
  kKnockedAnotherStone,  // another stone lies more than `displacement` from its start
  kUnfinished,           // none of the above: all is right, but not yet for `rest_time`
};
constexpr const char* kReasonNames[] = {
    "none",
    "never_reached",
    "never_touched",
    "wrong_color",
    "wrong_stone",
    "never_grasped",
    "lost_before_lift",
    "dropped",
    "still_held",
    "off_board",
    "still_moving",
    "stacked_or_tilted",
    "wrong_intersection",
    "beyond_tolerance",
    "outside_region",
    "not_clear",
    "knocked_another_stone",
    "unfinished",
};

// What has happened so far. All are sticky: once true, true to the end of the episode. "The colour"
// is the named one, "the nearest" its stone nearest to the tool, horizontally, at reset.
enum Stage {
  kReached,   // a pad came within `reach` of a stone of the colour
  kTouched,   // a finger touched a stone of the colour
  kGrasped,   // a stone of the colour was held between the pads (grip.hpp) at two control steps in a row
  kLifted,    // while held, its lowest point was more than `lift` above where it was at reset
  kReleased,  // a stone of the colour that was held is clear of both pads, which had opened
  kPlaced,  // a stone of the colour was slow, upright, free and on the board within the tolerance of the goal
  kWrongStone,   // a stone of the other colour was grasped, or moved more than `wrong_move`
  kUsedNearest,  // the first stone of the colour to be grasped was the nearest
  kStages,
};
constexpr const char* kStageNames[] = {"reached",  "touched", "grasped",     "lifted",
                                       "released", "placed",  "wrong_stone", "used_nearest"};
constexpr int kLastStep = kPlaced;  // the stages up to here are steps on the way; the rest are remarks

// INT-ACT's metrics (github.com/ai4ce/INT-ACT, put_on_in_scene.py), on our terms: the source is
// the nearest; the end effector is the tool centre point; the target is a 22 mm square around the
// goal; a contact impulse is a touch, its direction the shortest way from finger to stone. Distances moved are horizontal, in B.
enum IntAct {
  kSourceIntention,  // sticky: a finger touched the source, or the tool came within 50 mm of its centre
  kGraspCorrect,     // sticky: both fingers touched the source within 60 degrees of the opening direction
  kMoveCorrect,      // now: the source has moved more than 30 mm and every other stone less than it
  kWrongObject,      // now: another stone has moved more than 30 mm and another more than the source
  kIntActSuccess,    // now: the source is on the target, and touches no stone and no table; it may be held
  kIntActs,
};
constexpr const char* kIntActNames[] = {"int_act/source_intention_correct", "int_act/grasp_correct",
                                        "int_act/move_correct", "int_act/wrong_object_attempt",
                                        "int_act/success"};

}  // namespace bomb
