# SPDX-License-Identifier: GPL-3.0-or-later
patrond_fuzz_target(varlink SOURCES fuzz_varlink.c LIBS patrond_supervisor)
