/* Preloaded into a process, with what it starts: DISK_WRITES' file holds how many fsyncs and fdatasyncs there were, and
 * how many bytes were written to regular files, 64 bits each. What Linux itself counts (proc(5), write_bytes) are pages
 * that became dirty, and of a file system with large folios all pages of a folio: several times what goes to the disk.
 * Linux, glibc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FSYNCS, BYTES, COUNTS };

static void count(int which, int64_t more) {
    static int64_t *counts;
    if (!counts) {
        const char *name = getenv("DISK_WRITES");
        int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
        if (fd < 0) return;
        if (!ftruncate(fd, COUNTS * sizeof *counts)) {
            void *mapped = mmap(0, COUNTS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (mapped != MAP_FAILED) counts = mapped;
        }
        close(fd);
        if (!counts) return;
    }
    __atomic_fetch_add(&counts[which], more, __ATOMIC_RELAXED);
}

static ssize_t written(int fd, ssize_t bytes) {
    struct stat found;
    if (bytes > 0 && !fstat(fd, &found) && S_ISREG(found.st_mode)) count(BYTES, bytes);
    return bytes;
}

#define TRUE_ONE(name) \
    if (!true_one) *(void **)&true_one = dlsym(RTLD_NEXT, name)

int fsync(int fd) {
    static int (*true_one)(int);
    TRUE_ONE("fsync");
    count(FSYNCS, 1);
    return true_one(fd);
}

int fdatasync(int fd) {
    static int (*true_one)(int);
    TRUE_ONE("fdatasync");
    count(FSYNCS, 1);
    return true_one(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*true_one)(int, const void *, size_t);
    TRUE_ONE("write");
    return written(fd, true_one(fd, bytes, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    static ssize_t (*true_one)(int, const void *, size_t, off_t);
    TRUE_ONE("pwrite");
    return written(fd, true_one(fd, bytes, count, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    static ssize_t (*true_one)(int, const void *, size_t, off64_t);
    TRUE_ONE("pwrite64");
    return written(fd, true_one(fd, bytes, count, at));
}
