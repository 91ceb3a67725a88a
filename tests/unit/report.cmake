# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_tables SOURCES test_tables.c LIBS patrond_report_core)
patrond_unit_test(test_report_rows SOURCES test_report_rows.c LIBS patrond_report_core)
patrond_unit_test(test_report_read_back SOURCES test_report_read_back.c LIBS patrond_report_core)
patrond_unit_test(test_report_winzip SOURCES test_report_winzip.c LIBS patrond_winzip)
# The stage itself is driven from outside, as root only (it becomes nobody); without root there is nothing to see.
add_test(NAME system.report COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/system/test_report.py)
set_tests_properties(system.report PROPERTIES ENVIRONMENT "PATROND_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
  SKIP_RETURN_CODE 77)
