/* Importers; XA_FUZZ_FORMAT says which. The input is the file with the format's annotations; other
 * files of a source come from the fixtures. The manifest that is made is read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xaudit/import.h"

#define GOLDEN XA_TEST_DATA "/golden/manifest/"

static void put_golden(const char *from, const char *to)
{
    char *bytes;
    size_t size;
    char path[512];
    snprintf(path, sizeof path, GOLDEN "%s", from);
    FUZZ_ASSERT(xa_read_file(path, 1 << 20, &bytes, &size, NULL) == XA_OK);
    fuzz_put(to, bytes, size);
    free(bytes);
}

/* The source of the format with these bytes as its annotations; an odd size takes the other way
 * that the format may be read. */
static void put_source(xa_import_options *o, const uint8_t *data, size_t size)
{
    const bool other = size % 2;
    switch (o->format) {
    case XA_IMPORT_COCO:
        o->images = GOLDEN "coco/images";
        o->as_masks = other;
        fuzz_put("in", data, size);
        break;
    case XA_IMPORT_CHEXLOCALIZE:
        o->images = GOLDEN "chexlocalize/images";
        fuzz_put("in", data, size);
        break;
    case XA_IMPORT_VOC:
        fuzz_put("in/ImageSets/Main/val.txt", "2007_000001\n", 12);
        fuzz_put("in/Annotations/2007_000001.xml", data, size);
        fuzz_put("in/JPEGImages/2007_000001.jpg", "", 0);
        o->split = "val";
        break;
    case XA_IMPORT_WSOL:
        put_golden("wsol/image_ids.txt", "in/image_ids.txt");
        put_golden("wsol/class_labels.txt", "in/class_labels.txt");
        put_golden("wsol/image_sizes.txt", "in/image_sizes.txt");
        fuzz_put("in/localization.txt", data, size);
        o->images = GOLDEN "wsol/images";
        o->masks = GOLDEN "wsol/masks";
        break;
    case XA_IMPORT_CUB:
        put_golden("cub/classes.txt", "in/classes.txt");
        put_golden("cub/images.txt", "in/images.txt");
        put_golden("cub/image_class_labels.txt", "in/image_class_labels.txt");
        put_golden("cub/train_test_split.txt", "in/train_test_split.txt");
        fuzz_put("in/bounding_boxes.txt", data, size);
        o->images = GOLDEN "cub/images";
        break;
    case XA_IMPORT_IMAGENET:
        fuzz_put("in", data, size);
        o->images = GOLDEN "imagenet/images";
        o->classes = GOLDEN "imagenet/synsets.txt";
        break;
    case XA_IMPORT_OPENIMAGES:
        fuzz_put("in", data, size);
        o->images = GOLDEN "openimages/images";
        o->masks = other ? GOLDEN "openimages/masks" : NULL;
        break;
    case XA_IMPORT_ISIC:
        fuzz_put("in", data, size);
        o->images = GOLDEN "isic/images";
        o->masks = other ? GOLDEN "isic/masks" : NULL;
        break;
    case XA_IMPORT_NIH:
        fuzz_put("in", data, size);
        o->images = GOLDEN "nih";
        break;
    default:
        fuzz_put("in", data, size);
        o->images = GOLDEN "csv";
        o->column_path = "file";
        if (other) {
            o->column_label = "label";
            o->column_polygon = "shape";
        } else {
            o->column_label = "kind of animal";
            o->column_class = "which";
            o->column_box = "left,top,right,bottom";
            o->box = XA_BOX_ONE_BASED;
            o->column_keep = "note";
        }
    }
}

/* A manifest that was written must read back without a mistake. */
static void read_back(const xa_import_options *o, const xa_import_report *report)
{
    xa_err err = XA_ERR_INIT;
    xa_manifest *m = NULL;
    xa_classes classes = {0};
    xa_problems told = {0};
    xa_manifest_options opt = {0};
    const char *names = report->classes_file ? report->classes_file : o->classes;
    if (names) {
        FUZZ_ASSERT(xa_classes_read(names, &classes, &err) == XA_OK);
        opt.classes = &classes;
        opt.label_as = XA_LABEL_NAME; /* where a name may also be a number */
    }
    if (report->images > 0 && xa_manifest_read(o->output, &opt, &m, &told, &err) != XA_OK)
        fuzz_fail(told.count ? told.items[0].text : err.message, __FILE__, __LINE__);
    xa_manifest_free(m);
    xa_classes_fini(&classes);
    xa_problems_fini(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char source[128], output[128];
    const char *folder = fuzz_folder();
    xa_import_options o = {.format = XA_FUZZ_FORMAT, .source = source, .output = output};
    xa_import_report report = {0};
    xa_problems problems = {0};
    xa_err err = XA_ERR_INIT;
    snprintf(source, sizeof source, "%s/in", folder);
    snprintf(output, sizeof output, "%s/out.csv", folder);
    put_source(&o, data, size);
    if (xa_import(&o, &report, &problems, &err) == XA_OK)
        read_back(&o, &report);
    else
        FUZZ_ASSERT(err.message[0]);
    xa_import_report_fini(&report);
    xa_problems_fini(&problems);
    return 0;
}
