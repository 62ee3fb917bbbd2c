/* The report of a small archive: hostile names are only text, every section is there, nothing comes
 * from elsewhere, no hole of a template is left. */
#include "xaudit/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "view/small_archive.h"
#include "xaudit_cmocka.h"

enum { N = 6 };

/* Names as the archive allows them: letters, digits, "_.- "; ids, classes and messages hold
 * anything. */
static const char *const explainers[] = {"cam", "grad"};
static const char *const ids[N] = {"<script>alert(1)</script>",
                                   "\" onload=\"alert(2)",
                                   "a&amp;b",
                                   "@{title}",
                                   "\xff\x01 bytes",
                                   "' onerror='alert(3)"};
static const char *const classes[] = {"</table><img src=x>", "b&b"};
static const char *const messages[N] = {"", "", "", "", "", "<b>/secret/folder</b>"};
static const uint8_t status[N] = {1, 1, 1, 1, 1, XA_SAMPLE_FAILED};
static const uint8_t stage[N] = {0, 0, 0, 0, 0, XA_STAGE_DECODE};
static const double energy[N] = {0.5, 0.1, 0.9, 0.3, 0.7, NAN};
static const double agreement[N] = {0.9, 0.1, 0.5, 0.2, -0.3, NAN};
static const double blob[N] = {0.1, 0.05, 0.2, 0.1, 0.3, NAN};
static const small_series series[] = {
    {.explainer = "centre",
     .metric = "energy",
     .value = blob,
     .conventions = "a < b & \"c\"",
     .baseline = true},
    {.explainer = "cam", .metric = "energy", .value = energy, .conventions = "a < b & \"c\""},
    {.explainer = "grad", .metric = "energy", .value = energy, .conventions = "a < b & \"c\""}};
static const small_archive hostile = {.samples = N,
                                      .pairs = N,
                                      .classes = 2,
                                      .id = ids,
                                      .class_names = classes,
                                      .status = status,
                                      .stage = stage,
                                      .message = messages,
                                      .explainer = explainers,
                                      .explainers = 2,
                                      .agreement = agreement,
                                      .series = series,
                                      .nseries = 3,
                                      .job = "# </pre><script>\nname: x\n"};

static char output[64];

static char *report(const small_archive *a, xa_report_options o, int64_t *missing)
{
    char *text = NULL;
    size_t size;
    xa_err err = XA_ERR_INIT;
    small_archive_write(a, small_archive_name(0));
    snprintf(output, sizeof output, "/tmp/xa_report_%d.html", (int)getpid());
    o.archive = small_archive_name(0);
    o.output = output;
    if (xa_report_write(&o, missing, &err) != XA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(xa_read_file(output, 1 << 24, &text, &size, &err), XA_OK);
    assert_true(xa_str_is_utf8(text, size));
    return text;
}

static int count(const char *text, const char *words)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        n++;
    return n;
}

static void must_hold(const char *text, const char *words, bool yes)
{
    if ((strstr(text, words) != NULL) != yes)
        fail_msg("%s \"%s\"", yes ? "no" : "there is", words);
}

static void test_hostile(void **state)
{
    (void)state;
    int64_t missing;
    char *text = report(&hostile, (xa_report_options){.images = true}, &missing);
    assert_int_equal(count(text, "<script>"), 1);
    assert_int_equal(count(text, "</script>"), 2); /* the other one has data */
    assert_int_equal(count(text, "<style>"), 1);
    static const char *const escaped[] = {"\"\\u003cscript\\u003ealert(1)\\u003c/script\\u003e\"",
                                          "\"\\u0022 onload=\\u0022alert(2)\"",
                                          "\"a\\u0026amp;b\"",
                                          "\"@{title}\"",
                                          "\"?? bytes\"",
                                          "&#39; onerror=&#39;alert(3)",
                                          "&lt;/table&gt;&lt;img src=x&gt;",
                                          "a &lt; b &amp; &quot;c&quot;",
                                          "&lt;b&gt;/secret/folder&lt;/b&gt;",
                                          "# &lt;/pre&gt;&lt;script&gt;"};
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++)
        must_hold(text, escaped[i], true);
    static const char *const never[] = {
        "<img src=x>", "\" onload=", "' onerror=", "<b>/secret", "</table><img"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        must_hold(text, never[i], false);
    free(text);
}

static void test_sections(void **state)
{
    (void)state;
    int64_t missing;
    char *text =
        report(&hostile, (xa_report_options){.images = true, .title = "My <audit>"}, &missing);
    static const char *const ids_of[] = {"figures", "charts", "images", "failures", "methods"};
    const char *last = text;
    for (size_t i = 0; i < sizeof ids_of / sizeof *ids_of; i++) { /* in this order, each linked */
        char heading[64], link[64];
        snprintf(heading, sizeof heading, "<h2 id=\"%s\">", ids_of[i]);
        snprintf(link, sizeof link, "<a href=\"#%s\">", ids_of[i]);
        assert_int_equal(count(text, heading), 1);
        assert_int_equal(count(text, link), 1);
        const char *at = strstr(text, heading);
        assert_true(at > last);
        last = at;
    }
    must_hold(text, "<title>My &lt;audit&gt;</title>", true);
    must_hold(text, "<p class=kick>My &lt;audit&gt;</p>", true);
    must_hold(text, "6 images in the manifest", true);
    must_hold(text, "<td class=n data-v=\"0.5\">0.5000 [", true);
    must_hold(text, "<td>decoding</td>", true);
    must_hold(text, "<b>Against a blob at the centre:</b> all 2 explainers are better", true);
    must_hold(text, "<h1>16.7 % of the images failed.</h1>", true);
    must_hold(text, "\"explainers\":[{\"m\":0,\"name\":\"cam\"", true);
    must_hold(text, "The audit was made with xaudit", true);
    assert_true(missing > 0 && count(text, "image not found") == missing);
    /* nothing of elsewhere: pictures are data, links stay on the page; xmlns is a name */
    char *script = strstr(text, "<script>");
    assert_non_null(script);
    *script = '\0'; /* what it writes is tested in a browser */
    assert_int_equal(count(text, "src=\""), 0);
    assert_int_equal(count(text, "href=\""), count(text, "href=\"#"));
    assert_int_equal(count(text, "http"), count(text, "=\"http://www.w3.org/"));
    must_hold(text, "@import", false);
    must_hold(text, "url(http", false);
    must_hold(text, "@!{", false);
    assert_int_equal(count(text, "@{"), count(text, "@{title}")); /* that of an id */
    /* tables end as often as they begin */
    static const char *const tags[] = {"table", "tr", "td", "th", "thead", "tbody", "figure", "dl"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        char open_tag[16], with[16], close_tag[16];
        snprintf(open_tag, sizeof open_tag, "<%s>", tags[i]);
        snprintf(with, sizeof with, "<%s ", tags[i]);
        snprintf(close_tag, sizeof close_tag, "</%s>", tags[i]);
        assert_int_equal(count(text, open_tag) + count(text, with), count(text, close_tag));
    }
    assert_true(strlen(text) < 200000); /* a few small images, and charts */
    free(text);
}

static void test_anonymous(void **state)
{
    (void)state;
    int64_t missing;
    char *text = report(&hostile, (xa_report_options){.anonymise = true}, &missing);
    must_hold(text, "/secret", false);
    must_hold(text, "The job", false);
    must_hold(text, "id=data", false); /* no images were asked for */
    must_hold(text, "data:image", false);
    assert_int_equal(missing, 0);
    free(text);
    small_archive a = hostile;
    a.nseries = 0;
    a.status = a.stage = NULL;
    text = report(&a, (xa_report_options){0}, &missing);
    must_hold(text, "<p>No localisation scores", true);
    must_hold(text, "<p>No image failed.</p>", true);
    free(text);
}

/* Two hundred failures are shown, the others counted. */
static void test_many_failures(void **state)
{
    (void)state;
    enum { MANY = 203 };
    static uint8_t failed[MANY], at[MANY];
    memset(failed, XA_SAMPLE_FAILED, sizeof failed);
    memset(at, XA_STAGE_READ, sizeof at);
    const small_archive a = {.samples = MANY, .classes = 2, .status = failed, .stage = at};
    int64_t missing;
    char *text = report(&a, (xa_report_options){0}, &missing);
    must_hold(text, "<p>The first 200 of 203.</p>", true);
    assert_int_equal(count(text, "<td>reading</td>"), 200);
    free(text);
}

static void test_refusals(void **state)
{
    (void)state;
    int64_t missing;
    xa_err err = XA_ERR_INIT;
    small_archive_write(&hostile, small_archive_name(0));
    xa_report_options o = {.archive = small_archive_name(0), .output = "/tmp"};
    assert_int_equal(xa_report_write(&o, &missing, &err), XA_INVALID);
    assert_non_null(strstr(err.message, "/tmp"));
    o.output = "/nowhere/r.html";
    assert_int_equal(xa_report_write(&o, &missing, &err), XA_IO);
    assert_non_null(strstr(err.message, "/nowhere/r.html"));
    /* an archive that is none leaves what was there, and nothing half done */
    FILE *f = fopen(output, "w");
    assert_non_null(f);
    fputs("before", f);
    fclose(f);
    o.output = output;
    o.archive = "/dev/null";
    assert_true(xa_report_write(&o, &missing, &err) != XA_OK);
    char part[80], text[16] = "";
    snprintf(part, sizeof part, "%s.part", output);
    struct stat info;
    assert_int_equal(stat(part, &info), -1);
    f = fopen(output, "r");
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_string_equal(text, "before");
}

static int cleanup(void **state)
{
    (void)state;
    unlink(small_archive_name(0));
    unlink(output);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_sections),
                                       cmocka_unit_test(test_anonymous),
                                       cmocka_unit_test(test_many_failures),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, cleanup);
}
