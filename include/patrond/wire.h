/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_WIRE_H
#define PATROND_WIRE_H

/*
 * The framed protocol between patrond's programs: what may be said, by whom, how long it may be.
 *
 *   frame   := length:u32 type:u16 zero:u16 payload[length]          all integers little-endian
 *   string  := length:u32 bytes[length]
 *
 *   supervisor ──even──▶ stage      a unix stream socket, the stage's descriptor 3
 *   supervisor ◀──odd─── stage
 *   decode     ──RECORD_*──▶ load   a pipe
 *   load       ──REPORT_*──▶ report a pipe
 *
 * A stage does one job a connection (share: any number, one after another). Each job ends in exactly one DONE or
 * FAILURE; what comes between is in docs/wire.md. Descriptors travel with the first byte of a JOB frame. A length is
 * checked against its type's bounds before anything is allocated; a violation ends the stage, never the supervisor.
 */

#include <stdint.h>

#define WIRE_HEADER_SIZE 8U
#define STAGE_FD 3

/*
 * X(name, number, payload minimum, payload maximum). The layouts, field by field:
 */
#define WIRE_FRAMES(X) \
	/* to any stage: finish what is in flight, start no more, report. */ \
	X(CANCEL, 0x02, 0, 0) \
	/* to load, before its records end: a guard of the supervisor's trips; say the plan and the guards, and write nothing. */ \
	X(HOLD, 0x04, 0, 0) \
	/* from any stage */ \
	X(DONE, 0x03, 0, 0) \
	/* code:u16 feed:u8 (255 none) row:u32 column:u32 number:i32 */ \
	X(FAILURE, 0x05, 15, 15) \
	/* phase:u8 done:u64 total:u64 */ \
	X(PROGRESS, 0x07, 17, 17) \
	/* walls:u32, enum wall bits: the sandbox is entered */ \
	X(WALLS, 0x09, 4, 4) \
	\
	/* fetch. LIST: no payload; answers LISTING*, DONE. COPY: name:string size:u64 mtime:i64, fd: the feed, write end; \
	 * answers PROGRESS*, COPIED, DONE. */ \
	X(FETCH_LIST, 0x10, 0, 0) \
	X(FETCH_COPY, 0x12, 20, 276) \
	/* name:string size:u64 mtime:i64 (microseconds since 1970) */ \
	X(LISTING, 0x11, 20, 276) \
	/* size:u64 */ \
	X(COPIED, 0x13, 8, 8) \
	\
	/* decode. INSPECT: fd: the feed. Answers INSPECTED, DONE. RECORDS: kinds:u8 today:i32 (days since 1970), \
	 * fds: the feed, the records pipe's write end. Answers PROGRESS*, SHAPE a kind that was read, DONE. */ \
	X(DECODE_INSPECT, 0x20, 0, 0) \
	X(DECODE_RECORDS, 0x22, 5, 5) \
	/* of patrond --explain. today:i32, fds: the feed, the terminal where rows are shown. Answers PROGRESS*, SHAPE a kind \
	 * that was read (the last perhaps in part, when FAILURE follows), DONE. */ \
	X(DECODE_EXPLAIN, 0x24, 4, 4) \
	/* verdict:u8 kinds:u8 sha256[32] */ \
	X(INSPECTED, 0x21, 34, 34) \
	/* feed:u8 rows:u32 understood:u32 delimiter:u8 header:u8 cells_min:u16 cells_max:u16 key_fits:u32 birth_dates:u32 \
	 * of_age:u32 active:u32 status:u32* status_other:u32 (rows:u32 first_row:u32) a reason (position:u16 filled:u32) a \
	 * column schools:u32 count:u16 rows:u32 times count; see patrond/shape.h */ \
	X(SHAPE, 0x23, 393, 393 + 256 * 4) \
	\
	/* load. dry_run:u8 kinds:u8 today:i32 last_rows:u32 a kind (0 unknown) last_patrons:u64, then approvals:u8 times \
	 * (guard:u8 feed:u8 value:u64). fds: records pipe's read end, report pipe's write end (absent where no report is \
	 * made). Answers PROGRESS*, INDEXED, PLAN a kind, (GUARD+, DONE) or (OUTCOME*, COUNTS a kind, DONE). */ \
	X(LOAD, 0x30, 23, 23 + 255 * 10) \
	/* feed:u8 row:u32 outcome:u8 reason:u8 patron_id:u64 */ \
	X(OUTCOME, 0x31, 15, 15) \
	/* feed:u8 rows:u32 by_outcome:u32* by_reason:u32* inactive_status:u32* verified:u32 different:u32 */ \
	X(COUNTS, 0x33, 197, 197) \
	/* the same layout: what the plan would do */ \
	X(PLAN, 0x35, 197, 197) \
	/* guard:u8 feed:u8 value:u64 basis:u64 limit_percent:u32 */ \
	X(GUARD, 0x37, 22, 22) \
	/* patrons:u64, of the complete index */ \
	X(INDEXED, 0x39, 8, 8) \
	\
	/* report. today:i32, fds: report pipe's read end, the zip (write end). Answers REPORTED, DONE. */ \
	X(REPORT, 0x40, 4, 4) \
	/* size:u64 (0: nothing to say) then the rows of each class:u32* held:u32 rejected:u32 opted_out:u32 digest[32] of the tables, keyed */ \
	X(REPORTED, 0x41, 76, 76) \
	\
	/* share. LIST: as of fetch, and reports that are too old are removed, but where look_only:u8 follows and is 1 (a dry \
	 * run). COPY: as of fetch. DELIVER: name:string, fd: the zip. REMOVE: name:string. Answers LISTING*, or PROGRESS*, \
	 * COPIED, then DONE. DELIVER and REMOVE also take away the reports that are older. */ \
	X(SHARE_LIST, 0x50, 0, 1) \
	X(SHARE_COPY, 0x52, 20, 276) \
	X(SHARE_DELIVER, 0x54, 5, 259) \
	X(SHARE_REMOVE, 0x56, 5, 259) \
	/* WATCH: answers SHARE_WATCHED, then SHARE_CHANGED and PROGRESS for as long as the connection lives, or FAILURE. */ \
	X(SHARE_WATCH, 0x58, 0, 0) \
	/* local:u8, 1 where the kernel sees every change itself */ \
	X(SHARE_WATCHED, 0x51, 1, 1) \
	/* what:u8, enum share_change bits */ \
	X(SHARE_CHANGED, 0x53, 1, 1) \
	/* name:string size:u64 mtime:i64 action:u8 (enum share_action): a feed that was loaded. Answers DONE. */ \
	X(SHARE_DONE, 0x5a, 21, 277) \
	/* The janitor. SWEEP: answers SHARE_FOUND*, DONE. CLEAN: name:string size:u64 mtime:i64 device:u64 inode:u64, as \
	 * found; answers SHARE_CLEANED, DONE. */ \
	X(SHARE_SWEEP, 0x5c, 0, 0) \
	X(SHARE_CLEAN, 0x5e, 37, 291) \
	/* name:string size:u64 mtime:i64 changed:i64 device:u64 inode:u64 what:u8 (enum plaintext) */ \
	X(SHARE_FOUND, 0x55, 46, 300) \
	/* result:u8, enum clean_result */ \
	X(SHARE_CLEANED, 0x57, 1, 1) \
	\
	/* mail. today:i32 kinds:u8 (of the load, for the name) list:u64 (address_list_tag of the recipients) skip:u32 (bits: those who have it) then the rows of \
	 * each class:u32* held:u32 rejected:u32. fd: the report's zip, or none: a notice alone. Answers PROGRESS*, \
	 * MAIL_LEAVING, MAILED, then DONE, or FAILURE where the relay refused some. */ \
	X(MAIL, 0x60, 49, 49) \
	/* to:u32, bits: the last bytes leave now; until an answer is there nobody knows whether these have it */ \
	X(MAIL_LEAVING, 0x61, 4, 4) \
	/* taken:u32 refused:u32, bits: the relay has it for these, and not for those */ \
	X(MAILED, 0x63, 8, 8) \
	\
	/* decode to load. RECORD: feed:u8 row:u32 verdict:u8 status:u8 key_fits:u8 birth_date:i32, then a string for each \
	 * enum record_field (common/record.h). RECORD_TRAILER: rows:u32 a kind */ \
	X(RECORD, 0x81, 52, 98304) \
	X(RECORD_TRAILER, 0x83, 8, 8) \
	\
	/* load to report. patron_id:u64 class:u8 expiration:i32 (days since 1970, INT32_MIN none) field:string */ \
	X(REPORT_CLEANUP, 0x91, 17, 17 + 1024) \
	/* feed:u8 row:u32 reason:u8 patron_id:u64 */ \
	X(REPORT_HELD, 0x93, 14, 14) \
	/* feed:u8 row:u32 reason:u8 */ \
	X(REPORT_REJECTED, 0x95, 6, 6) \
	/* cleanup:u32 held:u32 rejected:u32 opted_out:u32: how many of each came before; without it there is no report */ \
	X(REPORT_TRAILER, 0x97, 16, 16) \
	/* patron_id:u64, of a patron whose barcode is the key of a row that is opted out */ \
	X(REPORT_OPTED_OUT, 0x99, 8, 8)

enum wire_type {
#define WIRE_ENUM(name, number, min, max) WIRE_##name = (number),
	WIRE_FRAMES(WIRE_ENUM)
#undef WIRE_ENUM
	WIRE_TYPE_INVALID = -22,
};

/* What changed on the share, as bits. */
enum share_change {
	SHARE_CHANGE_FEED = 1U << 0,  /* a name that may be a feed's */
	SHARE_CHANGE_OTHER = 1U << 1, /* any other name */
	SHARE_CHANGE_ALL = SHARE_CHANGE_FEED | SHARE_CHANGE_OTHER,
};

/* What becomes of a feed on the share once it is loaded. */
enum share_action {
	SHARE_ACTION_MOVE,
	SHARE_ACTION_DELETE,
	SHARE_ACTION_MAX,
};

/* What the janitor found. */
enum plaintext {
	PLAINTEXT_KNOWN,     /* of a known name, and not encrypted */
	PLAINTEXT_KNOWN_ZIP, /* a zip of a known name: decode is to say whether it is encrypted */
	PLAINTEXT_UNKNOWN,   /* of another name: decode is to say whether it is a feed that is not encrypted */
	PLAINTEXT_MAX,
};

/* What became of a file that was to be cleaned. */
enum clean_result {
	CLEAN_OVERWRITTEN, /* overwritten, synced, gone */
	CLEAN_UNLINKED,    /* gone, but its bytes could not be overwritten */
	CLEAN_CHANGED,     /* not what was looked at any more: left alone */
	CLEAN_STAYS,       /* it could not be taken away */
	CLEAN_RESULT_MAX,
};

/* The walls that a stage says it has entered. */
enum wall {
	WALL_NOT_DUMPABLE = 1U << 0,
	WALL_NO_NEW_PRIVS = 1U << 1,
	WALL_LANDLOCK_FILES = 1U << 2,
	WALL_SECCOMP = 1U << 3,
	WALL_RLIMITS = 1U << 4,
	/* optional: newer kernels */
	WALL_LANDLOCK_NET = 1U << 5,
	WALL_LANDLOCK_SCOPE = 1U << 6,
	WALLS_REQUIRED = WALL_NOT_DUMPABLE | WALL_NO_NEW_PRIVS | WALL_LANDLOCK_FILES | WALL_SECCOMP,
};

#endif
