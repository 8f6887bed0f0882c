"""What the tests bring into a cluster: the image ``engagement/k8s-test`` holds this folder."""
