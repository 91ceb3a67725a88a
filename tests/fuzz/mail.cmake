# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(relay_answers SOURCES fuzz_relay_answers.c LIBS patrond_mail_core)
patrond_fuzz_target(report_zip SOURCES fuzz_report_zip.c LIBS patrond_mail_core)
patrond_fuzz_target(mailname SOURCES fuzz_mailname.c LIBS patrond_common)
