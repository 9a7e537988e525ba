//! Datasets on disk: reading, writing, checking, importing.

mod check;
mod container_images;
mod dataset;
mod dicom;
mod hostile_pictures;
mod identifiers;
mod import_flags;
mod import_killed;
mod import_medmnist;
mod import_nih_cxr;
mod import_vqa_rad;
mod label_sets;
mod picture;
mod rasters;
mod support;
