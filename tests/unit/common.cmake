# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name buf fd wire wire_stream text date record outcome keyrule mailname present shape)
  patrond_unit_test(test_${name} SOURCES test_${name}.c LIBS patrond_common)
endforeach()
patrond_unit_test(test_profile SOURCES test_profile.c LIBS patrond_common)
target_compile_definitions(test_profile PRIVATE SHIPPED_PROFILES="${CMAKE_SOURCE_DIR}/config/profiles")
patrond_unit_test(test_secret SOURCES test_secret.c LIBS patrond_stage)
foreach(name sandbox sandbox_needs sandbox_supervisor)
  patrond_unit_test(test_${name} SOURCES test_${name}.c sandbox_kit.c LIBS patrond_stage)
endforeach()
if(NOT PATROND_SANITIZE) # AddressSanitizer has a free of its own
  patrond_unit_test(test_wipe_free SOURCES test_wipe_free.c LIBS patrond_stage)
endif()
# includes sandbox.c itself, to play other kernels
patrond_unit_test(test_sandbox_abi SOURCES test_sandbox_abi.c LIBS patrond_common PkgConfig::SECCOMP)
