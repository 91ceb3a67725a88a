# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_tables SOURCES test_tables.c LIBS patrond_report_core)
patrond_unit_test(test_report_rows SOURCES test_report_rows.c LIBS patrond_report_core)
patrond_unit_test(test_report_read_back SOURCES test_report_read_back.c LIBS patrond_report_core)
patrond_unit_test(test_report_winzip SOURCES test_report_winzip.c LIBS patrond_winzip)
