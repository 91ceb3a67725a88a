# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name wire record text date)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_common)
endforeach()
