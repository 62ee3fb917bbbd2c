/* Every setting of a job and every column of a manifest, changed: the part of the identity that its
 * row says moves, and no other. Rows are those of identity/settings.txt, and for each plain setting
 * of src/job/settings.def one that follows from the table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity_rows.h"
#include "manifest/manifest_internal.h" /* the columns */
#include "setting_places.h"
#include "xaudit/job.h"
#include "xaudit_cmocka.h"

static bool is_setting(const char *name)
{
    size_t count;
    const xa_setting *all = xa__settings(&count);
    for (size_t i = 0; i < count; i++) {
        const char *of = xa__map_name(all[i].map), *key = all[i].key ? all[i].key : "";
        const size_t n = strlen(of);
        if (!strncmp(name, of, n) && name[n] == '.' && !strcmp(name + n + 1, key))
            return true;
    }
    return false;
}

/* ---- identities ---- */

static void note(void *arg, const xa_identity_line *l)
{
    unsigned *parts = arg;
    *parts |= !strncmp(l->key, "pass.", 5)     ? PASS
              : !strncmp(l->key, "maps.", 5)   ? MAPS
              : !strncmp(l->key, "scores.", 7) ? SCORES
                                               : OTHER;
}

static void list(void *arg, const xa_identity_line *l)
{
    xa_identity_tell(arg, l, "before", "after");
}

/* base.csv with one cell of one line replaced, as a file of this folder. */
static void change_cell(const row *r, const char *column, const char *to)
{
    char *text = NULL, *rest = NULL, *value = NULL;
    size_t size = 0;
    xa_str out = {0};
    int64_t at_line = 0;
    int at_column = -1, line = 0;
    char *eq = strchr(r->set[0], '=');
    assert_non_null(eq);
    *eq = '\0';
    value = eq + 1;
    assert_true(xa_parse_i64(r->set[0], &at_line));
    *eq = '=';
    assert_int_equal(xa_read_file("base.csv", 1 << 20, &text, &size, NULL), XA_OK);
    for (char *at = text; *at; at = rest) {
        rest = strchr(at, '\n');
        *rest++ = '\0';
        line++;
        int k = 0;
        for (char *cell = at, *next; cell; cell = next, k++) {
            next = strchr(cell, ',');
            if (next)
                *next++ = '\0';
            if (line == 1 && !strcmp(cell, column))
                at_column = k;
            xa_str_printf(
                &out, "%s%s", k ? "," : "", line == at_line && k == at_column ? value : cell);
        }
        xa_str_puts(&out, "\n");
    }
    assert_true(at_column >= 0 && at_line > 1 && at_line <= line);
    FILE *f = fopen(to, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(out.data, 1, out.len, f), out.len);
    assert_int_equal(fclose(f), 0);
    xa_str_free(&out);
    free(text);
}

static void test_parts(void **state)
{
    (void)state;
    char *before[2] = {identity("base.yaml", NULL, 0, 0), identity("wsol.yaml", NULL, 0, 0)};
    const bool fused = strstr(before[0], "pass.arithmetic = fused") != NULL;
    int bad = 0;
    for (int i = 0; i < nrows; i++) {
        const row *r = &rows[i];
        const bool wsol = !strcmp(r->job, "wsol"), column = !strncmp(r->setting, "column.", 7);
        const char *change = NULL;
        if (!wsol && strcmp(r->job, "base"))
            fail_msg("settings.txt:%d: \"%s\" is no job", r->number, r->job);
        if (column) {
            change_cell(r, r->setting + 7, "changed.csv");
            change = "manifest=changed.csv";
        }
        char *after = identity(wsol ? "wsol.yaml" : "base.yaml",
                               column ? &change : (const char *const *)r->set,
                               column ? 1 : r->nset,
                               r->number);
        if (column)
            (void)unlink("changed.csv");
        unsigned moved = 0, wanted = r->parts;
        if (!strcmp(r->setting, "job.threads") && !fused)
            wanted = PASS;
        (void)xa_identity_compare(before[wsol], after, note, &moved);
        if (moved != wanted) {
            xa_str differences = {0};
            (void)xa_identity_compare(before[wsol], after, list, &differences);
            print_error("settings.txt:%d: %s: moved%s%s%s%s (%s)\n",
                        r->number,
                        r->setting,
                        moved & PASS ? " pass" : "",
                        moved & MAPS ? " maps" : "",
                        moved & SCORES ? " scores" : "",
                        moved ? "" : " nothing",
                        differences.data ? differences.data : "");
            xa_str_free(&differences);
            bad++;
        }
        free(after);
    }
    free(before[0]);
    free(before[1]);
    if (bad)
        fail_msg("%d rows of tests/job/identity/settings.txt are not what src/job/identity_text.c "
                 "does: a setting that moves a stored number or table needs a line there",
                 bad);
}

/* ---- what the table of settings says ---- */

/* A row of settings.txt moves no part that the table does not name. */
static void test_table_parts(void **state)
{
    (void)state;
    size_t n;
    const xa_setting *all = xa__settings(&n);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        unsigned seen = 0;
        char name[128];
        if (!s->key || s->type == XA__MAP)
            continue;
        snprintf(name, sizeof name, "%s.%s", xa__map_name(s->map), s->key);
        for (int r = 0; r < nrows; r++)
            if (!strcmp(rows[r].setting, name)) {
                seen |= rows[r].parts;
                if (rows[r].parts & ~s->part)
                    fail_msg("settings.txt:%d: moves a part that settings.def does not name",
                             rows[r].number);
            }
        /* `within`: what it points to may stay the same, as the contents of another path */
        if (seen != s->part && !s->within && has_row(name) && strcmp(name, "job.threads") != 0)
            fail_msg("%s: settings.def names a part that no row of settings.txt moves", name);
    }
}

/* Changes a plain setting at one of its places; the identity's lines after it, or NULL where the
 * job does not go with that, as with a layer that another model has. */
static char *changed(const char *path, const char *value)
{
    char *set = xa_strfmt("%s=%s", path, value), *text = NULL, *after = NULL;
    const xa_job_options opt = {.set = (const char *const *)&set, .nset = 1};
    xa_problems problems = {0};
    xa_audit *audit = NULL;
    size_t size = 0;
    xa_job j;
    assert_non_null(set);
    assert_int_equal(xa_read_file("base.yaml", 1 << 20, &text, &size, NULL), XA_OK);
    if (xa_job_parse("base.yaml", text, size, &opt, &j, &problems, NULL) == XA_OK) {
        const bool fits = xa_audit_create(&j.audit, &audit, NULL) == XA_OK;
        xa_audit_free(audit);
        xa_job_fini(&j);
        if (fits)
            after = identity("base.yaml", (const char *const *)&set, 1, 0);
    }
    xa_problems_fini(&problems);
    free(text);
    free(set);
    return after;
}

/* True: the setting moved what the table says at one of its places. */
static bool moves_its_parts(const xa_job *j, const xa_setting *s, const char *before, bool fused)
{
    xa_str path = {0}, value = {0};
    const void *object;
    bool done = false;
    for (int i = 0; !done && setting_place(j, s, i, &path, &object); i++) {
        unsigned moved = 0, wanted = s->part;
        xa_str_free(&value);
        assert_true(setting_other(s, object, &value));
        char *after = changed(path.data, value.data);
        if (!after)
            continue;
        if (s->map == XA_JOB_JOB && !strcmp(s->key, "threads") && fused)
            wanted = 0; /* fused arithmetic gives the same bytes with any number of them */
        (void)xa_identity_compare(before, after, note, &moved);
        if (moved != wanted)
            fail_msg("%s=%s moves %x of the identity, settings.def says %x",
                     path.data,
                     value.data,
                     moved,
                     wanted);
        done = true;
        free(after);
    }
    xa_str_free(&path);
    xa_str_free(&value);
    return done;
}

/* Does test_plain_settings try it? */
static bool is_tried(const xa_setting *s)
{
    const bool place = s->map == XA_JOB_JOB || s->map == XA_JOB_LIMITS || s->map == XA_JOB_STORE ||
                       s->map == XA_JOB_MODEL || s->map == XA_JOB_INPUT ||
                       s->map == XA_JOB_EXPLAINER || s->map == XA_JOB_METRIC ||
                       s->map == XA_JOB_CHECK;
    return place && xa__is_plain(s) && !s->before && s->type != XA__TEXT && s->type != XA__PATH &&
           s->type != XA__NAME;
}

static void test_plain_settings(void **state)
{
    (void)state;
    size_t n, size = 0;
    const xa_setting *all = xa__settings(&n);
    char *before = identity("base.yaml", NULL, 0, 0), *text = NULL;
    const bool fused = strstr(before, "pass.arithmetic = fused") != NULL;
    xa_problems problems = {0};
    xa_job j;
    int tried = 0;
    assert_int_equal(xa_read_file("base.yaml", 1 << 20, &text, &size, NULL), XA_OK);
    assert_int_equal(xa_job_parse("base.yaml", text, size, NULL, &j, &problems, NULL), XA_OK);
    for (size_t i = 0; i < n; i++) {
        const xa_setting *s = &all[i];
        const void *object;
        xa_str path = {0};
        const bool placed = s->key && setting_place(&j, s, 0, &path, &object);
        xa_str_free(&path);
        if (!placed || !is_tried(s))
            continue;
        /* all models of a job have one orientation: its row changes two places at once */
        if (s->map == XA_JOB_INPUT && !strcmp(s->key, "orientation"))
            continue;
        tried++;
        if (!moves_its_parts(&j, s, before, fused))
            fail_msg("%s could be tried at no place of base.yaml", s->key);
    }
    assert_true(tried > 25);
    xa_job_fini(&j);
    free(text);
    free(before);
}

/* ---- nothing is left out ---- */

static void test_all_settings(void **state)
{
    (void)state;
    size_t count;
    const xa_setting *all = xa__settings(&count);
    int missing = 0;
    for (size_t i = 0; i < count; i++) {
        char name[128];
        if (!all[i].key)
            continue;
        snprintf(name, sizeof name, "%s.%s", xa__map_name(all[i].map), all[i].key);
        if (has_row(name) || is_tried(&all[i]))
            continue;
        print_error("the setting %s has no row in tests/job/identity/settings.txt\n", name);
        missing++;
    }
    if (missing)
        fail_msg("%d settings are not tried, because no type reads them. For each, give base.yaml "
                 "a value "
                 "where it needs one, and add a row to tests/job/identity/settings.txt that sets "
                 "another "
                 "and names the part of the identity that its row in src/job/settings.def names, "
                 "or none",
                 missing);
}

static void test_all_columns(void **state)
{
    (void)state;
    static const char *const columns[] = {
#define X(name) "column." #name,
        XA__COLUMNS(X)
#undef X
    };
    int missing = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (!has_row(columns[i])) {
            print_error("%s has no row in tests/job/identity/settings.txt\n", columns[i]);
            missing++;
        }
    if (missing)
        fail_msg(
            "%d columns of the manifest are not looked at. For each, add the column to "
            "tests/job/identity/base.csv, a row that changes a cell of it to settings.txt, and "
            "what it says to a part in src/manifest/manifest_identity.c",
            missing);
}

/* No row of a setting that is no more. */
static void test_no_others(void **state)
{
    (void)state;
    for (int i = 0; i < nrows; i++)
        if (strncmp(rows[i].setting, "column.", 7) && !is_setting(rows[i].setting))
            fail_msg("settings.txt:%d: \"%s\" is no setting of a job (src/job/settings.def)",
                     rows[i].number,
                     rows[i].setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_settings),
        cmocka_unit_test(test_all_columns),
        cmocka_unit_test(test_no_others),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_table_parts),
        cmocka_unit_test(test_plain_settings),
    };
    return cmocka_run_group_tests(tests, read_table, free_table);
}
