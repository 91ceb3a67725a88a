# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_known_hosts SOURCES test_known_hosts.c LIBS patrond_fetch_core)
patrond_unit_test(test_fetch_names SOURCES test_fetch_names.c LIBS patrond_fetch_core)
patrond_unit_test(test_fetch_copy SOURCES test_fetch_copy.c LIBS patrond_common)
