/* Settings that a layer may have, of Keras 2 and 3, by its class; what every layer may have besides
 * is in xa__ksite_known. Made by tests/parity/keras_keys.py. */
#include <string.h>

#include "layers.h"

static const struct {
    const char *name, *keys;
} list[] = {
    {"Activation", "activation"},
    {"Add", ""},
    {"AdditiveAttention", "dropout force_generator rng_type score_mode seed use_scale"},
    {"Attention", "dropout force_generator rng_type score_mode seed use_scale"},
    {"Average", ""},
    {"AveragePooling1D", "data_format padding pool_size strides"},
    {"AveragePooling2D", "data_format padding pool_size strides"},
    {"BatchNormalization",
     "adjustment axis center epsilon fused momentum renorm renorm_clipping renorm_momentum scale "
     "synchronized virtual_batch_size"},
    {"BatchNormalizationV1",
     "adjustment axis center epsilon fused momentum renorm renorm_clipping renorm_momentum scale "
     "synchronized virtual_batch_size"},
    {"BatchNormalizationV2",
     "adjustment axis center epsilon fused momentum renorm renorm_clipping renorm_momentum scale "
     "synchronized virtual_batch_size"},
    {"CenterCrop", "bounding_box_format data_format factor height width"},
    {"Concatenate", "axis"},
    {"Conv1D",
     "activation data_format dilation_rate filters groups kernel_size lora_alpha lora_rank padding "
     "strides use_bias"},
    {"Conv2D",
     "activation data_format dilation_rate filters groups kernel_size lora_alpha lora_rank padding "
     "strides use_bias"},
    {"Conv2DTranspose",
     "activation data_format dilation_rate filters groups kernel_size output_padding padding "
     "strides use_bias"},
    {"Cropping1D", "cropping"},
    {"Cropping2D", "cropping data_format"},
    {"Dense", "activation lora_alpha lora_rank quantization_config units use_bias"},
    {"DepthwiseConv2D",
     "activation data_format depth_multiplier dilation_rate filters groups kernel_size padding "
     "strides use_bias"},
    {"Dot", "axes normalize"},
    {"ELU", "alpha"},
    {"Flatten", "data_format"},
    {"GlobalAveragePooling1D", "data_format keepdims"},
    {"GlobalAveragePooling2D", "data_format keepdims"},
    {"GlobalMaxPooling1D", "data_format keepdims"},
    {"GlobalMaxPooling2D", "data_format keepdims"},
    {"GroupNormalization", "axis center epsilon groups scale"},
    {"LayerNormalization", "axis center epsilon rms_scaling scale"},
    {"LeakyReLU", "alpha negative_slope"},
    {"MaxPooling1D", "data_format padding pool_size strides"},
    {"MaxPooling2D", "data_format padding pool_size strides"},
    {"Maximum", ""},
    {"Minimum", ""},
    {"MultiHeadAttention",
     "attention_axes dropout flash_attention key_dim key_shape num_heads output_shape query_shape "
     "seed sliding_window use_bias use_gate value_dim value_shape"},
    {"Multiply", ""},
    {"Normalization", "axis invert mean variance"},
    {"PReLU", "shared_axes"},
    {"Permute", "dims"},
    {"RMSNormalization", "axis epsilon"},
    {"ReLU", "max_value negative_slope threshold"},
    {"Rescaling", "offset scale"},
    {"Reshape", "target_shape"},
    {"Resizing",
     "antialias bounding_box_format crop_to_aspect_ratio data_format factor fill_mode fill_value "
     "height interpolation pad_to_aspect_ratio width"},
    {"SeparableConv2D",
     "activation data_format depth_multiplier dilation_rate filters groups kernel_size padding "
     "strides use_bias"},
    {"Softmax", "axis"},
    {"Subtract", ""},
    {"ThresholdedReLU", "theta"},
    {"UnitNormalization", "axis"},
    {"UpSampling2D", "data_format interpolation size"},
    {"ZeroPadding1D", "data_format padding"},
    {"ZeroPadding2D", "data_format padding"},
};

const char *xa__kclass_keys(const char *name)
{
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!strcmp(list[i].name, name))
            return list[i].keys;
    return NULL;
}
