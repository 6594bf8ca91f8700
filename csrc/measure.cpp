#include "measure.hpp"

#include <vector>

#include "distance.hpp"
#include "grip.hpp"

namespace bomb {
namespace {

// A touch is decided by "closer than kTouch": look just beyond it, stop as soon as it is certain.
constexpr Reach kTouchReach{kTouch * 1.01, kTouch};

double horizontal(double x, double y) { return std::sqrt(x * x + y * y); }

// The lowest point, in frame F, of the stone at X_FS.
Vec3 lowest_point(const ConvexHull& stone, const Pose& X_FS) {
  const Vec3 down_S{-X_FS.R.x.z, -X_FS.R.y.z, -X_FS.R.z.z};
  return X_FS * stone.support(down_S);
}

// Whether a stone at X_FS touches a slab whose top face is z = 0 of F; `low_F` is its lowest point.
// Resting well inside the face is decided in closed form, rims and undersides by the general method.
bool touches_slab(const ConvexHull& stone, const Pose& X_FS, const Vec3& low_F, const Box& slab) {
  const Vec3& h = slab.half_size;
  if (low_F.z > kTouch) return false;
  const double reach = stone.radius() + kTouch;
  const Vec3& c = X_FS.p;
  if (std::fabs(c.x) > h.x + reach || std::fabs(c.y) > h.y + reach || c.z < -2.0 * h.z - reach) return false;
  const bool inside_edges = std::fabs(low_F.x) <= h.x && std::fabs(low_F.y) <= h.y;
  if (inside_edges && low_F.z >= -2.0 * h.z) return true;
  const Pose X_FK{{}, {0.0, 0.0, -h.z}};
  return distance(stone, slab, inverse_times(X_FS, X_FK), kTouchReach) <= kTouch;
}

// Distances of one stone to one finger, and to its pad alone; both at most kDistanceCap.
struct FingerDistance {
  double finger;
  double pad;
};

FingerDistance distance_to_finger(const ConvexHull& stone, const Pose& X_WS, const FingerShape& finger,
                                  const Pose& X_WL) {
  FingerDistance result{kDistanceCap, kDistanceCap};
  const double reach = finger.radius + stone.radius() + kDistanceCap;
  const Vec3 between = X_WL * finger.centre_L - X_WS.p;
  if (dot(between, between) >= reach * reach) return result;
  const Pose X_LS = inverse_times(X_WL, X_WS);
  for (std::size_t k = finger.boxes.size(); k-- > 0;) {  // the pad, which is last, first
    const LinkBox& part = finger.boxes[k];
    const Vec3 centre_K = inverse_times(part.X_LK, X_LS.p);
    const double to_centre = norm(centre_K - nearest_point(part.box, centre_K));
    if (to_centre - stone.radius() >= result.finger) continue;
    const double here = distance(stone, part.box, inverse_times(X_LS, part.X_LK), {result.finger});
    result.finger = here;
    if (k + 1 == finger.boxes.size()) result.pad = here;
  }
  return result;
}

// A stone with its pose in the frames that the measures need.
struct PlacedStone {
  Pose X_WS;
  Pose X_BS;
  double neighbour_distance2 = 0.0;  // m^2, between centres, of its measure's `neighbour`
  Grip grip;
};

void measure_alone(const Scene& scene, const double* velocity, PlacedStone& placed, StoneMeasure& out) {
  const Pose& X_BS = placed.X_BS;
  const Vec3& p = X_BS.p;
  const Intersection nearest = scene.grid.nearest(p.x, p.y);
  const double dx = p.x - scene.grid.x(nearest.column);
  const double dy = p.y - scene.grid.y(nearest.row);
  out.position[0] = static_cast<float>(p.x);
  out.position[1] = static_cast<float>(p.y);
  out.position[2] = static_cast<float>(p.z);
  out.row = nearest.row;
  out.column = nearest.column;
  out.offset[0] = static_cast<float>(dx);
  out.offset[1] = static_cast<float>(dy);
  out.distance_mm = static_cast<float>(1000.0 * horizontal(dx, dy));
  const Vec3& axis = X_BS.R.z;  // atan2 of sine and cosine: exact near zero, where acos is not
  out.tilt = static_cast<float>(std::atan2(horizontal(axis.x, axis.y), std::fabs(axis.z)));
  out.speed = static_cast<float>(norm({velocity[0], velocity[1], velocity[2]}));
  out.spin = static_cast<float>(norm({velocity[3], velocity[4], velocity[5]}));

  const Vec3 low_B = lowest_point(scene.stone, X_BS);
  const Vec3& h = scene.board.half_size;
  const bool over_board = std::fabs(p.x) <= h.x && std::fabs(p.y) <= h.y;
  out.low = static_cast<float>(low_B.z);
  out.gap = out.low;
  out.over_board = over_board;
  out.touches = touches_slab(scene.stone, X_BS, low_B, scene.board) ? kBoard : 0;

  const double top = scene.table.half_size.z;
  const Vec3 p_TS = inverse_times(scene.X_WT, placed.X_WS.p);
  if (!over_board || p_TS.z - top <= scene.stone.radius() + kTouch) {
    Pose X_FS = inverse_times(scene.X_WT, placed.X_WS);  // F: the table's frame, moved up to its top face
    X_FS.p.z -= top;
    const Vec3 low_F = lowest_point(scene.stone, X_FS);
    if (!over_board) out.gap = static_cast<float>(low_F.z);
    if (touches_slab(scene.stone, X_FS, low_F, scene.table)) out.touches |= kTable;
  }
}

void measure_fingers(const Scene& scene, const Pose* X_WL, PlacedStone& placed, StoneMeasure& out) {
  const Pose& X_WS = placed.X_WS;
  const FingerDistance left = distance_to_finger(scene.stone, X_WS, scene.fingers[kLeft], X_WL[kLeft]);
  const FingerDistance right = distance_to_finger(scene.stone, X_WS, scene.fingers[kRight], X_WL[kRight]);
  out.left = static_cast<float>(left.finger);
  out.right = static_cast<float>(right.finger);
  out.pad_left = static_cast<float>(left.pad);
  out.pad_right = static_cast<float>(right.pad);
  if (left.finger <= kTouch) out.touches |= kLeftFinger;
  if (right.finger <= kTouch) out.touches |= kRightFinger;
  if (left.pad <= kTouch) out.touches |= kLeftPad;
  if (right.pad <= kTouch) out.touches |= kRightPad;
  placed.grip = grip_of(scene, X_WS, X_WL, out.touches);
  if (placed.grip.held()) out.touches |= kHeld;
  out.pinched = placed.grip.pinched ? 1 : 0;
}

void note_neighbour(StoneMeasure& out, PlacedStone& placed, int other, double distance2) {
  if (out.neighbour < 0 || distance2 < placed.neighbour_distance2) {
    out.neighbour = static_cast<std::int16_t>(other);
    placed.neighbour_distance2 = distance2;
  }
  ++out.neighbours;
  out.touches |= kStone;
}

void measure_pairs(const ConvexHull& stone, int count, PlacedStone* placed, StoneMeasure* out) {
  const double reach = 2.0 * stone.radius() + kTouch;
  for (int i = 0; i < count; ++i) {
    for (int k = i + 1; k < count; ++k) {
      const Vec3 between = placed[k].X_WS.p - placed[i].X_WS.p;
      const double distance2 = dot(between, between);
      if (distance2 > reach * reach) continue;
      const Pose X_IK = inverse_times(placed[i].X_WS, placed[k].X_WS);
      if (distance(stone, X_IK, kTouchReach) > kTouch) continue;
      note_neighbour(out[i], placed[i], k, distance2);
      note_neighbour(out[k], placed[k], i, distance2);
    }
  }
}

// Stones in a row between the pads hold one another: each end is pressed by one pad, and each stone presses
// the next within the grip's angle of the opening direction.
void measure_rows(const Scene& scene, const Pose* X_WL, int count, PlacedStone* placed, StoneMeasure* out) {
  bool left = false, right = false;
  for (int i = 0; i < count; ++i) {
    const bool in_touch = (out[i].touches & kStone) != 0 && (out[i].touches & kHeld) == 0;
    left = left || (in_touch && placed[i].grip.left);
    right = right || (in_touch && placed[i].grip.right);
  }
  if (!left || !right) return;  // almost always
  const Vec3 inwards = opening_direction(scene, X_WL);
  const double least = std::cos(kGripAngle);
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < count; ++i) {
      for (int k = 0; k < count; ++k) {  // i presses k to the right
        if ((placed[k].grip.left || !placed[i].grip.left) && (placed[i].grip.right || !placed[k].grip.right)) continue;
        const Vec3 way = placed[k].X_WS.p - placed[i].X_WS.p;
        if (i == k || dot(way, inwards) < least * norm(way)) continue;
        if (distance(scene.stone, inverse_times(placed[i].X_WS, placed[k].X_WS), kTouchReach) > kTouch) continue;
        changed = true;
        placed[k].grip.left = placed[k].grip.left || placed[i].grip.left;
        placed[i].grip.right = placed[i].grip.right || placed[k].grip.right;
      }
    }
  }
  for (int i = 0; i < count; ++i) {
    if (placed[i].grip.held()) out[i].touches |= kHeld;
  }
}

Status status_of(const StoneMeasure& stone) {
  const bool rests = (stone.touches & (kBoard | kTable)) != 0;
  if ((stone.touches & kHeld) != 0) return Status::kHeld;
  if ((stone.touches & kStone) != 0 && !rests) return Status::kStacked;
  if (rests && stone.tilt > kLeanLimit) return Status::kTilted;
  if ((stone.touches & kBoard) != 0) return Status::kOnBoard;
  if ((stone.touches & kTable) != 0) return Status::kOnTable;
  return Status::kOff;
}

}  // namespace

void measure(const Scene& scene, const StateView& state, StoneMeasure* out) {
  std::vector<PlacedStone> placed(state.stones);
  const Pose X_WL[2] = {pose_from(state.finger_poses), pose_from(state.finger_poses + 7)};
  for (int i = 0; i < state.stones; ++i) {
    placed[i].X_WS = pose_from(state.stone_poses + 7 * i);
    placed[i].X_BS = inverse_times(scene.X_WB, placed[i].X_WS);
    out[i] = StoneMeasure{};
    out[i].neighbour = -1;
    measure_alone(scene, state.stone_velocities + 6 * i, placed[i], out[i]);
    measure_fingers(scene, X_WL, placed[i], out[i]);
  }
  measure_pairs(scene.stone, state.stones, placed.data(), out);
  measure_rows(scene, X_WL, state.stones, placed.data(), out);
  for (int i = 0; i < state.stones; ++i) {
    out[i].status = static_cast<std::uint8_t>(status_of(out[i]));
    out[i].since = out[i].touches;
    out[i].high = (out[i].touches & kHeld) != 0 ? out[i].low : kNotHeld;
  }
}

}  // namespace bomb
