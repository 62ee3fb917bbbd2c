/* Blocks in shared memory: several processes take, resolve and write at once, for many turns. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node.h"

enum { RANKS = 4, UNITS = 37, COLUMNS = 5, TURNS = 1500 };

typedef struct book {
    xa__view v;
    _Atomic int64_t computed, written, synced;
    _Atomic int32_t end;
    _Atomic uint8_t unit[TURNS * UNITS];
    _Atomic uint8_t column[TURNS * COLUMNS];
} book;

static void *shared(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    return p;
}

static void full(book *k, int i)
{
    int64_t at = 0, first, n;
    xa__columns_begin(&k->v, i, xa__next_stretch(&k->v, i, &at, &first, &n) ? COLUMNS : 0);
}

/* One step of any rank: false when there was nothing to do. */
static bool step(book *k)
{
    int i, column;
    uint64_t turn;
    xa__claim c;
    if (xa__take_column(&k->v, &i, &turn, &column)) {
        const int64_t serial = k->v.block[i].b->serial;
        atomic_fetch_add(&k->column[(serial - 1) * COLUMNS + column], 1);
        atomic_fetch_add(&k->written, 1);
        if (xa__column_done(&k->v, i)) {
            atomic_fetch_add(&k->synced, 1);
            xa__block_written(&k->v, i);
        }
        return true;
    }
    if (!xa__take(&k->v, RANKS, 3, &c))
        return false;
    for (int64_t u = c.first; u < c.first + c.n; u++) {
        const xa__block *b = k->v.block[c.block].b;
        atomic_fetch_add(&k->unit[b->first + u], 1);
        atomic_fetch_add(&k->computed, 1);
        if (xa__resolve(&k->v, &c, u, true, 1))
            full(k, c.block);
    }
    return true;
}

static void test_many_processes(void **state)
{
    (void)state;
    book *k = shared(sizeof *k);
    const xa__extents x = {.ranks = RANKS, .units = UNITS, .payload = 100, .rows = 1000};
    xa__node_view(&x, shared(xa__node_bytes(&x)), &k->v);
    xa__node_clear(&k->v);
    pid_t child[RANKS - 1];
    for (int r = 0; r < RANKS - 1; r++) {
        child[r] = fork();
        assert_true(child[r] >= 0);
        if (child[r] == 0) {
            while (!atomic_load(&k->end))
                if (!step(k))
                    sched_yield();
            _exit(0);
        }
    }
    int64_t serial = 0, told = 0;
    while (told < TURNS) {
        for (int i = 0; i < XA__BLOCKS; i++) {
            const xa__block *b = k->v.block[i].b;
            if (xa__phase_of(b) == XA__WRITTEN) {
                int64_t at = 0, first, n;
                assert_true(xa__next_stretch(&k->v, i, &at, &first, &n));
                assert_int_equal(first, 0);
                assert_int_equal(n, UNITS);
                assert_int_equal(atomic_load(&k->v.block[i].b->worked), UNITS);
                xa__block_free(&k->v, i);
                told++;
            } else if (xa__phase_of(b) == XA__FREE && serial < TURNS) {
                xa__block_open(&k->v, i, serial + 1, serial * UNITS, UNITS, 0);
                serial++;
            }
        }
        if (!step(k))
            sched_yield();
    }
    atomic_store(&k->end, 1);
    for (int r = 0; r < RANKS - 1; r++) {
        int status = 0;
        assert_int_equal(waitpid(child[r], &status, 0), child[r]);
        assert_int_equal(status, 0);
    }
    for (int64_t u = 0; u < TURNS * UNITS; u++)
        assert_int_equal(atomic_load(&k->unit[u]), 1);
    for (int64_t c = 0; c < TURNS * COLUMNS; c++)
        assert_int_equal(atomic_load(&k->column[c]), 1);
    assert_int_equal(atomic_load(&k->synced), TURNS);
}

/* Closed early, and with a unit that failed: the stretches are those that are finished. */
static void test_stretches(void **state)
{
    (void)state;
    xa__view v;
    const xa__extents x = {.ranks = 1, .units = 10};
    xa__node_view(&x, shared(xa__node_bytes(&x)), &v);
    xa__node_clear(&v);
    assert_int_equal(xa__phase_of(v.block[0].b), XA__FREE);
    xa__block_open(&v, 0, 1, 100, 10, 0);
    xa__claim c;
    for (int64_t u = 0; u < 6; u++) {
        assert_true(xa__take(&v, 1, 1, &c));
        assert_int_equal(c.first, u);
        assert_false(xa__resolve(&v, &c, u, u != 2, 5));
    }
    assert_int_equal(xa__block_left(v.block[0].b), 4);
    assert_true(xa__block_close(&v, 0));
    assert_false(xa__take(&v, 1, 1, &c));
    assert_int_equal(xa__phase_of(v.block[0].b), XA__FULL);
    int64_t at = 0, first, n;
    assert_true(xa__next_stretch(&v, 0, &at, &first, &n));
    assert_int_equal(first, 0);
    assert_int_equal(n, 2);
    assert_true(xa__next_stretch(&v, 0, &at, &first, &n));
    assert_int_equal(first, 3);
    assert_int_equal(n, 3);
    assert_false(xa__next_stretch(&v, 0, &at, &first, &n));
    xa__block_written(&v, 0);
    xa__block_free(&v, 0);
    /* Closed before anybody took a unit. */
    xa__block_open(&v, 1, 2, 110, 10, 0);
    assert_true(xa__block_close(&v, 1));
    at = 0;
    assert_false(xa__next_stretch(&v, 1, &at, &first, &n));
    xa__columns_begin(&v, 1, 0);
    assert_int_equal(xa__phase_of(v.block[1].b), XA__WRITTEN);
}

static void test_sizes(void **state)
{
    (void)state;
    xa__extents x = {.ranks = 1, .units = XA__UNITS_MOST + 1};
    assert_int_equal(xa__node_bytes(&x), 0);
    x = (xa__extents){.ranks = 1, .rows = SIZE_MAX / 4};
    assert_int_equal(xa__node_bytes(&x), 0);
    x = (xa__extents){.ranks = 0};
    assert_int_equal(xa__node_bytes(&x), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_processes),
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
