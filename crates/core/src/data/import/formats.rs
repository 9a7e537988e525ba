//! Every format that can be imported, as `dissent import --list` shows it.

/// One line of `dissent import --list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ImportFormat {
    pub name: &'static str,
    /// Description of SOURCE.
    pub source: &'static str,
    /// Description of the result.
    pub result: &'static str,
    /// Licence of the usual data in this format.
    pub licence: &'static str,
    /// Where a person gets the data.
    pub get: &'static str,
}

/// Every format that can be imported.
pub const FORMATS: &[ImportFormat] = &[
    ImportFormat {
        name: "hf",
        source: "a Hugging Face dataset: a parquet file, a folder of shards, its folder in the hub's cache, or what save_to_disk wrote",
        result: "question and answer as cases, classes as cases (several per image as multi-label), captions as the corpus; images stay in the tables",
        licence: "that of the dataset",
        get: "the Hugging Face hub, or your own datasets",
    },
    ImportFormat {
        name: "path-vqa",
        source: "PathVQA as parquet; the pickles of the release are never read",
        result: "yes/no questions as cases of one task, the others as open ones; training pictures as the corpus, captioned with their answers",
        licence: "MIT; the figures belong to their publishers",
        get: "Hugging Face flaviagiammarino/path-vqa",
    },
    ImportFormat {
        name: "medmnist",
        source: "an npz file of MedMNIST or MedMNIST+ in any size: {train,val,test}_{images,labels}; the 18 sets are known by \
                 file name, others need --labels and --question",
        result: "every image a case; the training split is also the corpus, captioned with its label names",
        licence: "CC BY 4.0; dermamnist CC BY-NC 4.0",
        get: "medmnist.com, or Zenodo record 10519652",
    },
    ImportFormat {
        name: "vqa-rad",
        source: "the folder of VQA-RAD as released on OSF: one JSON file and one folder of images; or its parquet copy, with --osf joined to that folder",
        result: "closed yes/no questions as cases, with --open-questions also open ones; training images as the corpus, captioned with their answers",
        licence: "CC0 1.0",
        get: "osf.io/89kps; parquet: Hugging Face flaviagiammarino/vqa-rad",
    },
    ImportFormat {
        name: "slake",
        source: "the folder Slake1.0 of the release, or the Hugging Face copy BoKelvin/SLAKE: train.json, validate.json or \
                 validation.json, test.json, and imgs or imgs.zip",
        result: "yes/no questions, choices and open questions as cases of a task each; --language en, zh or both; training \
                 pictures as the corpus, captioned with their answers",
        licence: "CC BY 4.0",
        get: "med-vqa.com/slake, or Hugging Face BoKelvin/SLAKE",
    },
    ImportFormat {
        name: "brset",
        source: "the folder of BRSET: labels_brset.csv (or labels.csv) and fundus_photos",
        result: "every image a case with its diseases, several or none, split by patient; --grades adds the ICDR grade; \
                 training images as the corpus, captioned with their diseases",
        licence: "PhysioNet credentialed licence 1.5.0; not to be redistributed",
        get: "physionet.org, project brazilian-ophthalmological, after training and an agreement",
    },
    ImportFormat {
        name: "vindr-pcxr",
        source: "the folder of VinDr-PCXR: image_labels_train.csv, image_labels_test.csv, train and test with .dicom files",
        result: "every image a case with its diagnoses, several or none; 1 in 10 training images for validation; training \
                 images as the corpus, captioned with their diagnoses",
        licence: "PhysioNet restricted licence; not to be redistributed",
        get: "physionet.org, project vindr-pcxr, after an agreement",
    },
    ImportFormat {
        name: "nih-cxr",
        source: "a folder of NIH ChestX-ray8 images, one folder per finding, files named PATIENT_….jpg or .png",
        result: "every image a case, split by patient; training images are also the corpus, captioned with the finding",
        licence: "no restriction on use",
        get: "nihcc.app.box.com/v/ChestXray-NIHCC",
    },
    ImportFormat {
        name: "mimic-cxr",
        source: "the folder of MIMIC-CXR-JPG or MIMIC-CXR: files, the tables (.csv.gz or .csv), and mimic-cxr-reports.zip of MIMIC-CXR",
        result: "frontal images as a corpus, captioned with findings and impression, grouped by patient; with --as cases or both, the 14 findings of each as a case",
        licence: "PhysioNet credentialed licence 1.5.0; not to be redistributed",
        get: "physionet.org, projects mimic-cxr-jpg and mimic-cxr, after training and an agreement",
    },
    ImportFormat {
        name: "roco",
        source: "the repository of ROCO with the images that its scripts/fetch.py downloads",
        result: "every caption with an image a document of a corpus, grouped by article",
        licence: "by article; --licence takes some of them",
        get: "github.com/razorx89/roco-dataset",
    },
    ImportFormat {
        name: "rocov2",
        source: "the folder of ROCOv2: *_captions.csv, license_information.csv and *_images.zip, unpacked or not",
        result: "every caption with an image a document of a corpus, grouped by article",
        licence: "CC BY and others, by article",
        get: "Zenodo record 10821435",
    },
    ImportFormat {
        name: "pmc-oa",
        source: "the folder of PMC-OA: pmc_oa.jsonl or another table, and images.zip as it is",
        result: "every caption with an image a document of a corpus, grouped by article",
        licence: "for commercial use, by article",
        get: "Hugging Face axiong/pmc_oa",
    },
    ImportFormat {
        name: "biomedica",
        source: "a WebDataset shard (.tar) of BIOMEDICA, or a folder of shards; images stay in them",
        result: "every caption with an image a document of a corpus, grouped by article",
        licence: "by article; --licence takes some of them",
        get: "Hugging Face BIOMEDICA",
    },
    ImportFormat {
        name: "predictions",
        source: "a per-candidate prediction file of JOMED's evaluation (…-step-N.jsonl); after a dataset folder also answers of other programs (`import predictions --help`)",
        result: "its cases and retrieved documents as a dataset, its predictions as a run that can be explored without a model; answers of other programs become runs of the dataset",
        licence: "that of the evaluated dataset",
        get: "your own runs of the reference code",
    },
    ImportFormat {
        name: "table",
        source: "a CSV, TSV or JSONL file, plain or .gz, whose rows name images, or a folder with such files; known by their headers: CheXpert, NIH ChestX-ray14, HAM10000, ISIC 2018, 2019 and 2020, PAD-UFES-20; any other with --image and --label, --answer or --caption, or with --mapping FILE (--guess writes one)",
        result: "every row a case; training rows are also the corpus, with the caption of a column or of the answers",
        licence: "that of the table; the known ones are written into the dataset",
        get: "CheXpert: stanfordaimi.azurewebsites.net; ChestX-ray14: nihcc.app.box.com/v/ChestXray-NIHCC; HAM10000: Harvard Dataverse DBW86T; ISIC: challenge.isic-archive.com/data; PAD-UFES-20: Mendeley Data zr7vgbcyr2",
    },
    ImportFormat {
        name: "folder",
        source: "a folder of class folders (split/class/image), of images with metadata.csv or .jsonl, or of zip files of one split each; WebDataset shards (.tar); a JSON file of COCO captions or of conversations (LLaVA, ShareGPT)",
        result: "what the metadata says: labels, questions or captions; COCO captions become a corpus",
        licence: "that of the images",
        get: "your own images, or any dataset in these layouts",
    },
];
