/* Preloaded into one process: its wall clock is off by the whole seconds that FAULT_CLOCK's file holds, and every
 * fsync or fdatasync adds one byte to FAULT_FSYNCS' file. The monotonic clock stays true. Linux, glibc.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off_s(void) {
    char text[32] = {0};
    const char *name = getenv("FAULT_CLOCK");
    int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*true_one)(clockid_t, struct timespec *);
    if (!true_one) *(void **)&true_one = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = true_one(which, now);
    if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) now->tv_sec += off_s();
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *copy) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (copy) *copy = exact.tv_sec;
    return exact.tv_sec;
}

static int counted(const char *call, int fd) {
    int (*true_one)(int);
    *(void **)&true_one = dlsym(RTLD_NEXT, call);
    const char *name = getenv("FAULT_FSYNCS");
    int log = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (log >= 0) {
        if (write(log, ".", 1) < 0) abort();
        close(log);
    }
    return true_one(fd);
}

int fsync(int fd) { return counted("fsync", fd); }
int fdatasync(int fd) { return counted("fdatasync", fd); }
