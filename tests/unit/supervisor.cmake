# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_choose SOURCES test_choose.c LIBS patrond_supervisor)
patrond_unit_test(test_memory SOURCES test_memory.c LIBS patrond_supervisor)
patrond_unit_test(test_sentence SOURCES test_sentence.c LIBS patrond_supervisor)
patrond_unit_test(test_source SOURCES test_source.c LIBS patrond_supervisor)
patrond_unit_test(test_tally SOURCES test_tally.c LIBS patrond_supervisor)
patrond_unit_test(test_varlink SOURCES test_varlink.c LIBS patrond_supervisor)
patrond_unit_test(test_journal SOURCES test_journal.c LIBS patrond_supervisor)
patrond_unit_test(test_config SOURCES test_config.c LIBS patrond_common)
