"""The data sets that the paper used (`paper`), from their publishers.

Digests are the publishers' or those torchvision, torchtext and the model hub list. Where nobody has published
one, none is written here: the first download is recorded beside the file and checked from then on.
"""
# fmt: off

from lib.data.entry import Dataset, File

AFFINITIES = ("https://raw.githubusercontent.com/StanfordVL/taskonomy/a2d9e9851db7a03f71e53c11157e3f9fc5bff126"
              "/results")
AG_NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv"
BERT = ("https://huggingface.co/google-bert/bert-base-uncased/resolve/"
        "86b5e0934494bd15c9632b12f734a8a67f723594")
TASK_BANK = "https://github.com/alexsax/visual-prior/raw/networks/assets/pytorch"
# The published task-bank networks, with the sha256 that their publisher puts into each file's name.
WEIGHTS = tuple(line.partition(" ")[::2] for line in """\
autoencoding_encoder e35146c09253720e97c0a7f8ee4e896ac931f5faa1449df003d81e6089ac6307
autoencoding_decoder a4a006b5a8b314b9b0ae815c12cf80e4c5f2e6c703abdf65a64a020d3fef7941
curvature_encoder 3767cf5d06d9c6bca859631eb5a3c368d66abeb15542171b94188ffbe47d7571
curvature_decoder b93aed18d7510ad9502755f05c1ef569c00d1fc9c4620333a764ad0d6d131fd3
edge_texture_encoder be2d686a6a4dfebe968d16146a17176eba37e29f736d5cd9a714317c93718810
edge_texture_decoder e241e823d6417a0c9b36b7616aad759380dfd3eb83362124e90f9ed5daa92c73
keypoints2d_encoder 6b77695acff4c84091c484a7b128a1e28a7e9c36243eda278598f582cf667fe0
keypoints2d_decoder 0157a2a18c4e1f861c725d8d4cf3701b02e9444f47e22bdd1262c879dd2d0839
segment_unsup2d_encoder b679053a920e8bcabf0cd454606098ae85341e054080f2be29473971d4265964
segment_unsup2d_decoder a0f3975a22032f116d36e3f3a49f33ddcd6e798cced3ac0962eef5bdccfc397f
edge_occlusion_encoder 5ac3f3e918131f61e01fe95e49f462ae2fc56aa463f8d353ca84cd4e248b9c08
edge_occlusion_decoder 1b74d29a2b5afd9eb1a2cf2179289a31e2757909135615d5ba0a9164eb22505f
keypoints3d_encoder 7e3f1ec97b82ae30030b7ea4fec2dc606b71497d8c0335d05f0be3dc909d000d
keypoints3d_decoder 724ea6f255cbe4c487a984230242ec7c3557fa8234bde2487d69eacc7b9b75af
reshading_encoder de456246e171dc8407fb2951539aa60d75925ae0f1dbb43f110b7768398b36a6
reshading_decoder 5bda58f921a3065992ab0034aa0ed787af97f26ac9e5668746dae49c299606cb
depth_zbuffer_encoder cc343a8ed622fd7ee3ce54398be8682bbbbfb5d11fa80e8d03a56a5ae4e11b09
depth_zbuffer_decoder 4833f06833899a8d81b29c6d7eda8adf69b394a91a8c0389b0d58db523097de9
depth_euclidean_encoder 88f18d41313de7dbc88314a7f0feec3023047303d94d73eb8622dc40334ef149
depth_euclidean_decoder f8d7d0d2bdaf55fac3bdfc8c2812c599bac84985d55503ec92960a4c8b5db7e8
normal_encoder f5e2c7737e4948e3b2a822f584892c342eaabbe66661576ba50db7cdd40561c5
normal_decoder 8f18bfb30ee733039f05ed4a65b4db6f7cc1f8a4b9adb4806838e2bf88e020ec
segment_unsup25d_encoder 7d12d2500c18c003ffc23943214f5dfd74932f0e3d03dde2c3a81ebc406e31a0
segment_unsup25d_decoder 64c1553cadf76e7efd59138321dc94d186a27eb2bb21e5e6c2624ae825bd4da1
segment_semantic_encoder bb3007244520fc89cd111e099744a22b1e5c98cd83ed3f116fbff6376d220127
segment_semantic_decoder d74c6fcf4e0f2bbdce9afe21f9064453a2ac5c7131226527b1d0748f701d04a0
class_object_encoder 4a4e42dad58066039a0d2f9d128bb32e93a7e4aa52edb2d2a07bcdd1a6536c18
class_object_decoder 3cdb6d9ec5a221ca39352e62412c2ab5ae7a00258a962b9b67fe398566ce6c5d
class_scene_encoder ad85764467cddafd98211313ceddebb98adf2a6bee2cedfe0b922a37ae65eaf8
class_scene_decoder 517010623d64eb108ca3225fde2a87e72e3e97137b744aa12deeff2fa4f097dc""".splitlines())

ORIGINALS = (
    Dataset("cifar10", "CIFAR-10: photographs of ten classes, 32x32", 60_000,
        "https://www.cs.toronto.edu/~kriz/cifar.html", "none stated; cite Krizhevsky 2009",
        (File("cifar-10-python.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", 0,
              "md5:c58f30108f718f92721af3b95e74349a", ("*_batch*", 6)),),
        used_by=("images/paper",), shown=True),
    Dataset("stl10", "STL-10: labelled photographs of ten classes, 96x96", 13_000,
        "https://cs.stanford.edu/~acoates/stl10", "ImageNet terms: non-commercial research",
        (File("stl10_binary.tar.gz", "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", 0,
              "md5:91f7769df0f17e558f3565bffb0c7dfb", ("t*_X.bin", 2)),),
        used_by=("images/paper",), shown=True),
    Dataset("imdb", "IMDB reviews, positive and negative", 50_000,
        "https://ai.stanford.edu/~amaas/data/sentiment", "none stated; cite Maas et al. 2011",
        (File("aclImdb_v1.tar.gz", "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", 0,
              "md5:7c2ac02c03563afcf9b574c7e56c153a", ("*_*.txt", 100_000)),), used_by=("text/paper",),
        flaws="test texts that also occur in train are removed from train; the 50,000 unlabelled are passed "
        "over"),
    Dataset("ag_news", "AG's News: world, sports, business, science and technology", 127_600,
        "https://github.com/mhjabreel/CharCnn_Keras", "AG corpus: non-commercial use",
        (File("train.csv", f"{AG_NEWS}/train.csv", 0, "md5:b1a00f826fdfbd249f79597b59e1dc12",
              ("lines", 120_000)),
         File("test.csv", f"{AG_NEWS}/test.csv", 0, "md5:d52ea96a97a2d943681189a97654912d",
              ("lines", 7_600))), used_by=("text/paper",)),
    Dataset("yelp_polarity", "Yelp Polarity: reviews, positive and negative", 598_000,
        "https://course.fast.ai/datasets; Zhang, Zhao, LeCun 2015", "Yelp data set terms: academic use",
        (File("yelp_review_polarity_csv.tgz",
              "https://s3.amazonaws.com/fast-ai-nlp/yelp_review_polarity_csv.tgz", 0, "", ("t*.csv", 2)),),
        used_by=("text/paper",), script="yelp"),
    Dataset("fake_news", "Fake News (Kaggle competition of 2018): articles, reliable and not", 20_800,
        "https://www.kaggle.com/c/fake-news/data", "Kaggle competition rules", (File("train.csv"),),
        used_by=("text/paper",),
        flaws="its test.csv has no labels: a fifth of train.csv is held out; rows without text are left out",
        manual="Accept the rules at https://www.kaggle.com/c/fake-news with a Kaggle account and download "
        "train.csv."),
    Dataset("counterfitted_vectors", "Counter-fitted word vectors, 65,713 words of 300 numbers", 65_713,
        "https://github.com/nmrksic/counter-fitting", "Apache-2.0; cite Mrksic et al. 2016",
        (File("counter-fitted-vectors.txt.zip",
              "https://github.com/nmrksic/counter-fitting/raw/master/word_vectors/counter-fitted-vectors.txt.zip",
              0, "", ("counter-fitted-vectors.txt", 1)),), used_by=("text/paper",), script="counterfitted"),
    Dataset("bert", "bert-base-uncased: 12 layers of 768", 1,
        "https://huggingface.co/google-bert/bert-base-uncased", "Apache-2.0",
        (File("model.safetensors", f"{BERT}/model.safetensors", 440_449_768,
              "sha256:68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3"),
         File("config.json", f"{BERT}/config.json", 570,
              "sha256:7160e1553ad2ca51d8c1cb066be533db31826e12d173824c1bb0cb1a4f187d20"),
         File("tokenizer.json", f"{BERT}/tokenizer.json", 466_062,
              "sha256:ce64fce797c24f68df90b40a3f74f579b336a493db14bd583fd520ea0d8c9a98"),
         File("tokenizer_config.json", f"{BERT}/tokenizer_config.json"),
         File("vocab.txt", f"{BERT}/vocab.txt", 0,
              "sha256:07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", ("lines", 30_522))),
        used_by=("text/paper",)),
    Dataset("celeba", "CelebA: aligned faces with attributes and identities, 178x218", 202_599,
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "CelebA agreement: non-commercial research only, no redistribution, not shown here",
        (File("img_align_celeba.zip", "", 0, "md5:00d2c5bc6d35e252742224ab0c1e8fcb", ("*.jpg", 202_599)),
         File("list_attr_celeba.txt", "", 0, "md5:75e246fa4810816ffd6ee81facbd244c"),
         File("identity_CelebA.txt", "", 0, "md5:32bd1bd63d3c78cd57e08160ec5ed1e2"),
         File("list_eval_partition.txt", "", 0, "md5:d32c9cbf5e040fd4025c592c306e6668")),
        used_by=("attributes/paper",),
        manual="Agree to the terms at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and download "
        "img_align_celeba.zip and the three lists from its Google Drive (a daily quota applies; the "
        "identities are sent on request)."),
    Dataset("face_benchmarks", "The seven verification benchmarks, in insightface's .bin format", 43_000,
        "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
        "each benchmark's own: research only",
        tuple(File(f"{name}.bin")
              for name in ("lfw", "cfp_ff", "cfp_fp", "agedb_30", "calfw", "cplfw", "vgg2_fp")),
        used_by=("attributes/paper",),
        manual="Download a training archive that holds the .bin files (such as faces_emore) from "
        "insightface's data set zoo and unpack it."),
    Dataset("taskonomy_pickles", "Taskonomy's published affinities and win rates, as published", 12_018,
        "https://github.com/StanfordVL/taskonomy/tree/master/results", "MIT",
        tuple(File(f"{name}{size}.pkl", f"{AFFINITIES}/{folder}/{name}{size}.pkl")
              for folder, name in (("affinities", "all_affinities"), ("winrates", "wins_vs_pixels"),
                                   ("winrates", "wins_vs_task"))
              for size in ("", "_16k", "_1k")), used_by=("tasks/paper",), script="taskonomy"),
    Dataset("taskbank", "The Taskonomy task bank: fifteen encoders with their decoders, PyTorch", 30,
        "https://github.com/alexsax/visual-prior", "MIT (the weights' own terms are not stated)",
        tuple(File(f"{name}.pth", f"{TASK_BANK}/{name}-{sha}.pth", 0, f"sha256:{sha}")
              for name, sha in WEIGHTS), used_by=("tasks/paper",)),
)
