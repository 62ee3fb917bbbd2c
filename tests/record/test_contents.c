/* The fields of a job's archive: the same on the rank that holds the manifest and on the others,
 * and with each option those that it asks for and no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/record.h"
#include "xaudit_cmocka.h"

static char folder[64];

/* Two explainers, a label and an annotation a sample, one further column. */
static const char manifest[] = "path,id,label,class,kind,x0,y0,x1,y1,exclude,light\n"
                               "a.png,a,1,1,box,1,1,9,9,,day\n"
                               "b.png,bb,0,0,box,2,2,8,8,,night\n"
                               "b.png,bb,0,2,box,3,3,8,8,,night\n"
                               "c.png,ccc,2,2,box,0,0,4,4,blurred,day\n";

static const char base[] = "manifest: m.csv\n"
                           "output: out.h5\n"
                           "classes: [ant, bee, cat, dog, eel]\n"
                           "models:\n"
                           "  - name: cnn\n"
                           "    file: " XA_TESTS "/golden/keras/tf215/head_softmax_layer.h5\n"
                           "    input: { size: [14, 12], resize: pil-bilinear, scale: tf }\n"
                           "    explainers:\n"
                           "      - { kind: saliency, target: predicted }\n"
                           "      - { kind: gradcam, layer: auto, target: annotated%s }\n"
                           "%s";

static int make_folder(void **state)
{
    char path[128];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/xa_record_XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/m.csv", folder);
    FILE *f = fopen(path, "w");
    return !f || fputs(manifest, f) < 0 || fclose(f) != 0;
}

static int remove_folder(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/m.csv", folder);
    return unlink(path) != 0 || rmdir(folder) != 0;
}

/* A job with its contents: of the rank that holds the manifest, and of another. */
typedef struct contents {
    xa_loaded l;
    xa_contents *root, *other;
} contents;

static void load(contents *c, const char *explainer, const char *rest)
{
    char file[128], text[2048];
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    xa_counts counts;
    *c = (contents){.root = NULL};
    snprintf(file, sizeof file, "%s/j.yaml", folder);
    snprintf(text, sizeof text, base, explainer, rest);
    xa_status st = xa_job_parse(file, text, strlen(text), NULL, &c->l.job, &problems, &err);
    c->l.has_job = st == XA_OK;
    if (st == XA_OK)
        st = xa_audit_create(&c->l.job.audit, &c->l.audit, &err);
    if (st == XA_OK)
        st = xa_load_manifest(&c->l, 0, &problems, &err);
    if (st == XA_OK) {
        xa_counts_of(c->l.manifest, &counts);
        st = xa_contents_create(
            &c->l.job, c->l.audit, &counts, c->l.manifest, "a = b\n", &c->root, &err);
    }
    if (st == XA_OK)
        st = xa_contents_create(&c->l.job, c->l.audit, &counts, NULL, "a = b\n", &c->other, &err);
    if (st != XA_OK)
        fail_msg("%s; %s", err.message, problems.count ? problems.items[0].text : "no problem");
    xa_problems_fini(&problems);
}

static void unload(contents *c)
{
    xa_contents_free(c->root);
    xa_contents_free(c->other);
    xa_loaded_fini(&c->l);
}

/* All indices of fields of one contents, in the order of the structures. */
static int indices(const xa_contents *c, int *out)
{
    const xa_audit_spec *spec = &c->job->audit;
    int n = 0;
#define ALL(array, count)                       \
    for (int i_ = 0; i_ < (int)(count); i_++) { \
        assert_in_range(n, 0, 499);             \
        out[n++] = (array)[i_];                 \
    }
    ALL(c->sample, XA_FIELDS_OF(SAMPLE))
    ALL(c->annotation, XA_FIELDS_OF(ANNOTATION))
    ALL(c->session, XA_FIELDS_OF(SESSION))
    for (int m = 0; m < spec->nmodels; m++) {
        const xa_model_fields *f = &c->models[m];
        ALL(f->column, XA_FIELDS_OF(MODEL))
        ALL(f->agreement, xa_explainer_pairs(&spec->models[m]) * XA_AGREEMENT_COUNT)
        for (int e = 0; e < xa_scored(&spec->models[m]); e++) {
            const xa_map_fields *x = &f->maps[e];
            if (x->localisation)
                ALL(x->localisation, spec->nmetrics)
            if (x->statistic)
                ALL(x->statistic, spec->nmetrics)
            if (e >= spec->models[m].nexplainers)
                continue; /* a baseline has no maps */
            out[n++] = x->values;
            out[n++] = x->sample;
            for (int i = 0; i < XA_FIELDS_OF(MAP); i++)
                if (xa_map_stores(&spec->models[m].explainers[e], xa_owned_field(XA_OWNER_MAP, i)))
                    out[n++] = x->column[i];
                else
                    assert_int_equal(x->column[i], -1);
            ALL(x->score, XA_MAP_SCORE_COUNT)
            for (int k = 0; k < XA_CHECK_COUNT; k++)
                if (xa_checked(spec, (xa_check_kind)k))
                    out[n++] = x->check[k];
        }
    }
#undef ALL
    return n;
}

/* Every field has one number, the same on all ranks, and a row of as many bytes. */
static void check_order(const contents *c)
{
    int a[512], b[512], present = 0;
    const int n = indices(c->root, a);
    const int fields = xa_schema_fields(c->other->schema);
    uint64_t seed, other_seed;
    assert_int_equal(indices(c->other, b), n);
    assert_int_equal(xa_schema_fields(c->root->schema), fields + c->l.manifest->nextra);
    for (int i = 0; i < n; i++) {
        assert_int_equal(a[i], b[i]);
        assert_in_range(a[i] + 1, 0, fields);
        for (int k = 0; k < i; k++)
            assert_true(a[i] < 0 || a[i] != a[k]);
        present += a[i] >= 0;
    }
    assert_true(present > 40);
    for (int f = 0; f < fields; f++) {
        seed = other_seed = 0;
        assert_int_equal(xa_schema_row_bytes(c->root->schema, f),
                         xa_schema_row_bytes(c->other->schema, f));
        assert_true(xa_schema_row_bytes(c->root->schema, f) > 0);
        assert_int_equal(xa_schema_checksum(c->root->schema, f, &seed),
                         xa_schema_checksum(c->other->schema, f, &other_seed));
        assert_true(seed == other_seed); /* of the path: it is the same dataset */
    }
    assert_int_equal(xa_schema_row_bytes(c->root->schema, -1), 0);
    assert_int_equal(xa_schema_row_bytes(c->root->schema, 10000), 0);
}

static void test_order(void **state)
{
    (void)state;
    static const struct {
        const char *explainer, *rest;
    } jobs[] = {
        {"", ""},
        {", store: f16", "metrics: [pointing_game]\n"},
        {"", "store: { thumbnails: 16 }\nmetrics: [energy, { kind: box_acc, profile: wsol }]\n"},
        {"", "checks: [average_drop, random_logit]\nmetrics: [{ kind: pxap, profile: wsol }]\n"},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        contents c;
        load(&c, jobs[i].explainer, jobs[i].rest);
        check_order(&c);
        unload(&c);
    }
}

static void test_counts(void **state)
{
    (void)state;
    contents c;
    load(&c, "", "");
    const xa_counts *n = &c.root->counts;
    assert_int_equal(n->samples, 3);
    assert_int_equal(n->labels, 3);
    assert_int_equal(n->annotations, 4);
    assert_int_equal(n->pairs, 4);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_ID], 3);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_PATH], 5);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_EXCLUDE], 7);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_EXTRA], 5);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_GROUP], 1); /* empty: one byte all the same */
    assert_int_equal(n->text_bytes[XA_FIELD_ANN_MASK], 1);
    assert_int_equal(n->text_bytes[XA_FIELD_SAMPLE_LABEL], 0); /* numbers */
    assert_int_equal(xa_counts_rows(n, XA_TARGET_PREDICTED, 0), 3);
    assert_int_equal(xa_counts_rows(n, XA_TARGET_LABEL, 0), 3);
    assert_int_equal(xa_counts_rows(n, XA_TARGET_ANNOTATED, 0), 4);
    assert_int_equal(xa_counts_rows(n, XA_TARGET_TOP, 5), 15);
    unload(&c);
}

/* Rows of a field in bytes; 0: the archive does not have it. */
static size_t row(const contents *c, int field)
{
    return xa_schema_row_bytes(c->other->schema, field);
}

static void test_options(void **state)
{
    (void)state;
    contents c;
    /* nothing asked for */
    load(&c, "", "");
    const xa_contents *o = c.other;
    assert_int_equal(o->thumbnail, -1);
    assert_int_equal(o->thumbnail_size, -1);
    assert_int_equal(row(&c, o->pixel_hash), 8);
    assert_int_equal(row(&c, o->seconds), 4);
    assert_int_equal(row(&c, o->problem), 1);
    assert_int_equal(row(&c, o->mask_hash), 8);
    assert_int_equal(row(&c, o->models[0].logits), 5 * 4);
    assert_int_equal(row(&c, o->models[0].affine), 6 * 8);
    assert_int_equal(row(&c, o->models[0].message), XA_MESSAGE_BYTES);
    assert_int_equal(row(&c, o->models[0].maps[0].values), 14 * 12 * 4);
    assert_int_equal(row(&c, o->models[0].maps[0].peak), 2 * 4);
    assert_int_equal(row(&c, o->session_text), XA_SESSION_TEXT);
    assert_int_equal(row(&c, o->session_ranks), 4);
    const size_t cam = row(&c, o->models[0].maps[1].values);
    const int fields = xa_schema_fields(o->schema);
    unload(&c);
    /* half floats */
    load(&c, ", store: f16", "");
    assert_int_equal(row(&c, c.other->models[0].maps[1].values), cam / 2);
    assert_int_equal(xa_schema_fields(c.other->schema), fields);
    unload(&c);
    /* thumbnails: two fields and their checksums */
    load(&c, "", "store: { thumbnails: 16 }\n");
    assert_int_equal(row(&c, c.other->thumbnail), 16 * 16 * 3);
    assert_int_equal(row(&c, c.other->thumbnail_size), 2 * 4);
    assert_int_equal(xa_schema_fields(c.other->schema), fields + 3);
    unload(&c);
    /* checks: one field of each explainer and check */
    load(&c, "", "checks: [random_logit]\n");
    assert_int_equal(xa_schema_fields(c.other->schema), fields + 2);
    assert_int_equal(row(&c, c.other->models[0].maps[1].check[XA_CHECK_RANDOM_LOGIT]), 8);
    unload(&c);
    /* a metric: two explainers and their checksums, and the baselines with theirs */
    load(&c, "", "metrics: [pointing_game]\n");
    assert_int_equal(xa_schema_fields(c.other->schema), fields + 2 * (2 + XA_BASELINE_COUNT));
    assert_int_equal(row(&c, c.other->models[0].maps[0].localisation[0]), 8);
    assert_int_equal(c.other->models[0].maps[0].statistic[0], -1);
    unload(&c);
    /* one with statistics: twice as many */
    load(&c, "", "metrics: [{ kind: pxap, profile: wsol }]\n");
    assert_int_equal(xa_schema_fields(c.other->schema), fields + 4 * (2 + XA_BASELINE_COUNT));
    assert_int_equal(row(&c, c.other->models[0].maps[2].statistic[0]), 2 * 1001 * 4);
    unload(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
