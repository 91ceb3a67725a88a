# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(reply SOURCES fuzz_reply.c LIBS patrond_ctl_core)
