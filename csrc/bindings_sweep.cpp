// core._checker: what happened between two control steps.
#include <algorithm>
#include <array>
#include <cmath>

#include "bindings.hpp"
#include "sweep.hpp"

namespace bomb {
namespace {

FingerChain make_chain(const py::object& placements, const py::object& axes) {
  const Numbers poses = numbers("placements", placements), directions = numbers("axes", axes);
  if (poses.shape != Shape{kJoints, 7}) refuse_shape("placements", "(9, 7)", poses.shape);
  if (directions.shape != Shape{kJoints, 3}) refuse_shape("axes", "(9, 3)", directions.shape);
  check_poses("placements", poses.shape, poses.data());
  check_finite("axes", directions.shape, directions.data());
  FingerChain chain;
  for (std::size_t k = 0; k < kJoints; ++k) {
    const double* a = directions.row(k);
    if (std::fabs(norm({a[0], a[1], a[2]}) - 1.0) > kUnitTolerance) {
      refuse("axes[" + std::to_string(k) + "]: must be of unit length");
    }
    chain.joints[k] = {pose_from(poses.row(k)), {a[0], a[1], a[2]}};
  }
  return chain;
}

constexpr const char* kFingersDoc = R"(Poses of both finger links in the world.

joint_positions: (K, 9), the arm (rad), then the left and the right finger (m).
Returns positions (K, 2, 3) and rotation matrices (K, 2, 3, 3), left then right.)";

py::tuple finger_poses(const FingerChain& chain, const py::object& joint_positions) {
  const Numbers joints = numbers("joint_positions", joint_positions);
  if (joints.rank() != 2 || joints.shape[1] != kJoints) refuse_shape("joint_positions", "(K, 9)", joints.shape);
  check_finite("joint_positions", joints.shape, joints.data());
  const auto count = static_cast<py::ssize_t>(joints.shape[0]);
  py::array_t<double> positions({count, py::ssize_t{2}, py::ssize_t{3}});
  py::array_t<double> rotations({count, py::ssize_t{2}, py::ssize_t{3}, py::ssize_t{3}});
  double *p = positions.mutable_data(), *R = rotations.mutable_data();
  for (std::size_t k = 0; k < joints.shape[0]; ++k) {
    for (const Pose& X : chain.fingers(joints.row(k))) {
      for (const double value : {X.p.x, X.p.y, X.p.z}) *p++ = value;
      const Mat3& M = X.R;
      for (const double value : {M.x.x, M.y.x, M.z.x, M.x.y, M.y.y, M.z.y, M.x.z, M.y.z, M.z.z}) *R++ = value;
    }
  }
  return py::make_tuple(positions, rotations);
}

constexpr const char* kSweepDoc = R"(Adds what happened since the control step before to the measures of this one.

chain: where the fingers are for given joint positions.
joint_positions: (K, 9), after each time step of the engine (rad, m).
stone_poses: (K, S, 7), after the same time steps; the last is what `after` measured.
before, after: (S,) of MEASURE_DTYPE.
Returns `after` with its last fields completed.
Raises ValueError as `measure` does.)";

Measures swept(const Scene& scene, const FingerChain& chain, const py::object& joint_positions,
               const py::object& stone_poses, const py::object& before, const py::object& after) {
  const Numbers joints = numbers("joint_positions", joint_positions), poses = numbers("stone_poses", stone_poses);
  const Copied<StoneMeasure> first = read_measures("before", before, 1, "(S,)");
  const Copied<StoneMeasure> last = read_measures("after", after, 1, "(S,)");
  const std::size_t stones = last.values.size();
  if (first.values.size() != stones) refuse_shape("before", "that of after", first.shape);
  if (poses.rank() != 3 || poses.shape[1] != stones || poses.shape[2] != 7) {
    refuse_shape("stone_poses", "(K, S, 7)", poses.shape);
  }
  if (joints.shape != Shape{poses.shape[0], kJoints}) refuse_shape("joint_positions", "(K, 9)", joints.shape);
  check_finite("joint_positions", joints.shape, joints.data());
  check_poses("stone_poses", poses.shape, poses.data());
  Measures result(static_cast<py::ssize_t>(stones));
  StoneMeasure* out = result.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    std::copy(last.values.begin(), last.values.end(), out);
    sweep(scene, chain, {poses.shape[0], static_cast<int>(stones), joints.data(), poses.data()},
          first.values.data(), out);
  }
  return result;
}

bool worth(const py::object& measures, const py::object& tool_position, double reach, double rise) {
  const Copied<StoneMeasure> rows = read_measures("measures", measures, 1, "(S,)");
  const std::vector<double> p = numbers("tool_position", tool_position, 3);
  const float tool_B[3] = {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])};
  return worth_tracing(rows.data(), static_cast<int>(rows.values.size()), tool_B, reach, rise);
}

constexpr const char* kWorthDoc =
    R"(Whether a finger may touch a stone in the coming control step, or take one up that it holds. In that step a
finger moves by `reach` (m) at most, and the tool goes up by `rise` (m) at most.)";

}  // namespace

void bind_sweep(py::module_& m, py::class_<Scene>& geometry) {
  py::class_<FingerChain>(m, "FingerChain", "Seven revolute joints in a row, and two fingers at their end.")
      .def(py::init(&make_chain), py::kw_only(), py::arg("placements"), py::arg("axes"),
           "placements: (9, 7), each joint in the one before it; axes: (9, 3), unit, in its own frame.")
      .def("fingers", &finger_poses, py::arg("joint_positions"), kFingersDoc);
  geometry.def("sweep", &swept, py::arg("chain"), py::arg("joint_positions"), py::arg("stone_poses"),
               py::arg("before"), py::arg("after"), kSweepDoc);
  m.def("worth_tracing", &worth, py::arg("measures"), py::arg("tool_position"), py::arg("reach"),
        py::arg("rise"), kWorthDoc);
}

}  // namespace bomb
