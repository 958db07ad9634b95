// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's hand in the guest: runs one command, carries its input and output
 * over a virtio-serial port in frames, and reports its exit status. It is what
 * /init becomes, so it also reaps orphans. The host's side is
 * optee_vm/wire.py.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT      "/dev/vport0p1"
#define FRAME_MAX 32768
#define WORDS_MAX 1024

struct header {
	uint8_t type;
	uint8_t pad[3];
	uint32_t len;
};

struct frame {
	struct header h;
	char data[FRAME_MAX + 1];
};

struct job {
	char *argv[WORDS_MAX + 1];
	int argc;
	char *get[WORDS_MAX];
	int gets;
	struct winsize size;
	bool tty;
};

struct child {
	pid_t pid;
	int in, out, err;
	int status;
	bool done;
};

static int port;

static void die(const char *what)
{
	fprintf(stderr, "agent: cannot %s: %s\n", what, strerror(errno));
	reboot(RB_AUTOBOOT);
	_exit(1);
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write to the host");
		p += n;
		len -= n;
	}
}

static void read_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("read from the host");
		p += n;
		len -= n;
	}
}

static void send_frame(struct frame *f, char type, size_t len)
{
	f->h = (struct header){ .type = type, .len = htole32(len) };
	write_all(port, f, sizeof(f->h) + len);
}

static void send_text(struct frame *f, char type, const char *text)
{
	send_frame(f, type, snprintf(f->data, sizeof(f->data), "%s", text));
}

static size_t recv_frame(struct frame *f)
{
	size_t len;

	read_all(port, &f->h, sizeof(f->h));
	len = le32toh(f->h.len);
	if (len > FRAME_MAX) {
		errno = EMSGSIZE;
		die("read a frame");
	}
	read_all(port, f->data, len);
	f->data[len] = '\0';
	return len;
}

static char *word(const struct frame *f)
{
	char *copy = strdup(f->data);

	if (!copy)
		die("keep a word");
	return copy;
}

static void parse_size(const struct frame *f, struct winsize *size)
{
	sscanf(f->data, "%hu %hu", &size->ws_row, &size->ws_col);
}

static void recv_job(struct frame *f, struct job *job)
{
	for (;;) {
		recv_frame(f);
		switch (f->h.type) {
		case 'A':
			if (job->argc < WORDS_MAX)
				job->argv[job->argc++] = word(f);
			break;
		case 'V':
			putenv(word(f));
			break;
		case 'G':
			if (job->gets < WORDS_MAX)
				job->get[job->gets++] = word(f);
			break;
		case 'W':
			job->tty = true;
			parse_size(f, &job->size);
			break;
		case 'S':
			return;
		}
	}
}

static void exec_job(const struct job *job)
{
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir("/root"))
		die("enter /root");
	execvp(job->argv[0], job->argv);
	err = errno;
	fprintf(stderr, "vm: cannot run '%s' in the guest: %s\n", job->argv[0], strerror(err));
	_exit(err == ENOENT ? 127 : 126);
}

static void start_on_tty(const struct job *job, struct child *child)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name)))
		die("make a terminal");
	ioctl(master, TIOCSWINSZ, &job->size);
	child->pid = fork();
	if (child->pid < 0)
		die("fork");
	if (!child->pid) {
		int slave;

		setsid();
		slave = open(name, O_RDWR);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) || dup2(slave, 0) < 0 ||
		    dup2(slave, 1) < 0 || dup2(slave, 2) < 0)
			die("take the terminal");
		if (slave > 2)
			close(slave);
		exec_job(job);
	}
	child->out = master;
	child->in = fcntl(master, F_DUPFD_CLOEXEC, 3);
	child->err = -1;
}

static void start_on_pipes(const struct job *job, struct child *child)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("make pipes");
	child->pid = fork();
	if (child->pid < 0)
		die("fork");
	if (!child->pid) {
		setsid();
		if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
			die("connect the pipes");
		exec_job(job);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	child->in = in[1];
	child->out = out[0];
	child->err = err[0];
}

static void set_nonblock(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Send what is there; returns false, with the file closed, at its end. */
static bool forward(struct frame *f, char type, int *fd)
{
	ssize_t n = read(*fd, f->data, FRAME_MAX);

	if (n > 0) {
		send_frame(f, type, n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(*fd);
	*fd = -1;
	return false;
}

static void reap(struct child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->done = true;
		child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static void close_input(const struct job *job, struct child *child)
{
	/* A terminal has no half-close: its end of input is typed. */
	if (!job->tty && child->in >= 0) {
		close(child->in);
		child->in = -1;
	}
}

/*
 * Carry frames until the command has ended. Input that the command does not
 * take yet stays in *in, and the port is not read meanwhile: the host's write
 * blocks, not ours.
 */
static void carry(const struct job *job, struct child *child, int sigfd, struct frame *in,
		  struct frame *out)
{
	size_t len = 0, sent = 0;

	while (!child->done) {
		struct pollfd p[] = {
			{ .fd = sigfd, .events = POLLIN },
			{ .fd = child->out, .events = POLLIN },
			{ .fd = child->err, .events = POLLIN },
			{ .fd = sent < len ? child->in : -1, .events = POLLOUT },
			{ .fd = sent < len ? -1 : port, .events = POLLIN },
		};

		if (poll(p, 5, -1) < 0)
			continue;
		if (p[0].revents) {
			struct signalfd_siginfo info;

			if (read(sigfd, &info, sizeof(info)) < 0)
				die("read a signal");
			reap(child);
		}
		if (p[1].revents)
			forward(out, 'O', &child->out);
		if (p[2].revents)
			forward(out, 'E', &child->err);
		if (p[4].revents & POLLIN) {
			size_t n = recv_frame(in);

			if (in->h.type == 'I' && child->in >= 0) {
				len = n;
				sent = 0;
			} else if (in->h.type == 'Z') {
				close_input(job, child);
			} else if (in->h.type == 'W') {
				struct winsize size = {};

				parse_size(in, &size);
				ioctl(child->out, TIOCSWINSZ, &size);
			}
		}
		if (p[3].revents) {
			ssize_t n = write(child->in, in->data + sent, len - sent);

			if (n > 0)
				sent += n;
			else if (n < 0 && errno != EAGAIN && errno != EINTR) {
				sent = len;
				close(child->in);
				child->in = -1;
			}
		}
	}
	while (child->out >= 0 && forward(out, 'O', &child->out))
		;
	while (child->err >= 0 && forward(out, 'E', &child->err))
		;
}

static void send_file(struct frame *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, f->data, FRAME_MAX)) > 0)
		send_frame(f, 'D', n);
	if (n < 0)
		send_text(f, 'M', strerror(errno));
	else
		send_frame(f, 'N', 0);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static struct frame in, out;
	struct child child = { .in = -1, .out = -1, .err = -1 };
	struct job job = {};
	char status[16];
	sigset_t mask;
	int sigfd;

	port = open(PORT, O_RDWR | O_CLOEXEC);
	if (port < 0)
		die("open " PORT);
	send_text(&out, argc > 1 ? 'F' : 'R', argc > 1 ? argv[1] : "");
	if (argc > 1)
		pause();

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigfd = signalfd(-1, &mask, SFD_CLOEXEC);
	if (sigfd < 0)
		die("watch signals");

	recv_job(&in, &job);
	if (job.tty)
		start_on_tty(&job, &child);
	else
		start_on_pipes(&job, &child);
	set_nonblock(child.in);
	set_nonblock(child.out);
	set_nonblock(child.err);
	carry(&job, &child, sigfd, &in, &out);

	for (int i = 0; i < job.gets; i++)
		send_file(&out, job.get[i]);
	snprintf(status, sizeof(status), "%d", child.status);
	send_text(&out, 'X', status);
	for (;;)
		pause();
}
