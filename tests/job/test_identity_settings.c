/* Every setting of a job and every column of a manifest, changed as identity/settings.txt says: the
 * part of the identity that it says moves, and no other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest/manifest_internal.h" /* the columns */
#include "settings.h"
#include "xaudit/job.h"
#include "xaudit_cmocka.h"

enum { PASS = 1, MAPS = 2, SCORES = 4, OTHER = 8, ROWS = 512, SETS = 4 };

typedef struct row {
    char *line; /* its own memory; the texts are parts of it */
    int number; /* of the line */
    char *job, *setting, *set[SETS];
    unsigned parts;
    int nset;
} row;
static row rows[ROWS];
static int nrows;

/* ---- the table ---- */

static char *trim(char *text)
{
    while (*text == ' ')
        text++;
    for (size_t n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\n'); n--)
        text[n - 1] = '\0';
    return text;
}

static unsigned parse_parts(char *text, int line)
{
    unsigned parts = 0;
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        const unsigned part = !strcmp(w, "pass")     ? PASS
                              : !strcmp(w, "maps")   ? MAPS
                              : !strcmp(w, "scores") ? SCORES
                                                     : 0;
        if (!part && strcmp(w, "none"))
            fail_msg("settings.txt:%d: \"%s\" is no part: pass, maps, scores or none", line, w);
        parts |= part;
    }
    return parts;
}

/* A folder like the table's own, whose files are links, and moved/, where some lie once more. */
static char root[] = "/tmp/xaudit-identity-XXXXXX";
static const char *const links[][2] = {
    {"golden", "tests/golden"},
    {"app/identity/base.yaml", "tests/job/identity/base.yaml"},
    {"app/identity/wsol.yaml", "tests/job/identity/wsol.yaml"},
    {"app/identity/base.csv", "tests/job/identity/base.csv"},
    {"app/identity/classes.txt", "tests/job/identity/classes.txt"},
    {"app/identity/categories.txt", "tests/job/identity/categories.txt"},
    {"app/identity/gelu_tanh.json", "tests/job/identity/gelu_tanh.json"},
    {"app/identity/images", "tests/job/identity/images"},
    {"app/identity/wsol", "tests/job/identity/wsol"},
    {"app/identity/moved/base.csv", "tests/job/identity/base.csv"},
    {"app/identity/moved/images", "tests/job/identity/images"},
    {"app/identity/moved/wsol", "tests/job/identity/wsol"},
    {"app/identity/moved/head_softmax_layer.h5", "tests/golden/keras/tf215/head_softmax_layer.h5"}};
enum { LINKS = sizeof links / sizeof *links };
static const char *const folders[] = {"app",
                                      "app/identity",
                                      "app/identity/moved",
                                      "app/identity/copied",
                                      "app/identity/copied/images"};
enum { FOLDERS = sizeof folders / sizeof *folders };
static const char copied[] = "images/b_mask.png"; /* links are seen through where masks are read */

static int copy_mask(void)
{
    char *bytes = NULL;
    size_t size = 0;
    if (xa_read_file(copied, 1 << 16, &bytes, &size, NULL) != XA_OK)
        return 1;
    FILE *f = fopen("copied/images/b_mask.png", "w");
    const bool bad = !f || fwrite(bytes, 1, size, f) != size || fclose(f);
    free(bytes);
    return bad;
}

static int make_folder(void)
{
    char to[256], from[512];
    if (!mkdtemp(root))
        return 1;
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(to, sizeof to, "%s/%s", root, folders[i]);
        if (mkdir(to, 0700))
            return 1;
    }
    for (int i = 0; i < LINKS; i++) {
        snprintf(to, sizeof to, "%s/%s", root, links[i][0]);
        snprintf(from, sizeof from, "%s/%s", XA_PROJECT, links[i][1]);
        if (symlink(from, to))
            return 1;
    }
    snprintf(to, sizeof to, "%s/app/identity", root);
    return chdir(to) || copy_mask();
}

static void remove_folder(void)
{
    char path[256];
    for (int i = 0; i < LINKS; i++) {
        snprintf(path, sizeof path, "%s/%s", root, links[i][0]);
        (void)unlink(path);
    }
    (void)unlink("copied/images/b_mask.png");
    for (int i = FOLDERS; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", root, folders[i]);
        (void)rmdir(path);
    }
    (void)rmdir(root);
}

static int read_table(void **state)
{
    (void)state;
    char *text = NULL, *rest = NULL;
    size_t size = 0;
    int line = 0;
    if (xa_read_file(XA_PROJECT "/tests/job/identity/settings.txt", 1 << 20, &text, &size, NULL) !=
        XA_OK)
        return 1;
    if (make_folder())
        return 1;
    for (char *at = text; at && *at; at = rest) {
        rest = strchr(at, '\n');
        if (rest)
            *rest++ = '\0';
        line++;
        if (!*at || *at == '#')
            continue;
        row r = {.line = xa_strdup(at), .number = line};
        char *cell[3 + SETS], *next = r.line;
        int n = 0;
        while (next && n < 3 + SETS) {
            char *bar = strstr(next, "| ");
            cell[n++] = next;
            next = bar ? bar + 2 : NULL;
            if (bar)
                *bar = '\0';
        }
        if (n < 4 || next)
            fail_msg("settings.txt:%d: expected JOB | SETTING | PARTS | SET [| SET]", line);
        r.job = trim(cell[0]);
        r.setting = trim(cell[1]);
        r.parts = parse_parts(trim(cell[2]), line);
        for (int i = 3; i < n; i++)
            r.set[r.nset++] = trim(cell[i]);
        assert_true(nrows < ROWS);
        rows[nrows++] = r;
    }
    free(text);
    return 0;
}

static int free_table(void **state)
{
    (void)state;
    for (int i = 0; i < nrows; i++)
        free(rows[i].line);
    remove_folder();
    return 0;
}

static bool has_row(const char *setting)
{
    for (int i = 0; i < nrows; i++)
        if (!strcmp(rows[i].setting, setting))
            return true;
    return false;
}

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

/* The identity's lines of a job with some settings replaced. */
static char *identity(const char *file, const char *const *set, int nset, int number)
{
    xa_loaded l = {0};
    xa_err err = XA_ERR_INIT;
    xa_problems problems = {0};
    char *text = NULL;
    size_t size = 0;
    xa_str out = {0};
    const xa_job_options opt = {.set = set, .nset = nset};
    xa_status st = xa_read_file(file, 1 << 20, &text, &size, &err);
    if (st == XA_OK)
        st = xa_job_parse(file, text, size, &opt, &l.job, &problems, &err);
    l.has_job = st == XA_OK;
    if (st == XA_OK)
        st = xa_audit_create(&l.job.audit, &l.audit, &err);
    if (st == XA_OK)
        st = xa_load_manifest(&l, 0, &problems, &err);
    if (st == XA_OK)
        st = xa_job_identity(&l.job, l.audit, l.manifest, &out, &err);
    if (st != XA_OK)
        fail_msg("settings.txt:%d: %s; %s",
                 number,
                 err.message,
                 problems.count ? problems.items[0].text : "no problem told");
    xa_problems_fini(&problems);
    xa_loaded_fini(&l);
    free(text);
    return out.data;
}

static void note(void *arg, const xa_identity_line *l)
{
    unsigned *parts = arg;
    *parts |= !strncmp(l->key, "pass.", 5)     ? PASS
              : !strncmp(l->key, "maps.", 5)   ? MAPS
              : !strncmp(l->key, "scores.", 7) ? SCORES
                                               : OTHER;
}

static void tell(void *arg, const xa_identity_line *l)
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
            xa_str told = {0};
            (void)xa_identity_compare(before[wsol], after, tell, &told);
            print_error("settings.txt:%d: %s: moved%s%s%s%s (%s)\n",
                        r->number,
                        r->setting,
                        moved & PASS ? " pass" : "",
                        moved & MAPS ? " maps" : "",
                        moved & SCORES ? " scores" : "",
                        moved ? "" : " nothing",
                        told.data ? told.data : "");
            xa_str_free(&told);
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
        if (has_row(name))
            continue;
        print_error("the setting %s has no row in tests/job/identity/settings.txt\n", name);
        missing++;
    }
    if (missing)
        fail_msg(
            "%d settings are not looked at. For each, give base.yaml a value where it needs one, "
            "and add a row to tests/job/identity/settings.txt that sets another: what part of the "
            "identity it moves (pass: what models give; maps: which maps, and how; scores: "
            "metrics, "
            "checks, annotations), or none where a resumed run ends as a clean one. What moves a "
            "stored number or table also needs a line in src/job/identity_text.c, and a word in "
            "src/README.md#identity",
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
    };
    return cmocka_run_group_tests(tests, read_table, free_table);
}
