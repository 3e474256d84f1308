/* A clock that fails once, for a program that believes it cannot: the standard
   library panics then. Preloaded by tests/it/judge/crash.rs, so that what a crash
   leaves behind is seen of the very binary that is shipped. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* It fails when the file of BROKEN_CLOCK is there, and takes the file away. */
int clock_gettime(clockid_t clock, struct timespec *now) {
    const char *file = getenv("BROKEN_CLOCK");
    if (file != NULL && unlink(file) == 0) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}
