// core._checker: the module, and measuring. Shapes are checked here; then plain pointers go to the
// checker with the interpreter's lock released.
#include "bindings.hpp"

namespace bomb {
namespace {

Pose read_pose(const char* name, const py::object& value) {
  const std::vector<double> values = numbers(name, value, 7);
  check_poses(name, {7}, values.data());
  return pose_from(values.data());
}

Box read_box(const char* name, const py::object& value) {
  const std::vector<double> values = numbers(name, value, 3);
  check_positive(name, {3}, values.data());
  return {{values[0], values[1], values[2]}};
}

ConvexHull read_hull(const py::object& value) {
  const Numbers array = numbers("stone_hull", value);
  if (array.rank() != 2 || array.shape[1] != 3) refuse_shape("stone_hull", "(V, 3)", array.shape);
  check_finite("stone_hull", array.shape, array.data());
  std::vector<Vec3> vertices;
  for (std::size_t i = 0; i < array.shape[0]; ++i) {
    const double* p = array.row(i);
    vertices.push_back({p[0], p[1], p[2]});
  }
  return ConvexHull(std::move(vertices));
}

FingerShape read_finger(const std::string& name, const py::object& value) {
  const Numbers array = numbers(name.c_str(), value);
  if (array.rank() != 2 || array.shape[1] != 10 || array.shape[0] < 1) {
    refuse_shape(name.c_str(), "(K, 10) with K >= 1", array.shape);
  }
  std::vector<LinkBox> boxes;
  for (std::size_t k = 0; k < array.shape[0]; ++k) {
    const std::string box = name + "[" + std::to_string(k) + "]";
    const double* row = array.row(k);
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
  const Numbers stone_poses = numbers("stone_poses", poses);
  const Numbers stone_velocities = numbers("stone_velocities", velocities);
  const Numbers finger_poses = numbers("finger_poses", fingers);
  const Shape& shape = stone_poses.shape;
  const std::size_t rank = shape.size();
  if ((rank != 2 && rank != 3) || shape[rank - 1] != 7) {
    refuse_shape("stone_poses", "(S, 7) or (N, S, 7)", shape);
  }
  const std::size_t states = rank == 3 ? shape[0] : 1;
  const std::size_t stones = shape[rank - 2];
  if (stones > kMaxStones) refuse("stone_poses: at most 255 stones, got " + std::to_string(stones));
  Shape velocity_shape = shape;
  velocity_shape[rank - 1] = 6;
  Shape finger_shape = shape;
  finger_shape[rank - 2] = 2;
  if (stone_velocities.shape != velocity_shape) {
    refuse_shape("stone_velocities", "that of stone_poses with 6 for 7", stone_velocities.shape);
  }
  if (finger_poses.shape != finger_shape) {
    refuse_shape("finger_poses", rank == 3 ? "(N, 2, 7)" : "(2, 7)", finger_poses.shape);
  }
  Measures result(std::vector<py::ssize_t>(shape.begin(), shape.end() - 1));
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
  const Numbers points = numbers("stone_positions", positions);
  if (points.rank() != 2 || points.shape[1] != 3) refuse_shape("stone_positions", "(N, 3)", points.shape);
  const auto count = static_cast<py::ssize_t>(points.shape[0]);
  py::array_t<std::int8_t> rows(count), columns(count);
  py::array_t<float> offsets({count, py::ssize_t{2}});
  const double* p = points.data();
  std::int8_t *row = rows.mutable_data(), *column = columns.mutable_data();
  float* offset = offsets.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    check_finite("stone_positions", points.shape, p);
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

py::class_<Scene> bind_measure(py::module_& m) {
  PYBIND11_NUMPY_DTYPE(StoneMeasure, position, offset, distance_mm, tilt, low, gap, left, right, pad_left,
                       pad_right, speed, spin, neighbour, row, column, touches, neighbours, status,
                       over_board, high, since, pinched, swept, spare);
  m.attr("MEASURE_DTYPE") = py::dtype::of<StoneMeasure>();
  m.attr("TOUCH_DISTANCE") = kTouch;
  m.attr("DISTANCE_CAP") = kDistanceCap;
  m.attr("MAX_STONES") = kMaxStones;
  m.attr("NOT_HELD") = kNotHeld;
  py::class_<Scene> geometry(m, "Geometry",
                             "Board, table, stone and fingers: what measuring needs beside the state.");
  geometry
      .def(py::init(&make_scene), py::kw_only(), py::arg("board_pose"), py::arg("board_half_size"),
           py::arg("size"), py::arg("pitch"), py::arg("table_pose"), py::arg("table_half_size"),
           py::arg("stone_hull"), py::arg("finger_boxes"))
      .def("moved", &moved_scene, py::kw_only(), py::arg("board_pose"), py::arg("table_pose"), kMovedDoc)
      .def("measure", &measure_states, py::arg("stone_poses"), py::arg("stone_velocities"),
           py::arg("finger_poses"), kMeasureDoc)
      .def("nearest", &nearest_points, py::arg("stone_positions"), kNearestDoc);
  return geometry;
}

}  // namespace bomb

PYBIND11_MODULE(_checker, m) {
  m.doc() = "The compiled placement checker; see core.judge.checker.";
  auto geometry = bomb::bind_measure(m);
  bomb::bind_sweep(m, geometry);
  bomb::bind_judge(m);
}
