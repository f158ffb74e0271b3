/* The one line of JSON that a run ends with. */
#include "load.h"
#include <stdio.h>

static const char *const scenario_names[] = { "login", "chat", "groupchat", "join", "idle" };
static const char *const units[] = { "login", "message", "message", "presence", "session" };
static const char *const fault_names[FAULTS] = {
    "no connection", "no TLS", "no login", "stream error", "bounced", "dropped", "lost", "unexpected", "stalled", "too long",
};

static void put_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar((unsigned char)*text < 32 || (unsigned char)*text > 126 ? '?' : *text);
    putchar('"');
}

static uint64_t units_done(const struct counters *c)
{
    if (opt.scenario == JOIN)
        return c->presences;
    return opt.scenario == IDLE ? (uint64_t)run.online : c->delivered;
}

static void put_faults(void)
{
    const char *comma = "";
    printf(",\"faults\":{");
    for (int i = 0; i < FAULTS; i++)
        if (run.faults[i]) {
            printf("%s\"%s\":%llu", comma, fault_names[i], (unsigned long long)run.faults[i]);
            comma = ",";
        }
    printf("}");
    if (run.first_fault[0]) {
        printf(",\"first_fault\":");
        put_string(run.first_fault);
    }
}

static void put_usage(double seconds, uint64_t count)
{
    double server = run.end.server_cpu - run.begin.server_cpu, own = run.end.own_cpu - run.begin.own_cpu;
    double others = run.end.machine_cpu - run.begin.machine_cpu - server - own, percent = seconds > 0 ? 100 / seconds : 0;
    printf(",\"cpu_us\":%.3f,\"server_cpu_percent\":%.1f,\"generator_cpu_percent\":%.1f,\"others_cpu_percent\":%.1f",
           count ? server * 1e6 / count : 0, server * percent, own * percent, others > 0 ? others * percent : 0);
    printf(",\"rss_first_kb\":%ld,\"rss_kb\":%ld,\"session_kb\":%.2f", run.first.rss_kb, run.end.rss_kb,
           run.online ? (double)(run.end.rss_kb - run.first.rss_kb) / run.online : 0);
}

/* Returns the exit status: 0 if all went as it should, else 1. */
int report(void)
{
    bool is_complete = run.end.at != 0;
    uint64_t faults = 0;
    for (int i = 0; i < FAULTS; i++)
        faults += run.faults[i];
    if (!is_complete)
        run.end = run.begin;
    uint64_t count = is_complete ? units_done(&run.at_end) - (opt.scenario == IDLE ? 0 : units_done(&run.at_begin)) : 0;
    double seconds = (run.end.at - run.begin.at) / 1e9;
    bool is_good = is_complete && !faults && !run.has_failed;

    printf("{\"scenario\":\"%s\",\"good\":%s,\"clients\":%d,\"tls\":", scenario_names[opt.scenario],
           is_good ? "true" : "false", opt.clients);
    put_string(run.tls_version);
    printf(",\"unit\":\"%s\",\"count\":%llu,\"seconds\":%.4f,\"per_second\":%.1f", units[opt.scenario],
           (unsigned long long)count, seconds, seconds > 0 ? count / seconds : 0);
    printf(",\"sent\":%llu,\"expected\":%llu,\"delivered\":%llu,\"presences\":%llu", (unsigned long long)run.total.sent,
           (unsigned long long)run.total.expected, (unsigned long long)run.total.delivered,
           (unsigned long long)run.total.presences);
    printf(",\"bytes_in\":%llu", (unsigned long long)(run.at_end.bytes_in - run.at_begin.bytes_in));
    printf(",\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"longest_ms\":%.3f", latency_ms(50), latency_ms(95),
           latency_ms(99), latency_ms(100));
    put_usage(seconds, count);
    put_faults();
    printf("}\n");
    return is_good ? 0 : 1;
}
