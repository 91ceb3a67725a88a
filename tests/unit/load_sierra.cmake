# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name answers calls page pacer token)
  patrond_unit_test(test_${name} SOURCES test_${name}.c LIBS patrond_load_core)
endforeach()
