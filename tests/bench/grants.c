/* The grant protocol with thousands of virtual ranks, in virtual time: how long they wait, and what
 * answering costs rank 0. Grant sizes are the program's own (src/sched/grant.c); a rank asks one
 * grant ahead, when a twentieth of what it has is left or as long before as answers take; rank 0
 * works too and answers at its ticks. Prints a Markdown table.
 *
 *   grants [handling_us [marking_us [sync_us [target_s]]]]      40 20 1000 2
 *
 * handling: taking an ask, packing its rows and posting them; marking: writing the status bytes of
 * a commit; sync: bringing them to the disk, for all that wait together and at most a twentieth of
 * rank 0's time (sched.h); target: length of a grant. A sync of 0 and a marking of 1020 is a sync
 * for every commit.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "grant.h"
#include "xaudit/util.h"

enum { ASK, ANSWER, WORK_END, LEAD };
static const double latency = 50e-6, tick = 2e-3, lead_part = 0.05;

typedef struct event {
    double at;
    int rank, kind;
} event;

typedef struct rank {
    double unit_seconds;      /* what rank 0 believes */
    double speed;             /* 1, or 0.5 */
    double since, length;     /* of the work in hand */
    int64_t units, next;      /* in hand; granted ahead */
    int64_t last, done_units; /* last grant; finished, not yet told */
    double done_seconds;
    double idle, idle_since, answered; /* answered: how long the last answer took */
    double asked;
    bool working, waiting, over;
} rank;

typedef struct world {
    event *heap;
    size_t n, cap;
    rank *ranks;
    int size;
    int64_t remaining;
    double unit, busy, service, extra, target, handling, marking, sync, mark_at, now, speed_sum;
    int known;
    uint64_t drawn;
} world;

static void push(world *w, double at, int r, int kind)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 1024;
        w->heap = realloc(w->heap, w->cap * sizeof *w->heap);
        if (!w->heap)
            exit(1);
    }
    size_t i = w->n++;
    const event e = {at, r, kind};
    while (i > 0 && w->heap[(i - 1) / 2].at > at) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = e;
}

static event pop(world *w)
{
    const event top = w->heap[0], last = w->heap[--w->n];
    size_t i = 0;
    for (;;) {
        size_t k = 2 * i + 1;
        if (k >= w->n)
            break;
        if (k + 1 < w->n && w->heap[k + 1].at < w->heap[k].at)
            k++;
        if (w->heap[k].at >= last.at)
            break;
        w->heap[i] = w->heap[k];
        i = k;
    }
    if (w->n > 0)
        w->heap[i] = last;
    return top;
}

static int64_t take(world *w, int r)
{
    rank *x = &w->ranks[r];
    if (w->remaining == 0)
        return 0;
    const xa__grant_state g = {.target_seconds = w->target,
                               .unit_seconds = x->unit_seconds,
                               .share = xa__share(w->speed_sum, w->known, w->size, x->unit_seconds),
                               .remaining = w->remaining,
                               .previous = x->last,
                               .ranks = w->size};
    const int64_t n = xa__grant_units(&g);
    w->remaining -= n;
    x->last = n;
    return n;
}

/* What a rank has finished is told with its next ask. */
static void learn(world *w, rank *x)
{
    if (x->unit_seconds > 0) {
        w->speed_sum -= 1 / x->unit_seconds;
        w->known--;
    }
    x->unit_seconds = xa__unit_seconds(x->unit_seconds, x->done_units, x->done_seconds);
    if (x->unit_seconds > 0) {
        w->speed_sum += 1 / x->unit_seconds;
        w->known++;
    }
    x->done_units = 0;
    x->done_seconds = 0;
}

static void begin(world *w, int r, int64_t n)
{
    rank *x = &w->ranks[r];
    double length = 0;
    for (int64_t i = 0; i < n && i < 64; i++) /* images differ by a tenth either way */
        length += w->unit * (0.9 + 0.2 * xa_random_unit(1, 1, w->drawn++));
    if (n > 64)
        length *= (double)n / 64.0;
    x->units = n;
    x->since = w->now;
    x->length = length / x->speed;
    x->working = true;
    x->idle += w->now - x->idle_since;
    push(w, w->now + x->length, r, WORK_END);
    if (r > 0) {
        const double lead = fmax(lead_part * x->length, 2.0 * x->answered);
        push(w, w->now + fmax(0.0, x->length - lead), r, LEAD);
    }
}

static void ask(world *w, int r)
{
    rank *x = &w->ranks[r];
    if (x->waiting || x->over || x->next > 0)
        return;
    x->waiting = true;
    x->asked = w->now;
    push(w, w->now + latency, r, ASK);
}

static void handle(world *w, const event *e)
{
    rank *x = &w->ranks[e->rank];
    w->now = e->at;
    switch (e->kind) {
    case ASK: {
        /* at rank 0's next tick, after what waits before it; while rank 0 naps it looks as often */
        const double start = fmax(ceil(e->at / tick) * tick, w->busy);
        double cost = w->handling + (x->done_units > 0 ? w->marking : 0.0);
        if (x->done_units > 0 && start >= w->mark_at) {
            cost += w->sync;
            w->mark_at = start + cost + 19.0 * w->sync;
        }
        w->busy = start + cost;
        w->service += cost;
        w->extra += cost;
        learn(w, x);
        x->next = take(w, e->rank);
        x->over = x->next == 0;
        push(w, w->busy + latency, e->rank, ANSWER);
        break;
    }
    case ANSWER:
        x->waiting = false;
        x->answered = e->at - x->asked;
        if (!x->working && x->next > 0) {
            const int64_t n = x->next;
            x->next = 0;
            begin(w, e->rank, n);
        }
        break;
    case LEAD:
        if (x->working)
            ask(w, e->rank);
        break;
    default:                                /* WORK_END */
        if (e->rank == 0 && w->extra > 0) { /* answering came in between */
            const double extra = w->extra;
            w->extra = 0;
            push(w, w->now + extra, 0, WORK_END);
            break;
        }
        x->working = false;
        x->done_units += x->units;
        x->done_seconds += x->length;
        x->idle_since = w->now;
        if (e->rank == 0) {
            learn(w, x);
            w->service += w->marking + w->sync;
            w->extra += w->marking + w->sync;
            const int64_t n = take(w, 0);
            if (n > 0)
                begin(w, 0, n);
            break;
        }
        if (x->next > 0 && !x->waiting) {
            const int64_t n = x->next;
            x->next = 0;
            begin(w, e->rank, n);
        } else {
            ask(w, e->rank);
        }
    }
}

static void
run(int size, double unit, int slow, double handling, double marking, double sync, double target)
{
    world w = {.size = size,
               .unit = unit,
               .handling = handling,
               .marking = marking,
               .sync = sync,
               .target = target};
    double end = 0, speed = 0, idle = 0;
    const int64_t units = (int64_t)((double)size * ceil(60.0 / unit)); /* a minute of work each */
    w.remaining = units;
    w.ranks = calloc((size_t)size, sizeof *w.ranks);
    if (!w.ranks)
        exit(1);
    for (int r = 0; r < size; r++) {
        w.ranks[r].speed = r == size - 1 && slow ? 0.5 : 1.0;
        speed += w.ranks[r].speed;
    }
    const int64_t first = take(&w, 0);
    begin(&w, 0, first);
    for (int r = 1; r < size; r++)
        ask(&w, r);
    while (w.n > 0) {
        const event e = pop(&w);
        handle(&w, &e);
        if (e.kind == WORK_END)
            end = e.at;
    }
    for (int r = 0; r < size; r++)
        idle += w.ranks[r].idle + (end - w.ranks[r].idle_since);
    const double ideal = (double)units * unit / speed;
    printf("| %d | %.0f ms | %s | %.2f %% | %.2f %% | %.2f %% |\n",
           size,
           1e3 * unit,
           slow ? "one at half speed" : "alike",
           100.0 * (end / ideal - 1.0),
           100.0 * idle / (end * size),
           100.0 * w.service / end);
    free(w.heap);
    free(w.ranks);
}

int main(int argc, char **argv)
{
    static const int sizes[] = {2, 64, 512, 4096};
    static const double units[] = {0.01, 0.1, 1.0};
    const double handling = 1e-6 * (argc > 1 ? atof(argv[1]) : 40.0);
    const double marking = 1e-6 * (argc > 2 ? atof(argv[2]) : 20.0);
    const double sync = 1e-6 * (argc > 3 ? atof(argv[3]) : 1000.0);
    const double target = argc > 4 ? atof(argv[4]) : 2.0;
    printf(
        "| ranks | an image | ranks are | longer than ideal | idle | rank 0 answers and marks |\n"
        "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            for (int slow = 0; slow < 2; slow++)
                run(sizes[s], units[u], slow, handling, marking, sync, target);
    return 0;
}
