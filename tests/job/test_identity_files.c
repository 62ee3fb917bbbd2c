/* Files that an identity hashes: one that is gone when its turn comes ends the run, since an
 * identity without it would also fit other weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/job.h"
#include "xaudit_cmocka.h"

static const char job_text[] = "manifest: manifest.csv\n"
                               "output: out.h5\n"
                               "models:\n"
                               "  - name: net\n"
                               "    file: resnet.dy.onnx\n"
                               "    head: softmax\n"
                               "    input: { size: [24, 24], resize: pil-bilinear, scale: torch }\n"
                               "    explainers: [saliency]\n";

static void expect(xa_status st, xa_status want, const xa_err *err)
{
    if (st != want)
        fail_msg("status %d instead of %d: %s", (int)st, (int)want, err->message);
}

static void copy_here(const char *name)
{
    char *data = NULL, path[512];
    size_t size = 0;
    xa_err err = XA_ERR_INIT;
    snprintf(path, sizeof path, XA_TEST_DATA "/golden/onnx/%s", name);
    expect(xa_read_file(path, 1 << 24, &data, &size, &err), XA_OK, &err);
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    free(data);
}

/* The job's identity, asked for when its model is open and `lost` is deleted. */
static xa_status identity_without(const char *lost, xa_str *out, xa_err *err)
{
    xa_loaded l = {0};
    xa_problems problems = {0};
    const xa_job_options opt = {0};
    expect(xa_job_parse("job.yaml", job_text, sizeof job_text - 1, &opt, &l.job, &problems, err),
           XA_OK,
           err);
    l.has_job = true;
    expect(xa_audit_create(&l.job.audit, &l.audit, err), XA_OK, err);
    expect(xa_load_manifest(&l, 0, &problems, err), XA_OK, err);
    if (lost)
        assert_int_equal(unlink(lost), 0);
    const xa_status st = xa_job_identity(&l.job, l.audit, l.manifest, out, err);
    xa_problems_fini(&problems);
    xa_loaded_fini(&l);
    return st;
}

static void test_file_beside_is_lost(void **state)
{
    (void)state;
    xa_str text = {0};
    xa_err err = XA_ERR_INIT;
    char folder[] = "/tmp/xa-identity-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    copy_here("resnet.dy.onnx");
    copy_here("resnet.dy.onnx.data");
    FILE *f = fopen("manifest.csv", "w");
    assert_non_null(f);
    fputs("path\na.png\n", f);
    assert_int_equal(fclose(f), 0);

    expect(identity_without(NULL, &text, &err), XA_OK, &err);
    assert_non_null(strstr(text.data, "config_sha256 = "));
    xa_str_free(&text);

    expect(identity_without("resnet.dy.onnx.data", &text, &err), XA_IO, &err);
    assert_non_null(strstr(err.message, "a file beside model \"resnet.dy.onnx\""));
    xa_str_free(&text);

    unlink("resnet.dy.onnx");
    unlink("manifest.csv");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file_beside_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
