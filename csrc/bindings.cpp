// core._checker: the module, and measuring. Shapes are checked here; then plain pointers go to the
// checker with the interpreter's lock released.
#include "bindings.hpp"

namespace bomb {
namespace {

Pose read_pose(const char* name, const py::object& value) {
  const Doubles array = numbers(name, value, 7);
  check_poses(name, {7}, array.data());
  return pose_from(array.data());
}

Box read_box(const char* name, const py::object& value) {
  const Doubles array = numbers(name, value, 3);
  check_positive(name, {3}, array.data());
  return {{array.at(0), array.at(1), array.at(2)}};
}

ConvexHull read_hull(const py::object& value) {
  const Doubles array = doubles("stone_hull", value);
  if (array.ndim() != 2 || array.shape(1) != 3) refuse_shape("stone_hull", "(V, 3)", array);
  check_finite("stone_hull", shape_of(array), array.data());
  std::vector<Vec3> vertices;
  for (py::ssize_t i = 0; i < array.shape(0); ++i)
    vertices.push_back({array.at(i, 0), array.at(i, 1), array.at(i, 2)});
  return ConvexHull(std::move(vertices));
}

FingerShape read_finger(const std::string& name, const py::object& value) {
  const Doubles array = doubles(name.c_str(), value);
  if (array.ndim() != 2 || array.shape(1) != 10 || array.shape(0) < 1) {
    refuse_shape(name.c_str(), "(K, 10) with K >= 1", array);
  }
  std::vector<LinkBox> boxes;
  for (py::ssize_t k = 0; k < array.shape(0); ++k) {
    const std::string box = name + "[" + std::to_string(k) + "]";
    const double* row = array.data(k, 0);
    check_poses(box, {7}, row);
    check_positive(box + " half size", {3}, row + 7);
    boxes.push_back({{{row[7], row[8], row[9]}}, pose_from(row)});
  }
  return make_finger(std::move(boxes));
}

Scene make_scene(const py::object& board_pose, const py::object& board_half_size, int size, double pitch,
                 const py::object& table_pose, const py::object& table_half_size,
                 const py::object& stone_hull, const py::sequence& finger_boxes) {
  if (finger_boxes.size() != 2) refuse("finger_boxes: must hold two arrays, left and right");
  return {make_grid(size, pitch),
          read_pose("board_pose", board_pose),
          read_box("board_half_size", board_half_size),
          read_pose("table_pose", table_pose),
          read_box("table_half_size", table_half_size),
          read_hull(stone_hull),
          {read_finger("finger_boxes[0]", finger_boxes[0]), read_finger("finger_boxes[1]", finger_boxes[1])}};
}

constexpr const char* kMovedDoc = R"(The same shapes with board and table elsewhere; the hull, which is slow to make, is copied.

board_pose, table_pose: (7,), position (m) and quaternion wxyz in the world frame.
Raises ValueError for a wrong shape, a number that is not finite, a quaternion that is not unit.)";

Scene moved_scene(const Scene& scene, const py::object& board_pose, const py::object& table_pose) {
  Scene moved = scene;
  moved.X_WB = read_pose("board_pose", board_pose);
  moved.X_WT = read_pose("table_pose", table_pose);
  return moved;
}

constexpr const char* kMeasureDoc = R"(Measure every stone of one state, or of a batch of N states.

stone_poses: (S, 7) or (N, S, 7), position (m) and quaternion wxyz in the world frame.
stone_velocities: (S, 6) or (N, S, 6), linear (m/s) and angular (rad/s), in the world frame.
finger_poses: (2, 7) or (N, 2, 7), the links of the left and the right finger.
Returns an array (S,) or (N, S) of MEASURE_DTYPE.
Raises ValueError for a wrong shape, a number that is not finite, a quaternion that is not unit.)";

Measures measure_states(const Scene& scene, const py::object& poses, const py::object& velocities,
                        const py::object& fingers) {
  const Doubles stone_poses = doubles("stone_poses", poses);
  const Doubles stone_velocities = doubles("stone_velocities", velocities);
  const Doubles finger_poses = doubles("finger_poses", fingers);
  const py::ssize_t rank = stone_poses.ndim();
  if ((rank != 2 && rank != 3) || stone_poses.shape(rank - 1) != 7) {
    refuse_shape("stone_poses", "(S, 7) or (N, S, 7)", stone_poses);
  }
  const Shape shape = shape_of(stone_poses);
  const std::size_t states = rank == 3 ? shape[0] : 1;
  const std::size_t stones = shape[rank - 2];
  if (stones > kMaxStones) refuse("stone_poses: at most 255 stones, got " + std::to_string(stones));
  Shape velocity_shape = shape;
  velocity_shape[rank - 1] = 6;
  Shape finger_shape = shape;
  finger_shape[rank - 2] = 2;
  if (shape_of(stone_velocities) != velocity_shape) {
    refuse_shape("stone_velocities", "that of stone_poses with 6 for 7", stone_velocities);
  }
  if (shape_of(finger_poses) != finger_shape) {
    refuse_shape("finger_poses", rank == 3 ? "(N, 2, 7)" : "(2, 7)", finger_poses);
  }
  Measures result(std::vector<py::ssize_t>(stone_poses.shape(), stone_poses.shape() + rank - 1));
  StoneMeasure* out = result.mutable_data();
  StateView state{static_cast<int>(stones), stone_poses.data(), stone_velocities.data(), finger_poses.data()};
  {
    const py::gil_scoped_release unlocked;
    check_poses("stone_poses", shape, state.stone_poses);
    check_finite("stone_velocities", velocity_shape, state.stone_velocities);
    check_poses("finger_poses", finger_shape, state.finger_poses);
    for (std::size_t n = 0; n < states; ++n) {
      measure(scene, state, out + n * stones);
      state.stone_poses += 7 * stones;
      state.stone_velocities += 6 * stones;
      state.finger_poses += 14;
    }
  }
  return result;
}

constexpr const char* kNearestDoc = R"(Nearest intersections of N points.

stone_positions: (N, 3), in the world frame (m).
Returns rows (N,) int8, columns (N,) int8, offsets (N, 2) float32: x and y from it in the board frame (m).)";

py::tuple nearest_points(const Scene& scene, const py::object& positions) {
  const Doubles points = doubles("stone_positions", positions);
  if (points.ndim() != 2 || points.shape(1) != 3) refuse_shape("stone_positions", "(N, 3)", points);
  const py::ssize_t count = points.shape(0);
  py::array_t<std::int8_t> rows(count), columns(count);
  py::array_t<float> offsets({count, py::ssize_t{2}});
  const double* p = points.data();
  std::int8_t *row = rows.mutable_data(), *column = columns.mutable_data();
  float* offset = offsets.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    check_finite("stone_positions", {static_cast<std::size_t>(count), 3}, p);
    for (py::ssize_t i = 0; i < count; ++i) {
      const Vec3 p_B = inverse_times(scene.X_WB, Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]});
      const Intersection nearest = scene.grid.nearest(p_B.x, p_B.y);
      row[i] = nearest.row;
      column[i] = nearest.column;
      offset[2 * i] = static_cast<float>(p_B.x - scene.grid.x(nearest.column));
      offset[2 * i + 1] = static_cast<float>(p_B.y - scene.grid.y(nearest.row));
    }
  }
  return py::make_tuple(rows, columns, offsets);
}

}  // namespace

void bind_measure(py::module_& m) {
  PYBIND11_NUMPY_DTYPE(StoneMeasure, position, offset, distance_mm, tilt, low, gap, left, right, pad_left,
                       pad_right, speed, spin, neighbour, row, column, touches, neighbours, status,
                       over_board);
  m.attr("MEASURE_DTYPE") = py::dtype::of<StoneMeasure>();
  m.attr("TOUCH_DISTANCE") = kTouch;
  m.attr("DISTANCE_CAP") = kDistanceCap;
  m.attr("MAX_STONES") = kMaxStones;
  py::class_<Scene>(m, "Geometry", "Board, table, stone and fingers: what measuring needs beside the state.")
      .def(py::init(&make_scene), py::kw_only(), py::arg("board_pose"), py::arg("board_half_size"),
           py::arg("size"), py::arg("pitch"), py::arg("table_pose"), py::arg("table_half_size"),
           py::arg("stone_hull"), py::arg("finger_boxes"))
      .def("moved", &moved_scene, py::kw_only(), py::arg("board_pose"), py::arg("table_pose"), kMovedDoc)
      .def("measure", &measure_states, py::arg("stone_poses"), py::arg("stone_velocities"),
           py::arg("finger_poses"), kMeasureDoc)
      .def("nearest", &nearest_points, py::arg("stone_positions"), kNearestDoc);
}

}  // namespace bomb

PYBIND11_MODULE(_checker, m) {
  m.doc() = "The compiled placement checker; see core.judge.checker.";
  bomb::bind_measure(m);
  bomb::bind_judge(m);
}
