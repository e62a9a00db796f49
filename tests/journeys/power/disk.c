/* Writes down what a process does to its database files, in the order in which the disk would see it: loaded before the C library (LD_PRELOAD),
 * so that no privileges, no file system and no tracer are needed.
 *
 * DISK_FOLDER: files below it whose names hold ".db" are watched. DISK_LOG: where it is written down, one record after the other:
 *
 *     kind u8, offset or length u64, bytes of the name u32, bytes of data u32, the name, the data
 *
 * Kinds: w written, t cut to a length, s synced, u removed. Numbers as the machine has them. A record is there before its call returns. */
#define _GNU_SOURCE
/* Where it is 64 everywhere, pwrite and pwrite64 would be one name. */
#undef _FILE_OFFSET_BITS
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* One call at a time, together with its record: the records have the order of the calls. */
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static int is_watched(const char *path) {
    const char *folder = getenv("DISK_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0 && strstr(path, ".db") != NULL;
}

/* The path of an open file, if it is watched. */
static int path_of(int fd, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_watched(path);
}

static void record(char kind, const char *path, uint64_t number, const void *data, uint32_t bytes) {
    static int log = -1;
    if (log < 0) log = open(getenv("DISK_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    uint32_t length = (uint32_t)strlen(path);
    unsigned char head[17];
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &number, 8);
    memcpy(head + 9, &length, 4);
    memcpy(head + 13, &bytes, 4);
    struct iovec parts[] = {{head, sizeof head}, {(void *)path, length}, {(void *)data, bytes}};
    ssize_t whole = (ssize_t)(sizeof head + length + bytes);
    /* A record that is not whole would be taken for another disk. */
    if (log < 0 || syscall(SYS_writev, log, parts, 3) != whole) abort();
}

static ssize_t put(int fd, const void *data, size_t bytes, off64_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_pwrite64, fd, data, bytes, offset);
    pthread_mutex_lock(&one);
    ssize_t done = syscall(SYS_pwrite64, fd, data, bytes, offset);
    if (done > 0) record('w', path, (uint64_t)offset, data, (uint32_t)done);
    pthread_mutex_unlock(&one);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) { return put(fd, data, bytes, offset); }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) { return put(fd, data, bytes, offset); }

ssize_t write(int fd, const void *data, size_t bytes) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_write, fd, data, bytes);
    pthread_mutex_lock(&one);
    off64_t offset = lseek64(fd, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, fd, data, bytes);
    if (done > 0) record('w', path, (uint64_t)offset, data, (uint32_t)done);
    pthread_mutex_unlock(&one);
    return done;
}

static int cut(int fd, off64_t length) {
    char path[PATH_MAX];
    int watched = path_of(fd, path);
    pthread_mutex_lock(&one);
    int failed = (int)syscall(SYS_ftruncate, fd, length);
    if (watched && !failed) record('t', path, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&one);
    return failed;
}

int ftruncate64(int fd, off64_t length) { return cut(fd, length); }
int ftruncate(int fd, off_t length) { return cut(fd, length); }

static int synced(int fd, long call) {
    char path[PATH_MAX];
    int watched = path_of(fd, path);
    pthread_mutex_lock(&one);
    int failed = (int)syscall(call, fd);
    if (watched && !failed) record('s', path, 0, NULL, 0);
    pthread_mutex_unlock(&one);
    return failed;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
    pthread_mutex_lock(&one);
    int failed = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!failed && is_watched(path)) record('u', path, 0, NULL, 0);
    pthread_mutex_unlock(&one);
    return failed;
}
