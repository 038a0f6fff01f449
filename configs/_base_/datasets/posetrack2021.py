# With posetrack_clips.py. Annotations of PoseTrack21 in COCO's format.
data_root = 'data/posetrack21/'
train_ann_file = 'annotations/posetrack21_train.json'
val_ann_file = 'annotations/posetrack21_val.json'
frame_base = 0  # number of a video's first frame
protocol = 'posetrack21'
num_workers = 4
