/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sierra-standin: command line, start, stop. */

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "admin.h"
#include "dump.h"
#include "http.h"

enum { CREDENTIALS_MAX = 256, PEM_MAX = 1 << 20, THREADS_MAX = 16 };

static const char *arg_ready_file;
static const char *arg_cert;
static const char *arg_key;
static const char *arg_load;
static const char *arg_dump;
static bool arg_plain;
static bool arg_listen;
static unsigned arg_threads = 1;
static struct sockaddr_in arg_address;
static struct generator arg_generator = { .first_id = 1000001, .first_barcode = 10000000, .expires_day = -1 };
static struct standin standin = { .base = "/iii/sierra-api" };

static const struct option options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "ready-file", required_argument, NULL, 'r' },
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "plain", no_argument, NULL, 'p' },
	{ "load", required_argument, NULL, 'L' },
	{ "dump", required_argument, NULL, 'D' },
	{ "credentials", required_argument, NULL, 'C' },
	{ "token-lifetime", required_argument, NULL, 't' },
	{ "latency", required_argument, NULL, 'y' },
	{ "seed", required_argument, NULL, 's' },
	{ "switch", required_argument, NULL, 'w' },
	{ "generate", required_argument, NULL, 'g' },
	{ "first-id", required_argument, NULL, 'i' },
	{ "first-barcode", required_argument, NULL, 'b' },
	{ "expires", required_argument, NULL, 'e' },
	{ "base", required_argument, NULL, 'B' },
	{ "threads", required_argument, NULL, 'T' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
help(void)
{
	puts("Usage: sierra-standin --listen 127.0.0.1:PORT [OPTION]...\n"
	     "A stand-in for the patron side of a Sierra ILS's REST API, as strict as the real one, with faults on "
	     "demand.\n\n"
	     "  --listen ADDRESS:PORT     IPv4; port 0 chooses a free one\n"
	     "  --ready-file FILE         holds the port in decimal once the server listens\n"
	     "  --cert FILE --key FILE    PEM, for HTTPS\n"
	     "  --plain                   HTTP, when no certificate is given\n"
	     "  --load FILE               records, one JSON object a line\n"
	     "  --dump FILE               on SIGTERM and SIGINT: all records, by id, one JSON object a line\n"
	     "  --credentials KEY:SECRET  the API key; without it any is taken\n"
	     "  --token-lifetime SECONDS  default 3600\n"
	     "  --latency MS              added to every API request, without holding up others\n"
	     "  --seed N                  of faults by rate, and of tokens\n"
	     "  --generate N              N records derived from their number instead of stored\n"
	     "  --first-id N              id of the first record, default 1000001\n"
	     "  --first-barcode N         barcode of the first derived record, default 10000000\n"
	     "  --expires DATE            expiration date of all derived records, default: derived\n"
	     "  --base PATH               default /iii/sierra-api\n"
	     "  --threads N               default 1\n"
	     "  --switch NAME=VALUE       repeatable; see below\n\n"
	     "Switches:");
	switches_help(stdout);
	puts("\nFaults, --switch fault.NAME=WHEN or fault.NAME@KIND=WHEN, where WHEN counts each kind by itself and is "
	     "one of\n"
	     "rate:P nth:N,N,... every:N first:N from:N always off, and KIND one of token list find query get put "
	     "post:");
	faults_help(stdout);
	puts("\nTests' side, without authorisation: GET /_standin/counters, /_standin/switches, /_standin/dump,\n"
	     "/_standin/patron?barcode=X; POST /_standin/switch {\"NAME\":\"VALUE\"}, /_standin/clear-faults,\n"
	     "/_standin/reset-counters, /_standin/load (lines as of --load; same id: replaced).");
}

static bool
set_address(const char *value)
{
	const char *colon = strrchr(value, ':');
	char host[16] = { 0 };
	uint64_t port;

	if (!colon || (size_t)(colon - value) >= sizeof(host) || !parse_u64(colon + 1, UINT16_MAX, &port))
		return false;
	memcpy(host, value, (size_t)(colon - value));
	arg_address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	arg_listen = inet_pton(AF_INET, host, &arg_address.sin_addr) == 1;
	return arg_listen;
}

/* The header's form is kept, so that no request has to decode anything. */
static bool
set_credentials(const char *value)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strlen(value), out = 0;

	if (n > CREDENTIALS_MAX || !strchr(value, ':'))
		return false;
	for (size_t i = 0; i < n; i += 3) {
		unsigned block = 0;

		for (size_t j = 0; j < 3; j++)
			block = block << 8 | (i + j < n ? (unsigned char)value[i + j] : 0u);
		for (size_t j = 0; j < 4; j++)
			standin.credentials[out++] = i + j > n ? '=' : alphabet[block >> (18 - 6 * j) & 63];
	}
	standin.credentials[out] = '\0';
	return true;
}

static bool
set_switch(const char *value)
{
	char *copy = xstrdup(value), *equals = strchr(copy, '=');
	bool good = equals != NULL;

	if (good) {
		*equals = '\0';
		good = admin_switch(&standin, copy, equals + 1);
	}
	free(copy);
	return good;
}

static bool
set_number(int option, const char *value)
{
	uint64_t n;

	/* a library card's barcode has 14 digits */
	if (option == 'b')
		return parse_u64(value, UINT64_MAX / 4, &arg_generator.first_barcode);
	if (!parse_u64(value, UINT32_MAX, &n))
		return option == 's' && parse_u64(value, UINT64_MAX, &standin.faults.seed);
	switch (option) {
	case 's':
		standin.faults.seed = n;
		return true;
	case 'g':
		arg_generator.count = n;
		return true;
	case 'i':
		arg_generator.first_id = n;
		return n > 0;
	case 'T':
		arg_threads = (unsigned)n;
		return n >= 1 && n <= THREADS_MAX;
	default:
		return false;
	}
}

static bool
set_text(int option, const char *value)
{
	switch (option) {
	case 'r':
		arg_ready_file = value;
		return true;
	case 'c':
		arg_cert = value;
		return true;
	case 'k':
		arg_key = value;
		return true;
	case 'L':
		arg_load = value;
		return true;
	case 'D':
		arg_dump = value;
		return true;
	case 'B':
		standin.base = value;
		return value[0] == '/' && value[strlen(value) - 1] != '/';
	case 'e':
		arg_generator.expires_day = date_is_valid(value) ? date_to_days(value) : -1;
		return arg_generator.expires_day >= 0;
	default:
		return false;
	}
}

static bool
set_option(int option, const char *value)
{
	switch (option) {
	case 'l':
		return set_address(value);
	case 'p':
		arg_plain = true;
		return true;
	case 'C':
		return set_credentials(value);
	case 't':
		return admin_switch(&standin, "token-lifetime", value);
	case 'y':
		return admin_switch(&standin, "latency-ms", value);
	case 'w':
		return set_switch(value);
	default:
		return set_text(option, value) || set_number(option, value);
	}
}

/* Returns whether to go on; *status is the exit status otherwise. */
static bool
parse_args(int argc, char **argv, int *status)
{
	int option, index = 0;

	*status = 1;
	for (option = getopt_long(argc, argv, "", options, &index); option != -1;
	     option = getopt_long(argc, argv, "", options, &index)) {
		if (option == 'h') {
			help();
			*status = 0;
			return false;
		}
		if (option == '?')
			return false;
		if (!set_option(option, optarg)) {
			fprintf(
			    stderr, "sierra-standin: --%s: unknown or bad value: %s\n", options[index].name, optarg);
			return false;
		}
	}
	if (optind < argc || !arg_listen || (arg_cert == NULL) != (arg_key == NULL) || (!arg_cert && !arg_plain)) {
		fputs("sierra-standin: --listen, and --cert with --key or --plain, are needed; see --help\n", stderr);
		return false;
	}
	return true;
}

static char *
read_file(const char *path)
{
	char *data = xcalloc(1, PEM_MAX);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(data, 1, PEM_MAX - 1, f) : 0;

	if (f)
		fclose(f);
	if (n)
		return data;
	fprintf(stderr, "sierra-standin: cannot read %s\n", path);
	free(data);
	return NULL;
}

/* By a rename, so that whoever waits for the file never reads half a number. */
static bool
write_ready(uint16_t port)
{
	struct text temporary = { 0 };
	bool good;
	FILE *f;

	if (!arg_ready_file)
		return true;
	text_addf(&temporary, "%s.tmp", arg_ready_file);
	f = fopen(temporary.data, "we");
	good = f && fprintf(f, "%u\n", port) > 0;
	good = f && fclose(f) == 0 && good && rename(temporary.data, arg_ready_file) == 0;
	if (!good)
		fprintf(stderr, "sierra-standin: cannot write the ready file: %m\n");
	text_done(&temporary);
	return good;
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
serve(const struct http_config *config, const sigset_t *stop)
{
	struct http *http = http_start(&standin, config);
	int number, status = 1;

	if (!http)
		return 1;
	if (write_ready(http_port(http))) {
		sigwait(stop, &number);
		status = 0;
	}
	http_stop(http);
	if (status == 0 && arg_dump && !dump_file(&standin, arg_dump))
		status = 1;
	return status;
}

static int
run(void)
{
	char *cert = arg_cert ? read_file(arg_cert) : NULL, *key = arg_key ? read_file(arg_key) : NULL;
	struct http_config config = { .address = arg_address, .cert = cert, .key = key, .threads = arg_threads };
	int status = 1;
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	/* Blocked before any thread starts, so that sigwait alone sees them. */
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	arg_generator.created = time(NULL);
	standin.tokens.seed = standin.faults.seed;
	standin.store = store_new(&arg_generator);
	if ((!arg_cert || (cert && key)) && (!arg_load || load_file(&standin, arg_load)))
		status = serve(&config, &stop);
	store_free(standin.store);
	free(cert);
	free(key);
	return status;
}

int
main(int argc, char **argv)
{
	int status;

	switches_init(&standin.switches);
	return parse_args(argc, argv, &status) ? run() : status;
}
