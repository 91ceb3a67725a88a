# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name message trace zip_check)
  patrond_unit_test(test_mail_${name} SOURCES test_mail_${name}.c LIBS patrond_mail_core)
endforeach()
