# SPDX-License-Identifier: GPL-3.0-or-later
foreach(name csv layout layout_cells layout_columns layout_header decode_feed decode_inspect decode_records shape_tally zip_archive zip_directory plaintext zip_unpack zipcrypto)
  patrond_unit_test(test_${name} SOURCES test_${name}.c LIBS patrond_decode_core PkgConfig::CRYPTO)
  target_compile_definitions(test_${name} PRIVATE SHIPPED_PROFILES="${CMAKE_SOURCE_DIR}/config/profiles")
  # the zips of the fuzz targets, which are real ones
  target_compile_definitions(test_${name} PRIVATE ZIP_CORPUS="${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/zip")
endforeach()
