# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_share_names SOURCES test_share_names.c LIBS patrond_share_core)
patrond_unit_test(test_share_folder SOURCES test_share_folder.c LIBS patrond_share_core)
patrond_unit_test(test_share_copy SOURCES test_share_copy.c LIBS patrond_share_core)
patrond_unit_test(test_share_janitor SOURCES test_share_janitor.c LIBS patrond_share_core)
