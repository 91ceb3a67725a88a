# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(report_rows SOURCES fuzz_report_rows.c LIBS patrond_report_core)
