/* Transposed convolution as a convolution of stride 1 (Dumoulin and Visin 2016, section 4): the
 * image with zeros between its pixels, under the kernel turned round. */
#include "model_internal.h"

void xa__transposed_list(const xa__transposed_axis *a, float *list)
{
    const int64_t margin = (a->kernel - 1) * a->dilation;
    for (int64_t i = 0; i < a->out + margin; i++) {
        const int64_t at = i - margin + a->before; /* of the image with zeros between its pixels */
        const bool pixel = at >= 0 && at % a->stride == 0 && at / a->stride < a->in;
        list[i] = pixel ? (float)(at / a->stride) : -1.0f;
    }
}
