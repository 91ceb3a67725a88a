# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name show progress reply client)
  patrond_unit_test(test_ctl_${name} SOURCES test_ctl_${name}.c LIBS patrond_ctl_core)
endforeach()
