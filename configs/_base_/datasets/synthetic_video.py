# With posetrack_clips.py: posediff make-synthetic-video data/synthetic_video
# It is trained on CPUs of few cores, so the frames are read in the main process.
data_root = 'data/synthetic_video/'
train_ann_file = 'annotations/posetrack18_train.json'
val_ann_file = 'annotations/posetrack18_val.json'
frame_base = 0  # number of a video's first frame
protocol = 'poseval'
num_workers = 0
