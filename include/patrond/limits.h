/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PATROND_LIMITS_H
#define PATROND_LIMITS_H

/* Every maximum of the program in one place, each with its unit and its reason. */

/* Feeds and their zips. The largest US district has 1,000,000 students; a row is 150–400 bytes. */
#define LIMIT_ZIP_SIZE (1024ULL << 20)          /* bytes of a feed's zip as it is stored */
#define LIMIT_ZIP_ENTRIES 64U                   /* a feed has two files; folders and notes may lie beside them */
#define LIMIT_ZIP_NAME 1024U                    /* bytes of an entry's name */
#define LIMIT_ENTRY_SIZE (2048ULL << 20)        /* bytes of one CSV, unpacked */
#define LIMIT_TOTAL_SIZE (3072ULL << 20)        /* bytes of all entries that are read, unpacked */
#define LIMIT_ZIP_RATIO 200U                    /* unpacked to packed: text packs 3–12 times, a bomb 1,000 times */
#define LIMIT_ZIP_RATIO_FROM (1ULL << 20)       /* bytes unpacked from which the ratio counts */
#define LIMIT_ROWS 2000000U                     /* rows of one feed */
#define LIMIT_ROW_SIZE 65536U                   /* bytes of one row: a row of the largest layout has 40 cells */
#define LIMIT_CELL_SIZE 8192U                   /* bytes of one cell: a long list of guardians' e-mails */
#define LIMIT_SCHOOLS 4096U                     /* schools of one feed that are told apart */
#define LIMIT_CELLS 256U                        /* cells of one row */

/* Patterns of the configuration. */
#define LIMIT_PATTERN_COST 1000U                /* pieces that a barcode pattern is compiled to; an honest one has 100 */
#define LIMIT_JOIN_SIZE (256U << 20)            /* bytes of all joined files' tables: a million ids of OneRoster take a quarter */

/* What decode hands to load for a cell, normalised; longer ones reject the row (shape). */
#define LIMIT_KEY 64U                           /* bytes of a key: a card barcode has 14 characters */
#define LIMIT_NAME 256U                         /* bytes of a first or last name */
#define LIMIT_TEXT 512U                         /* bytes of a street, city, state, ZIP or phone */
#define LIMIT_EMAILS 16384U                     /* bytes of all e-mails of a row together, blanks between */

/* Listings. */
#define LIMIT_FILE_NAME 255U                    /* bytes, NAME_MAX */
#define LIMIT_LISTING 4096U                     /* files of one source that are looked at */

#define LIMIT_FOUND 20000U                      /* files of one sweep of the janitor: most of them are asked of decode once */
#define LIMIT_ASK_SIZE (256U << 20)             /* bytes of a file of which decode is asked what it is */

/* Frames. */
#define LIMIT_FRAME (128U << 10)                /* bytes of any frame's payload */
#define LIMIT_FRAME_FDS 4U                      /* descriptors that may come with one frame */

/* Sierra. */
#define LIMIT_PATRONS 20000000U                 /* patrons of an index: four times the largest Sierra sites */
#define LIMIT_PAGE_SIZE (32U << 20)             /* bytes of a list page: 2,000 patrons are 0.5–3 MB */
#define LIMIT_ANSWER_SIZE (256U << 10)          /* bytes of any other answer */
#define LIMIT_BARCODE_FIELD 20001U              /* bytes of a barcode field: Sierra's own width of a variable field */
#define LIMIT_CONNECTIONS 32U

/* The clean-up report. */
#define LIMIT_CLEANUP_FIELD 1024U               /* bytes of a malformed field that are shown; longer ones are cut there */
#define LIMIT_REPORT_SIZE (256U << 20)          /* bytes of the tables in memory */

/* Mail. */
#define LIMIT_RECIPIENTS 16U                    /* of the report: a few colleagues; more are a list's business */
#define LIMIT_MAIL_ANSWERS (64U << 10)          /* bytes of a relay's answers in one session: an honest one has 2,000 */

/* Small files read before the walls. */
#define LIMIT_SECRET_SIZE 65536U                /* bytes of a credential */
#define LIMIT_CONFIG_SIZE (1U << 20)            /* bytes of a configuration file */
#define LIMIT_CONFIG_LINE 4096U                 /* bytes of a line in it */
#define PROFILE_COLUMNS_MAX 48U                 /* columns that a profile knows of one file: OneRoster's users.csv has 24 */
#define PROFILE_JOINS_MAX 4U                    /* files that are joined to another */
#define PROFILE_WORDS_MAX 1024U                 /* names and values of a profile, all together */
#define PROFILE_TEXT_MAX 32768U                 /* bytes of these */
#define LIMIT_KNOWN_HOSTS_SIZE (1U << 20)
#define LIMIT_CA_SIZE (4U << 20)

/* The supervisor's memory of feeds. */
#define LIMIT_FEEDS_REMEMBERED 1024U            /* contents: a look reads a few */
#define LIMIT_FILES_REMEMBERED (2U * LIMIT_LISTING) /* whole listings of both sources: what is forgotten is new at every look */

/* The control socket. Its peers are administrators, but nothing of theirs may ever delay a load. */
#define LIMIT_CONTROL_PEERS 32U                 /* connections at once */
#define LIMIT_CONTROL_RESERVED 2U               /* of these, kept for uid 0 where its credentials show it */
#define LIMIT_CONTROL_MESSAGE (16U << 10)       /* bytes of a call: the longest honest one has a few hundred */
#define LIMIT_CONTROL_DEPTH 8U                  /* of objects and arrays in each other in a call: two are needed */
#define LIMIT_CONTROL_OUTPUT (1U << 20)         /* bytes that wait for a peer to read them; a status has some thousand */

#endif
