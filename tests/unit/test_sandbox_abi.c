/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Older and newer kernels, as far as one kernel can play them: Landlock's version is answered by the test, the rest is
 * real. And kernels that lack a required wall: the stage must not go on.
 */
#include "testkit.h"

#include <seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long fake_syscall(long number, ...);

#define syscall fake_syscall
#include "common/sandbox.c"
#undef syscall

static struct {
	int abi; /* what the kernel says; 0: none; below: an errno */
	struct ruleset_attr asked;
	size_t asked_size;
	unsigned long flags;
	int rules;
	long failing; /* this call fails with EPERM; 0 none */
} kernel;

static long
fake_syscall(long number, ...)
{
	va_list args;
	unsigned long a, b, c, d;

	va_start(args, number);
	a = va_arg(args, unsigned long);
	b = va_arg(args, unsigned long);
	c = number == SYS_landlock_restrict_self ? 0 : va_arg(args, unsigned long);
	d = number == SYS_landlock_add_rule ? va_arg(args, unsigned int) : 0;
	va_end(args);
	if (number == kernel.failing && !(number == SYS_landlock_create_ruleset && a == 0)) {
		errno = EPERM;
		return -1;
	}
	if (number == SYS_landlock_create_ruleset && a == 0) {
		errno = kernel.abi < 0 ? -kernel.abi : 0;
		return kernel.abi < 0 ? -1 : kernel.abi;
	}
	if (number == SYS_landlock_create_ruleset) {
		memcpy(&kernel.asked, (void *)a, b < sizeof(kernel.asked) ? b : sizeof(kernel.asked));
		kernel.asked_size = b;
	}
	kernel.rules += number == SYS_landlock_add_rule;
	if (number == SYS_landlock_restrict_self)
		kernel.flags = b & 0xFFFFFFFFU;
	return (syscall)(number, a, b, c, d);
}

static void
drop_rights(void)
{
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
		_exit(250);
}

static int
wait_for(pid_t pid)
{
	int status;

	assert_true(pid >= 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

struct abi_case {
	int abi;
	uint64_t fs, net, scoped;
	size_t size;
	unsigned long flags;
	uint32_t walls; /* beside those that are required */
};

#define NET_BOTH (NET_BIND_TCP | NET_CONNECT_TCP)

static const struct abi_case abi_cases[] = {
	{ 1, 0x1FFF, 0, 0, 8, 0, 0 }, { 2, 0x3FFF, 0, 0, 8, 0, 0 }, { 3, 0x7FFF, 0, 0, 8, 0, 0 },
	{ 4, 0x7FFF, NET_BOTH, 0, 16, 0, WALL_LANDLOCK_NET }, { 5, 0xFFFF, NET_BOTH, 0, 16, 0, WALL_LANDLOCK_NET },
	{ 6, 0xFFFF, NET_BOTH, 3, 24, 0, WALL_LANDLOCK_NET | WALL_LANDLOCK_SCOPE },
	{ 7, 0xFFFF, NET_BOTH, 3, 24, 1, WALL_LANDLOCK_NET | WALL_LANDLOCK_SCOPE },
	{ 99, 0xFFFF, NET_BOTH, 3, 24, 1,
	    WALL_LANDLOCK_NET | WALL_LANDLOCK_SCOPE }, /* what is not known yet is not asked for */
};

/* Returns the number of the first thing that is wrong, 0 where all is as it should be. */
static int
enter_as(const struct abi_case *wanted, enum program program, const struct sandbox_options *options, int rules)
{
	const uint32_t required = WALLS_REQUIRED | WALL_RLIMITS;
	uint32_t walls = 0;

	drop_rights();
	kernel.abi = wanted->abi;
	if (sandbox_enter(program, options, &walls) < 0)
		return 1;
	if (walls != (required | wanted->walls))
		return 2;
	if (kernel.asked.fs != wanted->fs || kernel.asked.net != wanted->net || kernel.asked.scoped != wanted->scoped)
		return 3;
	if (kernel.asked_size != wanted->size || kernel.flags != wanted->flags)
		return 4;
	if (kernel.rules != rules)
		return 5;
	/* decode and load are answered by seccomp, the share by Landlock */
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 6;
}

static void
each_abi(void **state)
{
	const struct sandbox_options load = { .tcp_port = 443 };
	const struct sandbox_options share = { .share_path = "/tmp" };
	long real = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	(void)state;
	for (size_t i = 0; i < COUNT(abi_cases); i++) {
		const struct abi_case *wanted = &abi_cases[i];
		const struct {
			enum program program;
			const struct sandbox_options *options;
			int rules;
		} stages[] = {
			{ PROGRAM_DECODE, NULL, 0 },
			{ PROGRAM_LOAD, &load, wanted->abi >= 4 ? 1 : 0 },
			{ PROGRAM_SHARE, &share, 1 },
		};

		if (wanted->abi > real && !(wanted->abi > 7 && real >= 7))
			continue; /* this kernel is older than the one to play */
		for (size_t p = 0; p < COUNT(stages); p++) {
			pid_t pid = fork();
			int r;

			if (pid == 0)
				_exit(enter_as(wanted, stages[p].program, stages[p].options, stages[p].rules));
			r = wait_for(pid);
			if (r != 0)
				fail_msg("ABI %d, program %d: %d", wanted->abi, (int)stages[p].program, r);
		}
	}
}

/* Returns 0 where entering is refused and says that the wall is missing. */
static int
refused_without(int abi, long failing, int error)
{
	uint32_t walls = 0;
	int r;

	drop_rights();
	kernel.abi = abi;
	kernel.failing = failing;
	r = sandbox_enter(PROGRAM_DECODE, NULL, &walls);
	return r == error && (walls & (WALL_LANDLOCK_FILES | WALL_SECCOMP)) == 0 ? 0 : 1;
}

static void
without_landlock(void **state)
{
	static const struct {
		int abi;
		long failing;
		int error;
	} table[] = {
		{ -ENOSYS, 0, -ENOSYS },	 /* not built */
		{ -EOPNOTSUPP, 0, -EOPNOTSUPP }, /* not in the list of lsm= */
		{ 0, 0, -EOPNOTSUPP },
		{ 1, SYS_landlock_create_ruleset, -EPERM }, /* a container's filter */
		{ 1, SYS_landlock_restrict_self, -EPERM },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(refused_without(table[i].abi, table[i].failing, table[i].error));
		assert_int_equal(wait_for(pid), 0);
	}
}

/* An outer filter that refuses a call, as a container's does. */
static int
refuse(int call, unsigned int count, struct scmp_arg_cmp arg)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, count, &arg);

	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

static int
refused_without_seccomp(void)
{
	uint32_t walls = 0;
	int r;

	drop_rights();
	kernel.abi = 1;
	/* the second call first: the first one is how a filter is loaded */
	r = refuse(SCMP_SYS(prctl), 1, (struct scmp_arg_cmp){ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = PR_SET_SECCOMP });
	if (r == 0)
		r = refuse(SCMP_SYS(seccomp), 0, (struct scmp_arg_cmp){ 0 });
	if (r < 0)
		return 2;
	r = sandbox_enter(PROGRAM_DECODE, NULL, &walls);
	return r < 0 && (walls & WALL_SECCOMP) == 0 ? 0 : 1;
}

static int
refused_without_no_new_privs(void)
{
	uint32_t walls = 0;

	drop_rights();
	kernel.abi = 1;
	if (refuse(SCMP_SYS(prctl), 1,
		(struct scmp_arg_cmp){ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = PR_SET_NO_NEW_PRIVS }) < 0)
		return 2;
	return sandbox_enter(PROGRAM_DECODE, NULL, &walls) == -EPERM && (walls & WALL_NO_NEW_PRIVS) == 0 ? 0 : 1;
}

static void
without_another_wall(void **state)
{
	int (*const table[])(void) = { refused_without_seccomp, refused_without_no_new_privs };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(table[i]());
		assert_int_equal(wait_for(pid), 0);
	}
}

/* Rows refer to groups: each program has one, and no rule of an errno and of allowing meets in one row for one call. */
static void
rows_are_whole(void **state)
{
	(void)state;
	for (int program = 0; program < PROGRAM_MAX; program++) {
		const struct profile *profile = &profiles[program];

		assert_int_equal(profile->groups & BITS_EVERY, BITS_EVERY);
		assert_true(profile->files > 0 && profile->address_space > 0);
		assert_int_equal(profile->dials, (profile->groups & BIT(GROUP_DIAL)) != 0);
		assert_int_equal(profile->folder, (profile->groups & BIT(GROUP_FOLDER)) != 0);
		assert_int_equal(profile->paths, (profile->groups & BIT(GROUP_SUPERVISOR)) != 0);
		assert_int_equal(profile->folder || profile->paths, (profile->groups & BIT(GROUP_NAMELESS)) == 0);
		/* only what starts no stage may go on after a call that is not in its row */
		assert_int_equal(profile->outlives, program == PROGRAM_PATROND);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(without_landlock),
		cmocka_unit_test(without_another_wall),
		cmocka_unit_test(each_abi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
