/* What was used: CPU time and memory of the server's process tree, and the time that stanzas took. */
#include "load.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_PROCESSES 32768
#define MOST_MEMBERS 256

uint64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static double cpu_of(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) ? 0 : t.tv_sec + t.tv_nsec / 1e9;
}

/* The parent of a process, or -1. */
static pid_t parent_of(const char *pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC), parent = -1;
    if (fd < 0)
        return -1;
    ssize_t length = read(fd, line, sizeof line - 1);
    close(fd);
    line[length > 0 ? length : 0] = 0;
    const char *after_name = strrchr(line, ')');
    return after_name && sscanf(after_name + 2, "%*c %d", &parent) == 1 ? parent : -1;
}

/* The server's process and all that descend from it. */
static int family(pid_t *members)
{
    static struct { pid_t pid, parent; } all[MOST_PROCESSES];
    int count = 0, found = 1;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc)) && count < MOST_PROCESSES;)
        if (isdigit((unsigned char)entry->d_name[0]))
            all[count].pid = atoi(entry->d_name), all[count++].parent = parent_of(entry->d_name);
    if (proc)
        closedir(proc);
    members[0] = opt.server;
    for (int i = 0; i < found; i++)
        for (int k = 0; k < count && found < MOST_MEMBERS; k++)
            if (all[k].parent == members[i])
                members[found++] = all[k].pid;
    return found;
}

static long resident_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Rss: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

/* CPU seconds that the whole machine has spent. */
static double machine_cpu(void)
{
    double user = 0, nice = 0, system = 0, irq = 0, softirq = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file)
        return 0;
    if (fscanf(file, "cpu %lf %lf %lf %*f %*f %lf %lf", &user, &nice, &system, &irq, &softirq) != 5)
        user = 0;
    fclose(file);
    return (user + nice + system + irq + softirq) / sysconf(_SC_CLK_TCK);
}

/* The kernel's CPU clock of a process counts nanoseconds, user and system time alike, and the threads that have ended. */
static double family_cpu(const pid_t *members, int count)
{
    double seconds = 0;
    clockid_t clock;
    for (int i = 0; i < count; i++)
        if (!clock_getcpuclockid(members[i], &clock))
            seconds += cpu_of(clock);
    return seconds;
}

void usage_take(struct usage *u, bool with_memory)
{
    pid_t members[MOST_MEMBERS];
    int count = opt.server ? family(members) : 0;
    u->at = clock_now();
    u->server_cpu = family_cpu(members, count);
    u->own_cpu = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
    u->machine_cpu = machine_cpu();
    u->rss_kb = 0;
    for (int i = 0; with_memory && i < count; i++)
        u->rss_kb += resident_kb(members[i]);
}

/* Whether the server has used less than 2 % of a CPU twice in a row. `afresh` begins to look. */
bool server_is_calm(bool afresh)
{
    static struct usage last;
    static int calm;
    struct usage u;
    if (afresh) {
        calm = 0;
        usage_take(&last, false);
    } else if (opt.server && clock_now() - last.at > SECOND * 3 / 10) {
        usage_take(&u, false);
        calm = (u.server_cpu - last.server_cpu) / ((u.at - last.at) / 1e9) < 0.02 ? calm + 1 : 0;
        last = u;
    }
    return calm >= 2 || !opt.server;
}

/* Latencies in microseconds: each below 128 has a place of its own, then each power of two has 64 (1.6 % off). */
#define STEPS 64
static struct { uint64_t count, longest; uint32_t at[64 * STEPS]; } latency;

void latency_forget(void) { memset(&latency, 0, sizeof latency); }

void latency_add(uint64_t nanoseconds)
{
    uint64_t us = nanoseconds / 1000;
    int halvings = us < STEPS ? 0 : 63 - __builtin_clzll(us) - 6;
    latency.at[halvings * STEPS + (us >> halvings)]++;
    latency.count++;
    if (us > latency.longest)
        latency.longest = us;
}

/* That which so many percent of them did not exceed. */
double latency_ms(double percent)
{
    uint64_t wanted = latency.count * percent / 100, passed = 0;
    for (int i = 0; i < 64 * STEPS && percent < 100; i++) {
        passed += latency.at[i];
        if (passed > wanted) {
            int halvings = i < STEPS ? 0 : i / STEPS - 1;
            return (double)((uint64_t)(i - halvings * STEPS) << halvings) / 1e3;
        }
    }
    return latency.longest / 1e3;
}
