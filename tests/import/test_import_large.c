/* A COCO file as large as the real one, in bounded memory: a tenth of it in the plain run, all 450
 * MB with XA_FULL=1. The import runs in a child, whose peak is what the system says it was. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "import_folder.h"

enum { POINTS = 40 };

static int64_t write_source(const char *path, int64_t images, int64_t annotations)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "{\"annotations\": [");
    for (int64_t i = 0; i < annotations; i++) {
        const int64_t image = xa_random_below(3, 0, (uint64_t)i, images);
        fprintf(f, "%s{\"segmentation\": [[", i > 0 ? ", " : "");
        for (uint64_t k = 0; k < 2 * POINTS; k++)
            fprintf(f, "%s%.2f", k > 0 ? ", " : "", 60.0 * xa_random_unit(3, (uint64_t)i, k));
        fprintf(f,
                "]], \"area\": 702.1, \"iscrowd\": 0, \"image_id\": %lld, \"bbox\": [1.5, 2.25, "
                "30, 40], \"category_id\": %lld, \"id\": %lld}",
                (long long)image + 1,
                (long long)(i % 80) + 1,
                (long long)i + 1);
    }
    fprintf(f, "], \"images\": [");
    for (int64_t i = 0; i < images; i++)
        fprintf(f,
                "%s{\"license\": 3, \"file_name\": \"a.jpg\", \"coco_url\": "
                "\"http://example.org/train/%012lld.jpg\", \"height\": 64, \"width\": 64, \"id\": "
                "%lld}",
                i > 0 ? ", " : "",
                (long long)i,
                (long long)i + 1);
    fprintf(f, "], \"categories\": [");
    for (int i = 1; i <= 80; i++)
        fprintf(f, "%s{\"id\": %d, \"name\": \"class %d\"}", i > 1 ? ", " : "", i, i);
    fprintf(f, "]}");
    const int64_t size = ftell(f);
    assert_int_equal(fclose(f), 0);
    return size;
}

static void test_memory(void **state)
{
    (void)state;
    const char *full = getenv("XA_FULL");
    const int64_t scale = full != NULL && full[0] != '\0' ? 10 : 1;
    const int64_t images = 11829 * scale;
    const int64_t annotations = 86000 * scale;
    folder f = make_folder();
    char source[96];
    struct rusage usage;
    int status = 0;
    snprintf(source, sizeof source, "%s/big.json", f.path);
    put_file(&f, "a.jpg", "x", 1);
    const int64_t size = write_source(source, images, annotations);
    fflush(stdout);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const xa_import_options o = {
            .format = XA_IMPORT_COCO, .source = source, .images = f.path, .output = f.out};
        xa_import_report r = {0};
        const bool good =
            xa_import(&o, &r, NULL, NULL) == XA_OK && r.images == images && r.boxes == annotations;
        xa_import_report_fini(&r);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    print_message("%.0f MB in %.1f s, at most %.0f MB of memory\n",
                  (double)size / 1e6,
                  (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec,
                  1024.0 * (double)usage.ru_maxrss / 1e6);
#ifndef __SANITIZE_ADDRESS__
    /* The child begins with this process's few megabytes. */
    assert_true(1024.0 * (double)usage.ru_maxrss < (scale == 10 ? 300e6 : 60e6));
#endif
    remove_folder(&f);
}

/* Drawing does not hold the shapes either. */
static void test_masks(void **state)
{
    (void)state;
    folder f = make_folder();
    char source[96];
    snprintf(source, sizeof source, "%s/big.json", f.path);
    put_file(&f, "a.jpg", "x", 1);
    write_source(source, 300, 3000);
    imported r = run_import(
        &f,
        (xa_import_options){
            .format = XA_IMPORT_COCO, .source = source, .images = f.path, .as_masks = true});
    assert_int_equal(r.st, XA_OK);
    assert_true(r.report.masks > 2000 && r.report.masks == r.report.mask_files);
    xa_manifest_free(read_back(&f, &r, NULL));
    imported_fini(&r);
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
