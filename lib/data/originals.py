"""The data sets that the paper used (`paper`), from their publishers.

Digests are the publishers' or those torchvision, torchtext and the model hub list. Where nobody has published
one, none is written here: the first download is recorded beside the file and checked from then on.
"""
# fmt: off

from lib.data.entry import Dataset, File
from lib.data.taskbank import WEIGHTS

AFFINITIES = ("https://raw.githubusercontent.com/StanfordVL/taskonomy/a2d9e9851db7a03f71e53c11157e3f9fc5bff126"
              "/results")
TASK_BANK = "https://github.com/alexsax/visual-prior/raw/networks/assets/pytorch"

ORIGINALS = (
    Dataset(
        "cifar10", "CIFAR-10: photographs of ten classes, 32x32", 60_000,
        "https://www.cs.toronto.edu/~kriz/cifar.html", "none stated; cite Krizhevsky 2009",
        (File("cifar-10-python.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", 0,
              "md5:c58f30108f718f92721af3b95e74349a", ("*_batch*", 6)),),
        used_by=("images/paper",), shown=True,
    ),
    Dataset(
        "stl10", "STL-10: labelled photographs of ten classes, 96x96", 13_000,
        "https://cs.stanford.edu/~acoates/stl10", "ImageNet terms: non-commercial research",
        (File("stl10_binary.tar.gz", "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", 0,
              "md5:91f7769df0f17e558f3565bffb0c7dfb", ("t*_X.bin", 2)),),
        used_by=("images/paper",), shown=True,
    ),
    Dataset(
        "imdb", "IMDB reviews, positive and negative", 50_000,
        "https://ai.stanford.edu/~amaas/data/sentiment", "none stated; cite Maas et al. 2011",
        (File("aclImdb_v1.tar.gz", "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", 0,
              "md5:7c2ac02c03563afcf9b574c7e56c153a", ("*_*.txt", 100_000)),),
        used_by=("text/paper",),
        flaws="test texts that also occur in train are removed from train; the 50,000 unlabelled are passed "
        "over",
    ),
    Dataset(
        "ag_news", "AG's News: world, sports, business, science and technology", 127_600,
        "https://github.com/mhjabreel/CharCnn_Keras", "AG corpus: non-commercial use",
        (File("train.csv",
              "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/train.csv",
              0, "md5:b1a00f826fdfbd249f79597b59e1dc12", ("lines", 120_000)),
         File("test.csv",
              "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/test.csv",
              0, "md5:d52ea96a97a2d943681189a97654912d", ("lines", 7_600))),
        used_by=("text/paper",),
    ),
    Dataset(
        "yelp_polarity", "Yelp Polarity: reviews, positive and negative", 598_000,
        "https://course.fast.ai/datasets; Zhang, Zhao, LeCun 2015", "Yelp data set terms: academic use",
        (File("yelp_review_polarity_csv.tgz",
              "https://s3.amazonaws.com/fast-ai-nlp/yelp_review_polarity_csv.tgz", 0, "", ("t*.csv", 2)),),
        used_by=("text/paper",), script="yelp",
    ),
    Dataset(
        "fake_news", "Fake News (Kaggle competition of 2018): articles, reliable and not", 20_800,
        "https://www.kaggle.com/c/fake-news/data", "Kaggle competition rules",
        (File("train.csv"),),
        used_by=("text/paper",),
        flaws="its test.csv has no labels: a fifth of train.csv is held out; rows without text are left out",
        manual="Accept the rules at https://www.kaggle.com/c/fake-news with a Kaggle account and download "
        "train.csv.",
    ),
    Dataset(
        "counterfitted_vectors", "Counter-fitted word vectors, 65,713 words of 300 numbers", 65_713,
        "https://github.com/nmrksic/counter-fitting", "Apache-2.0; cite Mrksic et al. 2016",
        (File("counter-fitted-vectors.txt.zip",
              "https://github.com/nmrksic/counter-fitting/raw/master/word_vectors/counter-fitted-vectors.txt.zip",
              0, "", ("counter-fitted-vectors.txt", 1)),),
        used_by=("text/paper",), script="counterfitted",
    ),
    Dataset(
        "bert", "bert-base-uncased: 12 layers of 768", 1,
        "https://huggingface.co/google-bert/bert-base-uncased", "Apache-2.0",
        (File("model.safetensors",
              "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/model.safetensors",
              440_449_768, "sha256:68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3"),
         File("config.json",
              "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/config.json",
              570, "sha256:7160e1553ad2ca51d8c1cb066be533db31826e12d173824c1bb0cb1a4f187d20"),
         File("tokenizer.json",
              "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/tokenizer.json",
              466_062, "sha256:ce64fce797c24f68df90b40a3f74f579b336a493db14bd583fd520ea0d8c9a98"),
         File("tokenizer_config.json",
              "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/tokenizer_config.json"),
         File("vocab.txt",
              "https://huggingface.co/google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594/vocab.txt",
              0, "sha256:07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
              ("lines", 30_522))),
        used_by=("text/paper",),
    ),
    Dataset(
        "celeba", "CelebA: aligned faces with attributes and identities, 178x218", 202_599,
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "CelebA agreement: non-commercial research only, no redistribution, not shown here",
        (File("img_align_celeba.zip", "", 0, "md5:00d2c5bc6d35e252742224ab0c1e8fcb", ("*.jpg", 202_599)),
         File("list_attr_celeba.txt", "", 0, "md5:75e246fa4810816ffd6ee81facbd244c"),
         File("identity_CelebA.txt", "", 0, "md5:32bd1bd63d3c78cd57e08160ec5ed1e2"),
         File("list_eval_partition.txt", "", 0, "md5:d32c9cbf5e040fd4025c592c306e6668")),
        used_by=("attributes/paper",),
        manual="Agree to the terms at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and download "
        "img_align_celeba.zip and the three lists from its Google Drive (a daily quota applies; the "
        "identities are sent on request).",
    ),
    Dataset(
        "face_benchmarks", "The seven verification benchmarks, in insightface's .bin format", 43_000,
        "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
        "each benchmark's own: research only",
        tuple(File(f"{name}.bin")
              for name in ("lfw", "cfp_ff", "cfp_fp", "agedb_30", "calfw", "cplfw", "vgg2_fp")),
        used_by=("attributes/paper",),
        manual="Download a training archive that holds the .bin files (such as faces_emore) from "
        "insightface's data set zoo and unpack it.",
    ),
    Dataset(
        "taskonomy_pickles", "Taskonomy's published affinities and win rates, as published", 12_018,
        "https://github.com/StanfordVL/taskonomy/tree/master/results", "MIT",
        tuple(File(f"{name}{size}.pkl", f"{AFFINITIES}/{folder}/{name}{size}.pkl")
              for folder, name in (("affinities", "all_affinities"), ("winrates", "wins_vs_pixels"),
                                   ("winrates", "wins_vs_task"))
              for size in ("", "_16k", "_1k")),
        used_by=("tasks/paper",), script="taskonomy",
    ),
    Dataset(
        "taskbank", "The Taskonomy task bank: fifteen encoders with their decoders, PyTorch", 30,
        "https://github.com/alexsax/visual-prior", "MIT (the weights' own terms are not stated)",
        tuple(File(f"{name}.pth", f"{TASK_BANK}/{name}-{sha}.pth", 0, f"sha256:{sha}")
              for name, sha in WEIGHTS),
        used_by=("tasks/paper",),
    ),
)
