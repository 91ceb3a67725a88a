# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name csv layout zip)
  patrond_fuzz_target(${name} SOURCES fuzz_${name}.c LIBS patrond_decode_core)
endforeach()
target_compile_definitions(fuzz_zip PRIVATE SHIPPED_PROFILES="${CMAKE_SOURCE_DIR}/config/profiles")
target_compile_definitions(fuzz_layout PRIVATE SHIPPED_PROFILES="${CMAKE_SOURCE_DIR}/config/profiles")
patrond_fuzz_target(apply SOURCES fuzz_apply.c LIBS patrond_decode_core)
patrond_fuzz_target(plaintext SOURCES fuzz_plaintext.c LIBS patrond_decode_core)
target_compile_definitions(fuzz_plaintext PRIVATE SHIPPED_PROFILES="${CMAKE_SOURCE_DIR}/config/profiles")
