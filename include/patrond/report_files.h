/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_REPORT_FILES_H
#define PATROND_REPORT_FILES_H

/* The files of a clean-up report: report packs them, and mail lets a zip with no others out of the house. */

#define REPORT_FILES(X)                                                       \
	X(CLEANUP, "barcode_errors.csv", "patron_id,field,expiration_date,class") \
	X(HELD, "held_rows.csv", "feed,row,reason,patron_id")                     \
	X(REJECTED, "rejected_rows.csv", "feed,row,reason")                       \
	X(OPTED_OUT, "opted_out_patrons.csv", "patron_id")

#endif
