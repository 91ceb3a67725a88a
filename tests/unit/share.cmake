# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_share_names SOURCES test_share_names.c LIBS patrond_share_core)
patrond_unit_test(test_share_folder SOURCES test_share_folder.c LIBS patrond_share_core)
patrond_unit_test(test_share_copy SOURCES test_share_copy.c LIBS patrond_share_core)
patrond_unit_test(test_share_janitor SOURCES test_share_janitor.c LIBS patrond_share_core)
add_test(NAME system.share COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/system/test_share.py)
set_tests_properties(system.share PROPERTIES ENVIRONMENT "PATROND_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
  SKIP_RETURN_CODE 77)
