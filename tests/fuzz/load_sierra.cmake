# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name page answer)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_load_core)
endforeach()
