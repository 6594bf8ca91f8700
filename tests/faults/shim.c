// Lets the n-th call that changes a file fail: loaded before the C library, so that SQLite, Arrow, FFmpeg and
// Python all go through it. Descriptors of pipes, sockets and terminals are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long left = -1;  // calls until one fails; negative: none does
static int how = 0;     // errno of the failure; 0: the process is killed
static long seen = 0;
static int full = 0;  // every call fails from now on
static char within[4096];  // only files below this folder

void faults_arm(long n, int error, const char *folder) {
    strncpy(within, folder, sizeof within - 1);
    how = error, seen = 0, left = n;
}

long faults_disarm(void) {
    left = -1;
    within[0] = 0;
    return seen;
}

// The same for programs that nobody can call into: the folder lies on a full disk, here and in what they start.
__attribute__((constructor)) static void fill(void) {
    const char *folder = getenv("FAULTS_FULL");
    if (folder) strncpy(within, folder, sizeof within - 1), full = 1, how = ENOSPC;
}

static int concerns(const char *path) { return within[0] && path && !strncmp(path, within, strlen(within)); }

static int is_file(int descriptor) {
    char name[64], path[4096];
    struct stat found;
    if (!within[0] || fstat(descriptor, &found) || !S_ISREG(found.st_mode)) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns(path);
}

// Whether this call is the one that fails.
static int fails(void) {
    seen++;
    if (full) return errno = how, 1;
    if (left < 0 || left-- > 0) return 0;
    left = -1;
    if (!how) kill(getpid(), SIGKILL);
    errno = how;
    return 1;
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    return is_file(fd) && fails() ? -1 : NEXT(write)(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return is_file(fd) && fails() ? -1 : NEXT(writev)(fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    return is_file(fd) && fails() ? -1 : NEXT(pwrite)(fd, data, size, place);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    return is_file(fd) && fails() ? -1 : NEXT(pwrite64)(fd, data, size, place);
}
int fsync(int fd) { return is_file(fd) && fails() ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return is_file(fd) && fails() ? -1 : NEXT(fdatasync)(fd); }
int ftruncate(int fd, off_t size) { return is_file(fd) && fails() ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) { return is_file(fd) && fails() ? -1 : NEXT(ftruncate64)(fd, size); }
int rename(const char *from, const char *to) {
    return concerns(from) && fails() ? -1 : NEXT(rename)(from, to);
}
// TensorFlow writes through stdio, whose own writes nobody can come between.
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
    return is_file(fileno(stream)) && fails() ? 0 : NEXT(fwrite)(data, size, count, stream);
}
int fflush(FILE *stream) {
    return stream && is_file(fileno(stream)) && fails() ? EOF : NEXT(fflush)(stream);
}
