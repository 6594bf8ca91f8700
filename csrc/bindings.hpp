// Reading arguments from Python: arrays of the right shape and kind, or a ValueError that names the
// argument. The files bindings* are the only ones here that know Python.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "grid.hpp"
#include "measure.hpp"

namespace bomb {

namespace py = pybind11;

using Measures = py::array_t<StoneMeasure, py::array::c_style>;
using Shape = std::vector<std::size_t>;

inline Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

// `wanted` in words, for the message: "(N, S, 7)".
[[noreturn]] inline void refuse_shape(const char* name, const char* wanted, const Shape& got) {
  std::string shape;
  for (const std::size_t extent : got) shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
  if (got.size() == 1) shape += ",";
  refuse(std::string(name) + ": shape (" + shape + "), must be " + wanted);
}

// An array's values row by row, copied: whatever other threads write into the array from now on, and
// wherever it lies in memory, what was checked is what is used.
template <typename Number>
struct Copied {
  Shape shape;
  std::vector<Number> values;

  std::size_t rank() const { return shape.size(); }
  const Number* data() const { return values.data(); }
  const Number* row(std::size_t i) const { return values.data() + i * shape.back(); }  // of two axes
};
using Numbers = Copied<double>;

// Copies a contiguous array that holds numbers of this very type.
template <typename Number>
Copied<Number> copied(const py::array& array) {
  Copied<Number> result{shape_of(array), std::vector<Number>(static_cast<std::size_t>(array.size()))};
  if (array.size() > 0) std::memcpy(result.values.data(), array.data(), array.nbytes());
  return result;
}

// Any array of real numbers as doubles; text, objects and complex numbers are refused.
inline Numbers numbers(const char* name, const py::object& value) {
  using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
  if (py::isinstance<py::array_t<double, py::array::c_style>>(value)) {
    return copied<double>(py::reinterpret_borrow<py::array>(value));
  }
  if (py::isinstance<py::array_t<float, py::array::c_style>>(value)) {  // what states are made of
    const Copied<float> single = copied<float>(py::reinterpret_borrow<py::array>(value));
    return {single.shape, {single.values.begin(), single.values.end()}};
  }
  const py::array array = py::array::ensure(value);
  if (!array) {
    PyErr_Clear();
    refuse(std::string(name) + ": must be an array of numbers");
  }
  const char kind = array.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u') {
    refuse(std::string(name) + ": dtype " + std::string(py::str(array.dtype())) + ", must be real numbers");
  }
  return copied<double>(Doubles(array));
}

// A small array of exactly `count` numbers.
inline std::vector<double> numbers(const char* name, const py::object& value, std::size_t count) {
  Numbers array = numbers(name, value);
  if (array.rank() != 1 || array.shape[0] != count) {
    refuse_shape(name, ("(" + std::to_string(count) + ",)").c_str(), array.shape);
  }
  return std::move(array.values);
}

// Rows of measures, as `measure` returns them; `wanted` is the shape in words, `rank` its axes.
inline Copied<StoneMeasure> read_measures(const char* name, const py::object& value, std::size_t rank,
                                          const char* wanted) {
  if (!py::isinstance<py::array_t<StoneMeasure, 0>>(value)) {
    refuse(std::string(name) + ": must be an array of MEASURE_DTYPE");
  }
  Copied<StoneMeasure> rows = copied<StoneMeasure>(Measures::ensure(value));
  if (rows.rank() != rank) refuse_shape(name, wanted, rows.shape);
  return rows;
}

inline Grid make_grid(int size, double pitch) {
  if (size < 1 || size > 99) refuse("size: " + std::to_string(size) + ", must be 1 to 99");
  check_positive("pitch", {}, &pitch);
  return {size, pitch};
}

py::class_<Scene> bind_measure(py::module_& m);                // bindings.cpp
void bind_sweep(py::module_& m, py::class_<Scene>& geometry);  // bindings_sweep.cpp
void bind_judge(py::module_& m);    // bindings_judge.cpp

}  // namespace bomb
