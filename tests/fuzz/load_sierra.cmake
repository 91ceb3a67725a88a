# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name page find create token answer load_job drain)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_load_core)
endforeach()
