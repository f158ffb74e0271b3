/* load: many XMPP clients in one process, for one server on the loopback interface and one measurement.
 *
 * The phases: wait until the server is calm - log in - enter rooms - wait again - warm up - RUN - drain - report. Only
 * what happens in RUN is measured; what is still under way at its end has to arrive in the drain, or it is lost.
 * Prints one line of JSON; exits with 0 if nothing was lost, doubled, bounced or dropped, else with 1. */
#include "load.h"
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define STALL (10 * SECOND)

struct options opt = { .clients = 200, .concurrency = 50, .window = 1, .rooms = 1, .senders = 1, .cpu = -1,
                       .timeout = 120, .seconds = 10, .warmup = 2, .domain = "localhost",
                       .room_service = "conference.localhost" };
struct run run;

static const char USAGE[] =
    "usage: load login|chat|groupchat|join|idle --port PORT [options]\n"
    "  --clients N       accounts u0, u1, ... (200)      --first K           begin with account uK (0)\n"
    "  --concurrency N   logins, entries at a time (50)  --window N          messages under way (1)\n"
    "  --rooms N         rooms for all clients (1)       --senders N         who talks in each room (1)\n"
    "  --seconds T       the measured time (10)          --warmup T          the time before it (2)\n"
    "  --tls             STARTTLS                        --plain             PLAIN instead of SCRAM-SHA-1\n"
    "  --stream-management                               --keys FILE         remembers SCRAM keys\n"
    "  --server PID      whose CPU time to take          --cpu N             run on this CPU alone\n"
    "  --timeout T       give up after T seconds (120)\n"
    "  --domain D        of the accounts (localhost)     --rooms-at D        conference.localhost\n"
    "  --far-port PORT   the server of odd accounts      --far-domain D      and their domain\n";

/* Something went wrong: it is counted, and the first is told. */
void fault(enum fault kind, const struct conn *c, const char *text, size_t length)
{
    run.faults[kind]++;
    if (!run.first_fault[0])
        snprintf(run.first_fault, sizeof run.first_fault, "client %d: %.*s", c ? c->index : -1, (int)(length < 350 ? length : 350), text);
    if (run.faults[kind] > 1000)
        run.has_failed = true;
}

static void give_up(enum fault kind, const char *why)
{
    fault(kind, NULL, why, strlen(why));
    run.has_failed = true;
}

void progress(void) { run.last_progress = run.now; }

static double since(uint64_t moment) { return run.now > moment ? (run.now - moment) / 1e9 : 0; }

static void go_on(enum phase next)
{
    run.phase = next;
    run.phase_since = run.last_progress = run.now;
    server_is_calm(true);
}

static void begin(void)
{
    latency_forget();
    go_on(RUNNING);
    run.at_begin = run.total;
    usage_take(&run.begin, false);
}

static void end(enum phase next)
{
    usage_take(&run.end, false);
    struct usage with_memory;
    usage_take(&with_memory, true);
    run.end.rss_kb = with_memory.rss_kb;
    run.at_end = run.total;
    run.is_sending = false;
    go_on(next);
}

static void log_in(void)
{
    while (run.logging_in < opt.concurrency && run.next_login < opt.clients) {
        run.logging_in++;
        conn_open(&run.conns[run.next_login++]);
    }
}

/* Whether no byte came for so long, and the server has nothing to do; for some seconds at most. */
static bool is_settled(void)
{
    return (since(run.last_byte) > 0.3 && server_is_calm(false)) || since(run.phase_since) > 15;
}

static void run_on(void)
{
    bool is_timed = opt.scenario == CHAT || opt.scenario == GROUPCHAT;
    if (opt.scenario == LOGIN) {
        log_in();
        if (run.online == opt.clients)
            end(DONE);
    } else if (opt.scenario == JOIN) {
        traffic_enter_rooms(opt.clients);
        if (run.total.presences == presences_expected())
            end(DONE);
    } else if (since(run.phase_since) >= opt.seconds) {
        end(is_timed ? DRAINING : DONE);
    }
    if (run.phase == RUNNING && opt.scenario != IDLE && run.now - run.last_progress > STALL && run.now > run.last_progress) {
        if (is_timed)
            end(DRAINING); /* which tells what was lost */
        else
            give_up(STALLED, "nothing has happened for ten seconds");
    }
}

/* Waits for what is under way; whatever comes too much, comes here. */
static void drain(void)
{
    bool has_all = run.total.delivered >= run.total.expected;
    if (since(run.last_progress) < (has_all ? 0.3 : 3) && since(run.phase_since) < 30)
        return;
    if (!has_all) {
        run.faults[LOST] += run.total.expected - run.total.delivered;
        if (!run.first_fault[0])
            snprintf(run.first_fault, sizeof run.first_fault, "messages were lost");
    }
    go_on(DONE);
}

static void step(void)
{
    switch (run.phase) {
    case CALMING:
        if (!is_settled())
            break;
        usage_take(&run.first, true);
        opt.scenario == LOGIN ? begin() : go_on(LOGGING_IN);
        break;
    case LOGGING_IN:
        log_in();
        if (run.online == opt.clients)
            go_on(opt.scenario == GROUPCHAT || opt.scenario == JOIN ? ENTERING : SETTLING);
        break;
    case ENTERING:
        traffic_enter_rooms(opt.scenario == JOIN ? 1 : opt.clients);
        if (opt.scenario == JOIN ? run.room_is_ready[0] : run.total.presences == presences_expected())
            go_on(SETTLING);
        break;
    case SETTLING:
        if (!is_settled())
            break;
        if (opt.scenario == JOIN || opt.scenario == IDLE) {
            begin();
        } else {
            go_on(WARMING_UP);
            traffic_begin();
        }
        break;
    case WARMING_UP:
        if (since(run.phase_since) >= opt.warmup)
            begin();
        break;
    case RUNNING: run_on(); break;
    case DRAINING: drain(); break;
    case DONE: break;
    }
}

static int number(const char *text, int least, int most)
{
    char *rest;
    long value = strtol(text, &rest, 10);
    if (*rest || rest == text || value < least || value > most) {
        fprintf(stderr, "load: %s is no number from %d to %d\n", text, least, most);
        exit(2);
    }
    return value;
}

static void set_option(int letter)
{
    switch (letter) {
    case 'p': opt.port = number(optarg, 1, 65535); break;
    case 'n': opt.clients = number(optarg, 1, 15000); break;
    case 'f': opt.first = number(optarg, 0, 1000000); break;
    case 'c': opt.concurrency = number(optarg, 1, 1000); break;
    case 'w': opt.window = number(optarg, 1, 1000); break;
    case 'r': opt.rooms = number(optarg, 1, 1000); break;
    case 'S': opt.senders = number(optarg, 1, 1000); break;
    case 's': opt.seconds = atof(optarg); break;
    case 'u': opt.warmup = atof(optarg); break;
    case 't': opt.tls = true; break;
    case 'P': opt.plain = true; break;
    case 'm': opt.stream_management = true; break;
    case 'k': opt.keys = optarg; break;
    case 'i': opt.server = number(optarg, 1, 1 << 22); break;
    case 'C': opt.cpu = number(optarg, 0, CPU_SETSIZE - 1); break;
    case 'd': opt.domain = optarg; break;
    case 'R': opt.room_service = optarg; break;
    case 'q': opt.far_port = number(optarg, 1, 65535); break;
    case 'D': opt.far_domain = optarg; break;
    case 'T': opt.timeout = number(optarg, 1, 3600); break;
    default: fputs(USAGE, stderr); exit(2);
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "port", 1, NULL, 'p' }, { "clients", 1, NULL, 'n' }, { "first", 1, NULL, 'f' }, { "concurrency", 1, NULL, 'c' },
        { "window", 1, NULL, 'w' }, { "rooms", 1, NULL, 'r' }, { "senders", 1, NULL, 'S' }, { "seconds", 1, NULL, 's' },
        { "warmup", 1, NULL, 'u' }, { "tls", 0, NULL, 't' }, { "plain", 0, NULL, 'P' }, { "stream-management", 0, NULL, 'm' },
        { "keys", 1, NULL, 'k' }, { "server", 1, NULL, 'i' }, { "cpu", 1, NULL, 'C' }, { "timeout", 1, NULL, 'T' },
        { "domain", 1, NULL, 'd' }, { "rooms-at", 1, NULL, 'R' }, { "far-port", 1, NULL, 'q' }, { "far-domain", 1, NULL, 'D' },
        { 0 },
    };
    static const char *const names[] = { "login", "chat", "groupchat", "join", "idle" };
    int scenario = -1;
    for (int letter; (letter = getopt_long(argc, argv, "", known, NULL)) != -1;)
        set_option(letter);
    for (int i = 0; i < 5 && optind == argc - 1; i++)
        if (!strcmp(argv[optind], names[i]))
            scenario = i;
    bool has_places = opt.clients % opt.rooms == 0 && opt.clients / opt.rooms >= opt.senders;
    if (scenario < 0 || !opt.port || !has_places || !opt.far_port != !opt.far_domain || (scenario == CHAT && opt.clients % 2)) {
        fputs(USAGE, stderr);
        exit(2);
    }
    opt.scenario = scenario;
}

static void prepare_process(void)
{
    struct rlimit files;
    cpu_set_t cpus;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    CPU_ZERO(&cpus);
    if (opt.cpu >= 0) {
        CPU_SET(opt.cpu, &cpus);
        sched_setaffinity(0, sizeof cpus, &cpus);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare_process();
    keys_load();
    connections_prepare();
    traffic_prepare();
    run.now = run.started = run.last_byte = clock_now();
    go_on(CALMING);
    while (run.phase != DONE && !run.has_failed) {
        step();
        connections_turn(run.phase == RUNNING ? 5 : 20);
        if (since(run.started) > opt.timeout)
            give_up(TOO_LONG, "it takes longer than it may");
    }
    int status = report();
    fflush(stdout);
    keys_save();
    conn_close_all();
    return status;
}
