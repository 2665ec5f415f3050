/*
 * LD_PRELOAD for one process: its disk is as slow as a file says, and what has reached it is written down. The file that
 * MILLRACE_TEST_DISK names has one 64-bit number, the microseconds that each fsync and fdatasync takes longer. Each that
 * ends well adds a line to MILLRACE_TEST_SYNCED: how long the file was when the sync began, and its path. What is beyond
 * that length would be gone after a loss of power.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *slower_us;
static int synced = -1;

__attribute__((constructor)) static void begin(void) {
  const char *told = getenv("MILLRACE_TEST_DISK"), *log = getenv("MILLRACE_TEST_SYNCED");
  if (!told || !log) return;
  int file = open(told, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *page = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) slower_us = page;
  synced = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int sync_to_disk(long call, int file) {
  struct stat before;
  int known = fstat(file, &before) == 0;
  int64_t us = slower_us ? *slower_us : 0;
  if (us > 0) {
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&pause, 0);
  }
  int result = syscall(call, file);
  char link[64], path[4096], line[4160];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (result == 0 && known && length > 0 && synced >= 0) {
    path[length] = 0;
    int size = snprintf(line, sizeof line, "%lld %s\n", (long long)before.st_size, path);
    if (write(synced, line, size) < 0) return result;
  }
  return result;
}

int fsync(int file) { return sync_to_disk(SYS_fsync, file); }
int fdatasync(int file) { return sync_to_disk(SYS_fdatasync, file); }
