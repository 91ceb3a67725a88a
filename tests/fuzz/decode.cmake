# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name csv layout zip)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_decode_core)
endforeach()
