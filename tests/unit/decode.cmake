# SPDX-License-Identifier: GPL-3.0-or-later
patrond_unit_test(test_csv SOURCES test_csv.c LIBS patrond_decode_core)
patrond_unit_test(test_layout SOURCES test_layout.c LIBS patrond_decode_core)
patrond_unit_test(test_layout_header SOURCES test_layout_header.c LIBS patrond_decode_core)
foreach(name decode_records)
  patrond_unit_test(test_${name} SOURCES test_${name}.c LIBS patrond_decode_core)
  # the zips of the fuzz targets, which are real ones
  target_compile_definitions(test_${name} PRIVATE ZIP_CORPUS="${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/zip")
endforeach()
