#!/usr/bin/env bash
# xaudit manifest: every format on a small fixture whose manifest was written by hand, and what it prints.
. "$(dirname "$0")/lib.sh"
cp -r "$PROJECT/tests/golden/manifest" data || exit 1
cd data || exit 1

# same EXPECTED: the manifest just written equals that one, byte for byte
same() {
  checks=$((checks + 1))
  cmp -s "$1" "$2" || { diff "$1" "$2" >"$WORK/out"; fail "$2 is not $1"; }
}

# make FORMAT ARGUMENTS..: writes out.csv in the folder of the format
make() {
  local format=$1
  shift
  rm -rf out.csv out_classes.txt out_masks
  expect 0 "$XAUDIT" manifest "$format" "$@" -o out.csv
}

cd folder || exit 1
make folder images
same expected.csv out.csv
printf 'cat\ndog, big\n' | cmp -s - out_classes.txt || fail "folder: classes"
said '1  a file beside the class folders'
said '1  not named .jpg, .png or .tif'
expect 2 "$XAUDIT" manifest folder images -o out.csv
said 'exists already; --force'
expect 0 "$XAUDIT" manifest folder images -o out.csv --force
same expected.csv out.csv
mkdir deep
expect 0 "$XAUDIT" manifest folder "$PWD/images" -o deep/m.csv
grep -q '^\.\./images/cat/a.jpg,cat/a.jpg,cat' deep/m.csv || fail "paths do not lead up"
ln -s /etc/hostname images/cat/z.jpg
ln -s .. images/cat/round
make folder images
said 'a symbolic link leads out of the image folder \(kept\)'
said 'a folder links to one around it \(left out\)'
rm images/cat/z.jpg images/cat/round

cd ../voc || exit 1
make voc . --split val
same boxes.csv out.csv
[ "$(sed -n 8p out_classes.txt)" = cat ] || fail "voc: classes"
said 'images dropped: 2'
said 'no such file'
said '2007_000003.xml:3: malformed XML: mismatched tag'
said 'an object without a box'
make voc . --split val --as-masks
same masks.csv out.csv
make voc .
said 'images dropped: 2'

cd ../coco || exit 1
make coco coco.json --images images
same boxes.csv out.csv
said '1  the box reaches beyond the image \(clipped\)'
printf 'traffic light\ncat\n' | cmp -s - out_classes.txt || fail "coco: classes"
make coco coco.json --images images --as-masks
said '4 masks \(4 mask files written\)'
find out_masks -type f | sort >list
printf 'out_masks/0000/000000%s\n' 0_9_traffic_light.png 1_9_traffic_light_crowd.png 2_9_cat.png 3_3_traffic_light.png |
  cmp -s - list || fail "coco: names of masks: $(cat list)"
grep -q 'out_masks/0000/0000001_9_traffic_light_crowd.png,,crowd,' out.csv || fail "coco: crowd"

cd ../cub || exit 1
make cub .
same boxes.csv out.csv
said 'gone.jpg'
make cub . --split train --as-masks
same masks.csv out.csv

cd ../wsol || exit 1
make wsol . --images images --masks masks
same expected.csv out.csv
said 'resized, nearest by pixel centres'
make wsol . --images images --masks masks --box-convention inclusive
grep -q 'b.jpg,7,,box,1,2,12,10,' out.csv || fail "wsol: inclusive"

# a job reads the same metadata without a manifest
mkdir -p job/meta && sed -n 's/^\(images[^,]*\),.*/\1/p' "$PROJECT/jobs/demo/manifest.csv" | sort -u >job/meta/image_ids.txt
sed 's/$/,0/' job/meta/image_ids.txt >job/meta/class_labels.txt
sed 's/$/,1,2,30,40/' job/meta/image_ids.txt >job/meta/localization.txt
demo_job | sed "s#^manifest: .*#manifest: { wsol: meta, images: $PROJECT/jobs/demo }#" >job/job.yaml
expect 0 "$XAUDIT" run job/job.yaml --limit 2 --quiet
said 'a list that is not there \(image_sizes.txt\)'
expect 0 "$XAUDIT" check job/job.yaml --output job/fresh.h5
said '42 annotated \(42 boxes, 0 masks\)'
sed 's/images:/imags:/' job/job.yaml >job/bad.yaml
expect 2 "$XAUDIT" check job/bad.yaml
said 'manifest: unknown setting "imags"; did you mean "images"'

cd ../imagenet || exit 1
expect 2 "$XAUDIT" manifest imagenet LOC_val_solution.csv --images images -o out.csv
said '--classes FILE with one wnid per line'
make imagenet LOC_val_solution.csv --images images --classes synsets.txt --split val
same expected.csv out.csv
printf 'n01440764\nn01443537\n' | cmp -s - out_classes.txt || fail "imagenet: classes"
said 'the class is not in --classes'
make imagenet xml --images images --classes synsets.txt --split val
same expected_xml.csv out.csv

mkdir -p train/n01443537 && cp images/*1.JPEG train/n01443537/n01443537_7.JPEG
printf 'ImageId,PredictionString\nn01443537_7,n01443537 1 2 3 4 \n' >train.csv
make imagenet train.csv --images train --classes synsets.txt
grep -q '^train/n01443537/n01443537_7.JPEG,n01443537_7,n01443537,n01443537,box,0,1,3,4,' out.csv || fail "imagenet: train"

cd ../openimages || exit 1
make openimages boxes.csv --images images --labels names.csv
same expected_boxes.csv out.csv
said 'the box is empty or inverted'
said 'its image file is missing'
make openimages masks.csv --images images --masks masks
same expected_masks.csv out.csv
said "the mask's file is missing"

cd ../isic || exit 1
make isic metadata.csv --images images --masks masks
same expected.csv out.csv
said 'values between black and white'
make isic truth.csv --images images --labels metadata.csv
same expected_truth.csv out.csv
printf 'MEL\nNV\nBKL\n' | cmp -s - out_classes.txt || fail "isic: classes"

cd ../chexlocalize || exit 1
make chexlocalize truth.json --images images
same expected.csv out.csv
said 'run lengths of another size than their image'

cd ../nih || exit 1
make nih BBox_List_2017.csv --images . --labels Data_Entry_2017.csv
same expected.csv out.csv
said 'Infiltrate is written Infiltration'

cd ../csv || exit 1
columns="--path-column file --label-column kind_of_animal"
make csv table.csv --path-column file --label-column 'kind of animal' --class-column which \
  --box left,top,right,bottom --box-convention one-based --group-column patient --keep note
same expected.csv out.csv
said 'no class is given, and the image has several labels'
said 'a later row of the image says otherwise'
make csv shapes.csv --path-column file --label-column label --polygon-column shape
said 'no pixel lies in the shape'
grep -q '^images/one.jpg,images/one.jpg,cat,,mask,,,,,out_masks/0000/0000000_images_one.jpg_mask.png,' out.csv || fail "csv: polygon"
printf 'file,shape\nimages/one.jpg,1 2 3 4 5\n' >half.csv
expect 2 "$XAUDIT" manifest csv half.csv --path-column file --polygon-column shape -o none.csv
said 'half.csv:2: expected a polygon'
# labels that are whole numbers are indices, whatever their order and however large
printf 'file,label\nimages/two.jpg,26\nimages/one.jpg,3\n' >numbers.csv
make csv numbers.csv --path-column file --label-column label
grep -q '^images/two.jpg,[^,]*,26' out.csv && grep -q '^images/one.jpg,[^,]*,3' out.csv || fail "csv: class indices are changed"
printf 'file\nimages/one.jpg\n../nih/BBox_List_2017.csv\n%s/images/two.jpg\n' "$PWD" >free.csv
make csv free.csv --path-column file
said "2  the path leaves the table's folder \(kept\)"
grep -q '^images/two.jpg,/' out.csv || fail "csv: absolute paths"
make csv free.csv --path-column file --images .
said '2  the path leaves the image folder'
expect 2 "$XAUDIT" manifest csv table.csv --path-column file --box left,top,right,bottom -o none.csv
said 'boxes need --box-convention'
expect 2 "$XAUDIT" manifest csv table.csv --path-column fil $columns -o none.csv
said 'table.csv:1: expected a column "kind_of_animal", found: file, kind of animal'
expect 2 "$XAUDIT" manifest csv table.csv --path-column file --keep note,whch -o none.csv
said 'expected a column "whch"'
[ ! -e none.csv ] && [ ! -e none.csv.part ] || fail "something was written"

# usage
expect 0 "$XAUDIT" manifest --help
said 'chexlocalize FILE.json'
expect 2 "$XAUDIT" manifest cocoo x -o y.csv
said 'did you mean "coco"'
expect 2 "$XAUDIT" manifest folder . --as-masks -o y.csv
said 'folder does not use --as-masks'
expect 2 "$XAUDIT" manifest folder nowhere -o y.csv
said 'nowhere'
expect 2 "$XAUDIT" manifest folder .
mkdir empty
expect 2 "$XAUDIT" manifest folder empty -o y.csv
said 'no image was found'
# the size of the annotated image, as tables of detections give it
printf 'filename,width,height,class,xmin,ymin,xmax,ymax\nimages/one.jpg,80,80,cat,2,2,9,9\nimages/one.jpg,80,80,dog,3,3,8,8\nimages/two.jpg,many,80,cat,2,2,9,9\n' >sized.csv
make csv sized.csv --path-column filename --class-column class --box xmin,ymin,xmax,ymax --box-convention half-open --size-columns width,height
said 'images/one.jpg: 80x80 declared, [0-9]+x[0-9]+ found'
said 'a size that is not two whole numbers of pixels'
grep -q '^images/one.jpg,images/one.jpg,,dog,box,3,3,8,8,.*,80,80$' out.csv || fail "csv: size"
expect 2 "$XAUDIT" manifest csv sized.csv --path-column filename --size-columns width -o none.csv
said 'csv: expected two column names, "width"'
# the paths of a table begin at another folder
mkdir elsewhere
printf 'file,label\nimages/one.jpg,cat\n' >elsewhere/table.csv
expect 2 "$XAUDIT" manifest csv elsewhere/table.csv --path-column file -o z.csv
said 'no such file: elsewhere/images/one.jpg; --images DIR names the folder that the paths are below'
finish
