#include "identity_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xaudit_cmocka.h"

row rows[ROWS];
int nrows;

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

int read_table(void **state)
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

int free_table(void **state)
{
    (void)state;
    for (int i = 0; i < nrows; i++)
        free(rows[i].line);
    remove_folder();
    return 0;
}

bool has_row(const char *setting)
{
    for (int i = 0; i < nrows; i++)
        if (!strcmp(rows[i].setting, setting))
            return true;
    return false;
}

/* ---- identities ---- */

char *identity(const char *file, const char *const *set, int nset, int number)
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
                 problems.count ? problems.items[0].text : "no problem reported");
    xa_problems_fini(&problems);
    xa_loaded_fini(&l);
    free(text);
    return out.data;
}
