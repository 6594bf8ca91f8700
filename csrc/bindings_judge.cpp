// core._checker: the judge, its tolerances and its verdict.
#include <array>
#include <cmath>
#include <utility>

#include "bindings.hpp"
#include "judge.hpp"

namespace bomb {
namespace {

std::array<float, 3> read_tool(const char* name, const py::object& value) {
  const std::vector<double> p = numbers(name, value, 3);
  check_finite(name, {3}, p.data());
  return {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])};
}

// Any object with an attribute for each tolerance; core.judge.checker.Tolerances is the one that is used.
Tolerances read_tolerances(const py::object& value) {
  Tolerances tolerances;
  for (const ToleranceField& field : kToleranceFields) {
    const double number = py::cast<double>(value.attr(field.name));
    if (!(number >= 0.0) || std::isinf(number)) {
      refuse("tolerances." + std::string(field.name) + ": " + describe(number) +
             ", must be finite and not negative");
    }
    tolerances.*field.value = number;
  }
  return tolerances;
}

EpisodeJudge make_judge(int size, double pitch, const std::vector<int>& colors, int goal_color, int goal_row,
                        int goal_column, int goal_stone, const py::object& region,
                        const py::object& tolerances, const py::object& layout,
                        const py::object& tool_position) {
  Copied<StoneMeasure> rows = read_measures("layout", layout, 1, "(S,)");
  Goal goal{goal_color, goal_row, goal_column, goal_stone};
  if (!region.is_none()) {
    const std::vector<double> values = numbers("region", region, 5);
    check_finite("region", {5}, values.data());
    goal.on_table = true;
    goal.row = goal.column = 0;
    goal.region = {values[0], values[1], values[2], values[3], values[4]};
  }
  return EpisodeJudge({make_grid(size, pitch), colors, goal, read_tolerances(tolerances)},
                      std::move(rows.values), read_tool("tool_position", tool_position));
}

bool update(EpisodeJudge& judge, double time, const py::object& tool, double opening,
            const py::object& measures) {
  const Copied<StoneMeasure> rows = read_measures("measures", measures, 1, "(S,)");
  if (static_cast<int>(rows.values.size()) != judge.episode().stones()) {
    refuse_shape("measures", "(S,), one row per stone", rows.shape);
  }
  const std::array<float, 3> tool_B = read_tool("tool_position", tool);
  judge.update({time, {tool_B[0], tool_B[1], tool_B[2]}, static_cast<float>(opening)}, rows.data());
  return judge.success();
}

Verdict rejudge(const EpisodeJudge& judge, const py::object& times, const py::object& tools,
                const py::object& openings, const py::object& measures) {
  const Copied<StoneMeasure> rows = read_measures("measures", measures, 2, "(T, S)");
  const std::size_t steps = rows.shape[0], stones = rows.shape[1];
  if (static_cast<int>(stones) != judge.episode().stones()) {
    refuse_shape("measures", "(T, S), one column per stone", rows.shape);
  }
  const std::vector<double> time = numbers("times", times, steps);
  const std::vector<double> opening = numbers("openings", openings, steps);
  const Numbers tool = numbers("tools", tools);
  if (tool.shape != Shape{steps, 3}) refuse_shape("tools", "(T, 3)", tool.shape);
  const double* t = time.data();
  const double* o = opening.data();
  const double* p = tool.data();
  const StoneMeasure* row = rows.data();
  EpisodeJudge fold = judge.restarted();
  const py::gil_scoped_release unlocked;
  for (std::size_t k = 0; k < steps; ++k, p += 3, row += stones) {
    fold.update({t[k],
                 {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])},
                 static_cast<float>(o[k])},
                row);
  }
  return fold.verdict();
}

py::tuple reason_names(const Verdict& verdict) {
  py::tuple names(verdict.reasons.size());
  for (std::size_t k = 0; k < verdict.reasons.size(); ++k) {
    names[k] = kReasonNames[static_cast<int>(verdict.reasons[k])];
  }
  return names;
}

py::dict stages_dict(const Verdict& verdict) {
  py::dict result;
  for (int k = 0; k < kStages; ++k) result[kStageNames[k]] = verdict.stages[k];
  for (int k = 0; k < kIntActs; ++k) result[kIntActNames[k]] = verdict.int_act[k];
  return result;
}

py::list occupancy_rows(const Verdict& verdict) {
  py::list rows;
  for (int row = 0; row < verdict.size; ++row) {
    py::list colors;
    for (int column = 0; column < verdict.size; ++column) {
      colors.append(
          static_cast<int>(verdict.occupancy[static_cast<std::size_t>(row) * verdict.size + column]));
    }
    rows.append(colors);
  }
  return rows;
}

py::dict verdict_dict(const Verdict& verdict) {
  py::dict result;
  result["success"] = verdict.success;
  result["success_once"] = verdict.success_once;
  result["reason"] = kReasonNames[static_cast<int>(verdict.reason())];
  result["reasons"] = py::list(reason_names(verdict));
  result["stage"] = verdict.stage();
  result["stone"] = verdict.stone;
  result["distance_mm"] = verdict.distance_mm;
  py::list offset;
  offset.append(verdict.offset_mm[0]);
  offset.append(verdict.offset_mm[1]);
  result["offset_mm"] = offset;
  result["tilt"] = verdict.tilt;
  result["others_moved_mm"] = verdict.others_moved_mm;
  result["occupancy"] = occupancy_rows(verdict);
  result["stages"] = stages_dict(verdict);
  return result;
}

py::array_t<std::uint8_t> occupancy_array(const Verdict& verdict) {
  return py::array_t<std::uint8_t>({verdict.size, verdict.size}, verdict.occupancy.data());
}

template <std::size_t N>
py::tuple tuple_of(const char* const (&names)[N]) {
  py::tuple result(N);
  for (std::size_t k = 0; k < N; ++k) result[k] = names[k];
  return result;
}

}  // namespace

void bind_judge(py::module_& m) {
  m.attr("REASONS") = tuple_of(kReasonNames);
  m.attr("STATUSES") = tuple_of(kStatusNames);
  m.attr("STAGES") = tuple_of(kStageNames);
  m.attr("INT_ACT") = tuple_of(kIntActNames);

  py::class_<Verdict>(m, "Verdict", "What the judge says at one moment; see docs/checker.md.")
      .def_readonly("success", &Verdict::success)
      .def_readonly("success_once", &Verdict::success_once)
      .def_property_readonly("reason",
                             [](const Verdict& v) { return kReasonNames[static_cast<int>(v.reason())]; })
      .def_property_readonly("reasons", &reason_names)
      .def_property_readonly("stage", &Verdict::stage)
      .def_readonly("stone", &Verdict::stone)
      .def_readonly("distance_mm", &Verdict::distance_mm)
      .def_property_readonly("offset_mm",
                             [](const Verdict& v) { return py::make_tuple(v.offset_mm[0], v.offset_mm[1]); })
      .def_readonly("tilt", &Verdict::tilt)
      .def_readonly("others_moved_mm", &Verdict::others_moved_mm)
      .def_property_readonly("occupancy", &occupancy_array)
      .def("stage_dict", &stages_dict, "Every flag of STAGES and INT_ACT by name.")
      .def("unfinished", &Verdict::unfinished,
           "The same placement as a part of a longer job that is not done yet.")
      .def("to_dict", &verdict_dict, "Plain numbers, strings, bools, lists and dicts.")
      .def("__eq__",
           [](const Verdict& a, const Verdict& b) { return verdict_dict(a).equal(verdict_dict(b)); })
      .def("__repr__",
           [](const Verdict& v) { return "Verdict(" + std::string(py::repr(verdict_dict(v))) + ")"; });

  py::class_<EpisodeJudge>(m, "EpisodeJudge", "Folds the measures of an episode into a verdict.")
      .def(py::init(&make_judge), py::kw_only(), py::arg("size"), py::arg("pitch"), py::arg("colors"),
           py::arg("goal_color"), py::arg("goal_row") = -1, py::arg("goal_column") = -1,
           py::arg("goal_stone") = -1, py::arg("region") = py::none(), py::arg("tolerances"),
           py::arg("layout"), py::arg("tool_position"))
      .def("update", &update, py::arg("time"), py::arg("tool_position"), py::arg("opening"),
           py::arg("measures"), "Take one control step; returns whether success holds now.")
      .def("verdict", &EpisodeJudge::verdict)
      .def("rejudge", &rejudge, py::arg("times"), py::arg("tools"), py::arg("openings"), py::arg("measures"),
           "The verdict at the end of a stored series, from this episode's layout; changes nothing.")
      .def_property_readonly("success", &EpisodeJudge::success)
      .def_property_readonly("success_once", &EpisodeJudge::success_once)
      .def("get_state", [](const EpisodeJudge& judge) { return py::bytes(judge.get_state()); })
      .def(
          "set_state", [](EpisodeJudge& judge, const py::bytes& state) { judge.set_state(state); },
          py::arg("state"));
}

}  // namespace bomb
