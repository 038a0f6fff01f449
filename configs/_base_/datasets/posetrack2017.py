# With posetrack_clips.py. Annotations: posediff convert posetrack17
data_root = 'data/posetrack17/'
train_ann_file = 'annotations/posetrack17_train.json'
val_ann_file = 'annotations/posetrack17_val.json'
frame_base = 1  # number of a video's first frame
protocol = 'poseval'
num_workers = 4
