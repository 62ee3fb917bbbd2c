/* The commands: what they take and what their --help says beside the options. */
#include <string.h>

#include "options.h"

static const xa_command commands[XA_COMMAND_COUNT] = {
    [XA_COMMAND_RUN] =
        {"run",
         "JOB.yaml [options]",
         "one job file",
         1,
         1,
         false,
         true,
         "runs a job, or resumes it; under mpirun or srun, or alone",
         "Explains every image of the manifest by every model of the job, into one archive. "
         "What is done already is kept: the same command resumes a run that was stopped.",
         "  xaudit run jobs/demo.yaml\n"
         "  mpirun -n 8 xaudit run jobs/demo.yaml --fresh\n"
         "  srun --mpi=pmix xaudit run my.yaml --retry-failed\n"
         "  xaudit run my.yaml --slice 1/4 --set 'models.0.input.size=[128, 128]'\n"},
    [XA_COMMAND_CHECK] =
        {"check",
         "JOB.yaml [options]",
         "one job file",
         1,
         1,
         false,
         false,
         "what would run: models, memory, sizes; every mistake at once",
         "Reads job, models, manifest and the first images and tells every mistake at once, "
         "what memory a rank takes and how large the archive will be. Nothing is written.",
         "  xaudit check jobs/demo.yaml\n"
         "  xaudit check jobs/demo.yaml --probe 64\n"
         "  xaudit check my.yaml --slurm --ranks 64 >my.sbatch\n"},
    [XA_COMMAND_BENCH] =
        {"bench",
         "JOB.yaml [options]",
         "one job file",
         1,
         1,
         true,
         false,
         "where the time goes, beside what this core can do",
         "Time, GFLOP/s, GB/s and share of this core's peak, by operator and by layer, from "
         "the job's own images and explainers on one core.",
         "  xaudit bench jobs/demo.yaml --seconds 10 --top 30\n"
         "  xaudit bench jobs/demo.yaml --json >bench.json\n"},
    [XA_COMMAND_INFO] =
        {"info",
         "FILE [options]",
         "one file",
         1,
         1,
         true,
         false,
         "an archive, a model or an image, in a page",
         "Tells what a file is by its content: an archive's datasets and outcome, a model's "
         "layers, an image's pixels.",
         "  xaudit info results/demo.h5\n"
         "  xaudit info results/demo.h5 --methods\n"
         "  xaudit info model.keras\n"},
    [XA_COMMAND_VERIFY] =
        {"verify",
         "ARCHIVE [options]",
         "one archive",
         1,
         1,
         false,
         false,
         "checksums, ranges and sizes of every done row",
         "Exit 1 on damage, and where an image is not the one that was audited; 0 when what is "
         "done is whole, also if there are samples left to resume.",
         "  xaudit verify results/demo.h5\n"},
    [XA_COMMAND_TABLE] = {"table",
                          "ARCHIVE [options]",
                          "one archive",
                          1,
                          1,
                          true,
                          false,
                          "one line per image, or tidy CSV",
                          "One line per image: prediction, probability, where each map peaks.",
                          "  xaudit table results/demo.h5\n"
                          "  xaudit table results/demo.h5 --csv >demo.csv\n"},
    [XA_COMMAND_SUMMARY] =
        {"summary",
         "ARCHIVE [OTHER] [options]",
         "one or two archives",
         1,
         2,
         true,
         false,
         "every metric over the data set, with 95 % intervals",
         "Every metric over the data set with 95 % intervals from a bootstrap over groups. "
         "With OTHER the two archives are compared, pair by pair, over the samples they share.",
         "  xaudit summary results/demo.h5\n"
         "  xaudit summary results/demo.h5 --by class --csv\n"
         "  xaudit summary results/demo.h5 --compare --metric energy\n"
         "  xaudit summary results/demo.h5 --between correct\n"
         "  xaudit summary before.h5 after.h5\n"},
    [XA_COMMAND_EVALUATE] =
        {"evaluate",
         "ARCHIVE [options]",
         "one archive",
         1,
         1,
         false,
         true,
         "scores stored maps anew, without a model; under mpirun or alone",
         "ARCHIVE.eval.h5 then holds the tables of ARCHIVE, the new scores, baselines of other "
         "images' maps and the classes' mean maps, and links to the maps of ARCHIVE, which "
         "stays as it is: keep both together.",
         "  xaudit evaluate results/demo.h5 --metrics \"[roc_auc, energy]\"\n"
         "  mpirun -n 4 xaudit evaluate results/demo.h5 --metrics other.yaml --as other.h5\n"},
    [XA_COMMAND_MERGE] =
        {"merge",
         "ARCHIVE ARCHIVE... -o OUTPUT.h5",
         "two archives at least",
         2,
         1 << 20,
         false,
         false,
         "slices of one manifest, or other models of it, into one archive",
         "Slices of one manifest (xaudit run --slice I/N) become the archive of the undivided "
         "run; archives of one manifest with other models, or other explainers of the same "
         "models, become one that holds them all.",
         "  xaudit merge my.*-of-4.h5 -o my.h5\n"
         "  xaudit merge resnet.h5 vit.h5 -o both.h5\n"},
    [XA_COMMAND_FIGURE] =
        {"figure",
         "ARCHIVE -o FILE.png|.tiff|.pdf|.svg [options]",
         "one archive",
         0,
         1,
         false,
         false,
         "maps and overlays, or a chart, as PNG, TIFF, PDF or SVG",
         "Images with their maps as overlays, or with --plot a chart of the data set. The file "
         "keeps the command that made it; xaudit figure --again FILE makes it again.",
         "  xaudit figure a.h5 -o worst.pdf --pick worst --metric energy -n 4\n"
         "  xaudit figure a.h5 -o two.tiff --id dog/1 dog/2 --dpi 600\n"
         "  xaudit figure a.h5 -o curves.pdf --plot curves --preset elsevier-1col\n"
         "  xaudit figure --again worst.pdf -o small.pdf --width 60mm --font 6pt\n"},
    [XA_COMMAND_REPORT] =
        {"report",
         "ARCHIVE -o FILE.html [options]",
         "one archive",
         1,
         1,
         false,
         false,
         "one page with figures, charts, images, failures and methods",
         "One HTML page that needs nothing else: what was done, every metric with intervals "
         "and baselines, charts, best, worst and disputed images, failures, methods.",
         "  xaudit report results/demo.eval.h5 -o report.html --title \"The demo\"\n"},
    [XA_COMMAND_MANIFEST] =
        {"manifest",
         "FORMAT SOURCE -o MANIFEST.csv [options]",
         "FORMAT and SOURCE",
         2,
         2,
         false,
         false,
         "makes a manifest from VOC, COCO, CUB and other formats",
         "Formats:\n"
         "  folder ROOT       ROOT/class/.../image; classes are the folders, by name\n"
         "  voc ROOT          Annotations/*.xml (1-based, inclusive) and JPEGImages/;\n"
         "                    --split NAME takes ImageSets/Main/NAME.txt. --as-masks:\n"
         "                    SegmentationClass/*.png by palette index, 255 ignored;\n"
         "                    --split is in ImageSets/Segmentation then\n"
         "  coco FILE.json --images DIR\n"
         "                    boxes; --as-masks draws polygons and run lengths, one PNG an\n"
         "                    image and class, crowds apart. Classes by category id\n"
         "  cub CUB_200_2011  --split train|test; --as-masks: segmentations/ (or --masks\n"
         "                    DIR), grey above 127. CUB declares no size of its\n"
         "                    images: where boxes are of other copies, nothing shows it\n"
         "  wsol METADATA --images DIR [--masks DIR]\n"
         "                    image_ids.txt, class_labels.txt, image_sizes.txt,\n"
         "                    localization.txt; half-open unless --box-convention says\n"
         "                    otherwise\n"
         "  imagenet CSV|XMLDIR --images DIR --classes SYNSETS.txt\n"
         "                    LOC_*_solution.csv, or XML files; the first word of every\n"
         "                    line of SYNSETS is a wnid, in the order of the outputs\n"
         "  openimages BOXES.csv --images DIR [--labels class-descriptions.csv]\n"
         "  openimages MASKS.csv --images DIR --masks DIR [--labels ...]\n"
         "                    fractions are of the image as its EXIF data turn it; the\n"
         "                    column Rotation is not read\n"
         "                    masks are resized to their image, nearest by pixel centres:\n"
         "                    floor((x + 0.5) * from / to)\n"
         "  isic TABLE.csv --images DIR [--masks DIR] [--labels LESIONS.csv]\n"
         "                    HAM10000 metadata, or ISIC's table of 0 and 1; masks are\n"
         "                    ID_segmentation.png; lesion_id is the group\n"
         "  chexlocalize FILE.json --images DIR\n"
         "                    run lengths by pathology; the patient is the group\n"
         "  nih BBox_List_2017.csv --images DIR [--labels Data_Entry_2017.csv]\n"
         "  csv FILE.csv --path-column P [columns of csv]\n"
         "                    any table with a row per image or per box\n"
         "\n"
         "Beside the manifest it writes MANIFEST_classes.txt, names in the order of their "
         "indices, and MANIFEST_masks/ where they are needed. What was dropped or changed is "
         "counted by reason, with examples. Paths are relative to the manifest where both "
         "lie in one tree. In detection data an image's labels are the classes annotated in "
         "it, difficult ones and crowds included.\n"
         "Exit codes: 0 written; 1 failed; 2 bad usage or source.",
         "  xaudit manifest voc VOC2012 --split val -o voc.csv\n"
         "  xaudit manifest coco instances_val2017.json --images val2017 -o coco.csv\n"
         "  xaudit manifest csv any.csv --path-column image --label-column class \\\n"
         "         --box x0,y0,x1,y1 --box-convention half-open -o any_manifest.csv\n"},
};

const xa_command *xa_command_of(xa_command_id id)
{
    return &commands[id];
}

int xa_command_find(const char *name)
{
    for (int i = 0; i < XA_COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name))
            return i;
    return -1;
}
