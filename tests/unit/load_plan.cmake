# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name names index plan guards cleanup body rows)
  patrond_unit_test(test_${name} SOURCES test_${name}.c LIBS patrond_plan)
endforeach()
