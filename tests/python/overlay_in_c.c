/* Draws a map over a photograph as figures do, for test_package.py:
 *   overlay_in_c PIXELWISE SIGNED H W INPUT_H INPUT_W FRAME_H FRAME_W OUT_H OUT_W
 * reads affine [6] f64, the map [H, W] f32 and the photograph [OUT_H, OUT_W, 3] from standard
 * input and writes the overlay to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "xaudit/draw.h"

static int run(const long long n[10])
{
    xa_status st = XA_OK;
    xa_err err = XA_ERR_INIT;
    const int64_t h = n[2], w = n[3], out_h = n[8], out_w = n[9];
    xa_overlay o = xa_overlay_defaults(n[0] != 0);
    xa_image photo = {0}, out = {0};
    double affine[6], strength;
    float *map = xa_alloc((size_t)(h * w), sizeof *map);
    float *seen = xa_alloc((size_t)(h * w), sizeof *seen);
    float *t = xa_alloc((size_t)(out_h * out_w), sizeof *t);
    if (!map || !seen || !t)
        XA_NOMEM_FAIL(&err);
    if (n[1])
        o.chroma = 0.0;
    XA_TRY(&err, xa_image_init(&photo, out_w, out_h, 3, XA_PIXEL_U8, &err));
    const size_t bytes = (size_t)(out_h * out_w * 3);
    if (fread(affine, sizeof *affine, 6, stdin) != 6 ||
        fread(map, sizeof *map, (size_t)(h * w), stdin) != (size_t)(h * w) ||
        fread(photo.data, 1, bytes, stdin) != bytes)
        XA_FAIL(&err, XA_IO, "standard input is too short");
    XA_TRY(&err, xa_map_smooth(map, h, w, o.smooth * (double)(h > w ? h : w), seen, &err));
    XA_TRY(&err, xa_map_percentile(seen, h * w, o.percentile, &strength, &err));
    xa_map_at_picture(seen,
                      h,
                      w,
                      (double)n[4],
                      (double)n[5],
                      affine,
                      (double)n[6],
                      (double)n[7],
                      t,
                      out_h,
                      out_w);
    for (int64_t i = 0; i < out_h * out_w; i++)
        t[i] = strength > 0.0 ? (float)((double)t[i] / strength) : t[i] * 0.0f;
    XA_TRY(&err, xa_overlay_draw(&o, &photo, t, n[1] != 0, &out, &err));
    if (fwrite(out.data, 1, bytes, stdout) != bytes)
        XA_FAIL(&err, XA_IO, "standard output does not take the picture");
done:
    free(map);
    free(seen);
    free(t);
    xa_image_fini(&photo);
    xa_image_fini(&out);
    return st == XA_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    long long n[10];
    if (argc != 11)
        return 2;
    for (int k = 0; k < 10; k++)
        n[k] = strtoll(argv[k + 1], NULL, 10);
    return run(n);
}
