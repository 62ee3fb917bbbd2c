/* Masks of a draft: existing files, files that are drawn, and copies of the image's size. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import_internal.h"
#include "xaudit/image.h"

/* Would a manifest read the file's name as a file and a value, as "mask#12"? */
static bool reads_as_value(const char *file, int32_t mask_value)
{
    const char *hash = strrchr(file, '#');
    if (mask_value != XA_MASK_ANY || !hash)
        return false;
    const char *digits = hash + 1 + (hash[1] == '>');
    return digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

xa_status xa__draft_mask(xa__draft *d,
                         int64_t image,
                         int32_t class_index,
                         uint8_t flags,
                         const char *file,
                         int32_t mask_value,
                         const char *ignore,
                         xa_err *err)
{
    xa__draft_note n = {.image = image,
                        .class_index = class_index,
                        .mask_value = mask_value,
                        .kind = XA_ANNOTATION_MASK,
                        .flags = flags};
    if (!xa_str_is_utf8(file, strlen(file)) || reads_as_value(file, mask_value)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask's name cannot be written", "%s", file);
        return XA_OK;
    }
    if (!xa__is_file(file)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask's file is missing", "%s", file);
        return XA_OK;
    }
    XA_RETURN_TRY(err, xa__draft_text(d, file, &n.mask, err));
    if (ignore)
        XA_RETURN_TRY(err, xa__draft_text(d, ignore, &n.ignore, err));
    return xa__draft_note_add(d, &n, err);
}

static void add_clean(xa_str *s, const char *text)
{
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (int i = 0; i < 60 && text[i] != '\0'; i++)
        xa_str_add(s, strchr(kept, text[i]) ? &text[i] : "_", 1);
}

static xa_status make_folder(const char *path, xa_err *err)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        XA_RETURN_FAIL(err, XA_IO, "%s: cannot make the folder: %s", path, strerror(errno));
    return XA_OK;
}

xa_status xa__draft_pixels(xa__draft *d,
                           int64_t image,
                           const char *word,
                           const uint8_t *pixels,
                           int64_t width,
                           int64_t height,
                           const char **out,
                           xa_err *err)
{
    xa_status st = XA_OK;
    const xa__draft_image *im = &d->images[image];
    const int64_t number = d->report->mask_files;
    char *folder = d->opt->output ? xa__beside_output(d, "_masks") : NULL;
    char *below = folder ? xa_strfmt("%s/%04" PRId64, folder, number / 1000) : NULL;
    xa_str name = {0};
    if (!d->opt->output)
        XA_FAIL(err,
                XA_UNSUPPORTED,
                "%s: masks must be drawn or resized: make a manifest with xaudit manifest first",
                im->id);
    if (!below)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    if (number % 1000 == 0) {
        XA_TRY(err, make_folder(folder, err));
        XA_TRY(err, make_folder(below, err));
    }
    xa_str_printf(&name, "%s/%07" PRId64 "_", below, number);
    add_clean(&name, im->id);
    xa_str_puts(&name, "_");
    add_clean(&name, word);
    xa_str_puts(&name, ".png");
    if (name.failed)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa_image_write_mask(name.data, pixels, width, height, err));
    XA_TRY(err, xa__draft_text(d, name.data, out, err));
    d->report->mask_files++;
done:
    free(folder);
    free(below);
    xa_str_free(&name);
    return st;
}

xa_status xa__draft_mask_write(xa__draft *d,
                               int64_t image,
                               int32_t class_index,
                               uint8_t flags,
                               const uint8_t *pixels,
                               xa_err *err)
{
    xa_status st = XA_OK;
    const xa__draft_image *im = &d->images[image];
    const bool has_name = class_index >= 0 && (size_t)class_index < d->nclasses;
    const bool crowd = (flags & XA_ANNOTATION_CROWD) != 0;
    xa__draft_note n = {.image = image,
                        .class_index = class_index,
                        .mask_value = XA_MASK_ANY,
                        .kind = XA_ANNOTATION_MASK,
                        .flags = flags};
    char *word = has_name ? xa_strfmt("%s%s", d->classes[class_index], crowd ? "_crowd" : "")
                          : xa_strfmt("mask%s", crowd ? "_crowd" : "");
    if (!word)
        XA_FAIL(err, XA_NOMEM, "out of memory for a path");
    XA_TRY(err, xa__draft_pixels(d, image, word, pixels, im->width, im->height, &n.mask, err));
    XA_TRY(err, xa__draft_note_add(d, &n, err));
done:
    free(word);
    return st;
}

/* Resizes a mask to 0 and 255: nearest by pixel centres, floor((x + 0.5) * from / to). */
static void
fit_nearest(const xa_image *labels, int32_t value, uint8_t *out, int64_t width, int64_t height)
{
    for (int64_t y = 0; y < height; y++) {
        const int64_t from_y = (2 * y + 1) * labels->height / (2 * height);
        for (int64_t x = 0; x < width; x++) {
            const int64_t at = from_y * labels->width + (2 * x + 1) * labels->width / (2 * width);
            out[y * width + x] = xa_mask_takes(value, xa_image_label(labels, at)) ? 255 : 0;
        }
    }
}

int32_t xa__draft_mask_soft(xa__draft *d, const char *file)
{
    enum { MIDDLE = 127 };
    xa_image labels = {0};
    xa_err why = XA_ERR_INIT;
    xa_decode_options opt = xa_decode_defaults();
    uint32_t first = 0, most = 0;
    bool several = false;
    opt.lossy_labels = true;
    if (xa_image_read_labels(file, &opt, &labels, &why) != XA_OK)
        return XA_MASK_ANY; /* the caller counts a file that cannot be read */
    for (int64_t i = 0; i < labels.width * labels.height; i++) {
        const uint32_t v = xa_image_label(&labels, i);
        first = first ? first : v;
        several = several || (v && v != first);
        most = v > most ? v : most;
    }
    const bool bytes = labels.type == XA_PIXEL_U8;
    xa_image_fini(&labels);
    if (!several || !bytes || most <= MIDDLE)
        return XA_MASK_ANY;
    xa__drop(d,
             XA_IMPORT_NOTED,
             "a mask with values between black and white (above 127 counts)",
             "%s",
             file);
    return XA_MASK_VALUES + MIDDLE;
}

xa_status xa__draft_mask_fit(xa__draft *d,
                             int64_t image,
                             const char *file,
                             const char *word,
                             int32_t *value,
                             const char **out,
                             xa_err *err)
{
    xa_status st = XA_OK;
    xa_image head = {0};
    xa_image labels = {0};
    xa_decode_options opt = xa_decode_defaults();
    xa_err why = XA_ERR_INIT;
    uint8_t *pixels = NULL;
    const xa__draft_image *im = &d->images[image];
    int64_t width, height;
    *out = NULL;
    if (!xa__is_file(file)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask's file is missing", "%s", file);
        goto done;
    }
    if (!xa__draft_found(d, image, &width, &height)) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "its image's size is unknown", "%s", im->id);
        goto done;
    }
    if (xa_image_probe(file, NULL, &head, &why) != XA_OK) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask cannot be read", "%s", why.message);
        goto done;
    }
    if (head.width == width && head.height == height) {
        XA_TRY(err, xa__draft_text(d, file, out, err));
        goto done;
    }
    if (head.width == height && head.height == width) {
        xa__drop(d,
                 XA_IMPORT_ANNOTATION,
                 "the mask has the sides of its image swapped: one of them is turned",
                 "%s: %" PRId64 "x%" PRId64,
                 im->id,
                 head.width,
                 head.height);
        goto done;
    }
    opt.lossy_labels = *value >= XA_MASK_VALUES;
    if (xa_image_read_labels(file, &opt, &labels, &why) != XA_OK) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "the mask cannot be read", "%s", why.message);
        goto done;
    }
    if (width > XA__RASTER_PIXELS_MAX / height) {
        xa__drop(d, XA_IMPORT_ANNOTATION, "its image is beyond 2^28 pixels", "%s", im->id);
        goto done;
    }
    pixels = xa_alloc((size_t)width, (size_t)height);
    if (!pixels)
        XA_FAIL(err, XA_NOMEM, "out of memory for a mask of %s", im->id);
    fit_nearest(&labels, *value, pixels, width, height);
    *value = XA_MASK_ANY;
    XA_TRY(err, xa__draft_pixels(d, image, word, pixels, width, height, out, err));
    xa__drop(d,
             XA_IMPORT_NOTED,
             "a mask of another size than its image (resized, nearest by pixel centres)",
             "%s: %" PRId64 "x%" PRId64 " to %" PRId64 "x%" PRId64,
             im->id,
             labels.width,
             labels.height,
             width,
             height);
done:
    xa_image_fini(&head);
    xa_image_fini(&labels);
    free(pixels);
    return st;
}
