// Reading arguments from Python: arrays of the right shape and kind, or a ValueError that names the
// argument. The files bindings* are the only ones here that know Python.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "check.hpp"
#include "grid.hpp"
#include "measure.hpp"

namespace bomb {

namespace py = pybind11;

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Measures = py::array_t<StoneMeasure, py::array::c_style>;
using Shape = std::vector<std::size_t>;

inline Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

// `wanted` in words, for the message: "(N, S, 7)".
[[noreturn]] inline void refuse_shape(const char* name, const char* wanted, const py::array& got) {
  const std::string shape = py::str(got.attr("shape"));
  refuse(std::string(name) + ": shape " + shape + ", must be " + wanted);
}

// Any array of real numbers as contiguous doubles; text, objects and complex numbers are refused.
inline Doubles doubles(const char* name, const py::object& value) {
  if (py::isinstance<Doubles>(value)) return py::reinterpret_borrow<Doubles>(value);
  const py::array array = py::array::ensure(value);
  if (!array) {
    PyErr_Clear();
    refuse(std::string(name) + ": must be an array of numbers");
  }
  const char kind = array.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u') {
    refuse(std::string(name) + ": dtype " + std::string(py::str(array.dtype())) + ", must be real numbers");
  }
  return Doubles(array);
}

// A small array of exactly `count` numbers.
inline Doubles numbers(const char* name, const py::object& value, py::ssize_t count) {
  Doubles array = doubles(name, value);
  if (array.ndim() != 1 || array.shape(0) != count) {
    refuse_shape(name, ("(" + std::to_string(count) + ",)").c_str(), array);
  }
  return array;
}

inline Grid make_grid(int size, double pitch) {
  if (size < 1 || size > 99) refuse("size: " + std::to_string(size) + ", must be 1 to 99");
  check_positive("pitch", {}, &pitch);
  return {size, pitch};
}

void bind_measure(py::module_& m);  // bindings.cpp
void bind_judge(py::module_& m);    // bindings_judge.cpp

}  // namespace bomb
