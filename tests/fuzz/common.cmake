# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name wire record shape text date)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_common)
endforeach()

patrond_fuzz_target(profile SOURCES fuzz_profile.c LIBS patrond_common)
patrond_fuzz_target(config SOURCES fuzz_config.c LIBS patrond_common)
