/* JPEG, PNG and TIFF: pixels, header, and numbers of a mask. */
#include "fuzz.h"
#include "xaudit/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    xa_decode_options opt = xa_decode_defaults();
    xa_image im;
    xa_err err = XA_ERR_INIT;
    opt.max_pixels = 1 << 16;
    opt.max_bytes = 1 << 22;
    opt.palette_index = size % 2;
    const char *path = fuzz_file(0, data, size);
    if (xa_image_read(path, &opt, &im, &err) == XA_OK) {
        xa_image_hash(&im); /* every pixel is touched */
        xa_image_fini(&im);
    } else {
        FUZZ_ASSERT(err.message[0]);
    }
    if (xa_image_probe(path, &opt, &im, &err) == XA_OK)
        xa_image_fini(&im);
    if (xa_image_read_labels(path, &opt, &im, &err) == XA_OK) {
        FUZZ_ASSERT(im.channels == 1);
        xa_image_hash(&im);
        xa_image_fini(&im);
    }
    return 0;
}
