# Not named posetrack18.py: MMPose looks for a file of that name under ./configs for its own metainfo.
# With posetrack_clips.py. Annotations: MMPose's, of PoseTrack2018.
data_root = 'data/posetrack18/'
train_ann_file = 'annotations/posetrack18_train.json'
val_ann_file = 'annotations/posetrack18_val.json'
frame_base = 0  # number of a video's first frame
protocol = 'poseval'
num_workers = 4
