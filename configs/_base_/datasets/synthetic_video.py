# With posetrack_clips.py: posediff make-synthetic-video data/synthetic_video
# For training on few CPU cores: frames are read in the main process.
data_root = 'data/synthetic_video/'
train_ann_file = 'annotations/posetrack18_train.json'
val_ann_file = 'annotations/posetrack18_val.json'
frame_base = 0  # number of a video's first frame
protocol = 'poseval'
num_workers = 0
