use super::*;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const MOST: u64 = 1 << 20;

fn folder_with(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn member(container: &Path, name: &str) -> PathBuf {
    format!("{}!/{name}", container.display()).into()
}

fn content(container: &Path, name: &str) -> Result<Vec<u8>, String> {
    read(&member(container, name), MOST).map_err(|error| error.to_string())
}

fn zipped(members: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, method) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in members {
        let mut header = vec![0_u8; 512];
        let name = name.as_bytes();
        if name.len() > 100 {
            tar.extend(tarred_header(b"././@LongLink", name.len() as u64, b'L'));
            tar.extend(padded(name));
        }
        header.copy_from_slice(&tarred_header(&name[..name.len().min(100)], content.len() as u64, b'0'));
        tar.extend(header);
        tar.extend(padded(content));
    }
    tar.extend([0; 1024]);
    tar
}

fn tarred_header(name: &[u8], length: u64, kind: u8) -> Vec<u8> {
    let mut header = vec![0_u8; 512];
    header[..name.len()].copy_from_slice(name);
    header[124..136].copy_from_slice(format!("{length:011o}\0").as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().next_multiple_of(512), 0);
    bytes
}

fn names_and_lengths(container: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for_each_member(container, &mut |name, length| {
        found.push((name.to_owned(), length));
        Ok(())
    })
    .unwrap();
    found
}

#[test]
fn members_of_a_zip_file_are_read_stored_and_deflated() {
    let long = vec![7_u8; 50_000];
    let zip = zipped(&[
        ("a.jpg", b"first", CompressionMethod::Stored),
        ("folder/ü b.jpg", &long, CompressionMethod::Deflated),
        ("empty", b"", CompressionMethod::Stored),
    ]);
    let (_folder, path) = folder_with("images.ZIP", &zip);
    assert_eq!(content(&path, "a.jpg").unwrap(), b"first");
    assert_eq!(content(&path, "folder/ü b.jpg").unwrap(), long);
    assert_eq!(content(&path, "empty").unwrap(), b"");
    assert_eq!(length(&member(&path, "folder/ü b.jpg")).unwrap(), 50_000);
    let lengths = [("a.jpg", 5), ("folder/ü b.jpg", 50_000), ("empty", 0)];
    assert_eq!(names_and_lengths(&path), lengths.map(|(name, length)| (name.to_owned(), length)));
    assert_eq!(on_disk(&member(&path, "a.jpg")), path);
    let error = content(&path, "b.jpg").unwrap_err();
    assert!(error.contains("b.jpg") && error.contains("images.ZIP") && error.contains("no file with this name"));
    assert_eq!(read(&member(&path, "b.jpg"), MOST).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(content(&path, "folder/../a.jpg").unwrap_err().contains("without `..`"));
    assert!(read(&member(&path, "folder/ü b.jpg"), 100).unwrap_err().to_string().contains("at most 100 bytes"));
}

#[test]
fn a_zip_file_after_other_bytes_and_with_a_comment_is_read() {
    let mut bytes = b"#!/bin/sh\nunpack\n".to_vec();
    let mut zip = zipped(&[("a", b"first", CompressionMethod::Stored), ("b", b"second", CompressionMethod::Deflated)]);
    let end = zip.len() - 2;
    zip[end] = 5;
    zip.extend(b"hello");
    bytes.extend(zip);
    let (_folder, path) = folder_with("a.zip", &bytes);
    assert_eq!(content(&path, "b").unwrap(), b"second");
}

#[test]
fn damaged_and_lying_zip_files_are_refused() {
    let whole = zipped(&[("a.jpg", &[9; 4000], CompressionMethod::Deflated), ("b", b"bb", CompressionMethod::Stored)]);
    let refused = |bytes: &[u8], name: &str, expected: &str| {
        let (_folder, path) = folder_with("a.zip", bytes);
        let error = content(&path, name).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    refused(&whole[..whole.len() - 30], "a.jpg", "no end record");
    refused(b"", "a.jpg", "no end record");
    let directory = whole.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    // A length of four gigabytes, and one byte more than there is.
    let mut lying = whole.clone();
    lying[directory + 24..directory + 28].copy_from_slice(&0xF000_0000_u32.to_le_bytes());
    refused(&lying, "a.jpg", "expected at most 1048576 bytes");
    lying[directory + 24..directory + 28].copy_from_slice(&4001_u32.to_le_bytes());
    refused(&lying, "a.jpg", "expected 4001 bytes, found 4000");
    // A bomb: more bytes than the directory says.
    lying[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
    refused(&lying, "a.jpg", "expected 10 bytes, found more");
    let mut damaged = whole.clone();
    damaged[directory + 16] ^= 1;
    refused(&damaged, "a.jpg", "CRC-32");
    let mut outside = whole.clone();
    outside[directory + 42..directory + 46].copy_from_slice(&0x00FF_FFFF_u32.to_le_bytes());
    refused(&outside, "a.jpg", "outside it");
    let mut encrypted = whole.clone();
    encrypted[directory + 8] |= 1;
    refused(&encrypted, "a.jpg", "encrypted");
    let mut unknown = whole.clone();
    unknown[directory + 10] = 99;
    refused(&unknown, "a.jpg", "method 99");
    // The end record says one member less.
    let mut fewer = whole.clone();
    let end = whole.len() - 22;
    fewer[end + 10] = 1;
    refused(&fewer, "a.jpg", "says 1 members, found 2");
    let mut twice = whole;
    let second = twice.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    // Both members are called "b" now: a name of one letter, the rest as a comment.
    let name = second + 46;
    assert_eq!(twice[name], b'b');
    let again = zipped(&[("b", b"x", CompressionMethod::Stored), ("c", b"y", CompressionMethod::Stored)]);
    twice = again.iter().map(|byte| if *byte == b'c' { b'b' } else { *byte }).collect();
    refused(&twice, "b", "several members");
}

#[test]
fn members_of_a_tar_file_are_read_with_long_names_and_without_end() {
    let long_name = format!("{}/picture.jpg", "folder".repeat(30));
    let tar = tarred(&[("./a.jpg", b"first"), (&long_name, &[3; 700]), ("last.txt", b"")]);
    for bytes in [&tar[..], &tar[..tar.len() - 1024]] {
        let (_folder, path) = folder_with("shard-000.tar", bytes);
        assert_eq!(content(&path, "a.jpg").unwrap(), b"first");
        assert_eq!(content(&path, "./a.jpg").unwrap(), b"first");
        assert_eq!(content(&path, &long_name).unwrap(), [3; 700]);
        assert_eq!(length(&member(&path, &long_name)).unwrap(), 700);
        assert_eq!(names_and_lengths(&path).len(), 3);
        assert!(content(&path, "b.jpg").unwrap_err().contains("no file with this name"));
        assert!(read(&member(&path, &long_name), 600).unwrap_err().to_string().contains("at most 600"));
    }
}

#[test]
fn a_cut_tar_file_gives_its_whole_members_and_says_that_it_is_cut() {
    let tar = tarred(&[("a", b"first"), ("b", &[3; 700]), ("c", b"third")]);
    let (_folder, path) = folder_with("a.tar", &tar[..512 + 512 + 512 + 600]);
    assert_eq!(content(&path, "a").unwrap(), b"first");
    let error = content(&path, "b").unwrap_err();
    assert!(error.contains("no file with this name") && error.contains("cut short"), "{error}");
    assert!(for_each_member(&path, &mut |_, _| Ok(())).unwrap_err().to_string().contains("cut short"));
    let (_folder, path) = folder_with("b.tar", b"not a tar file");
    assert!(content(&path, "a").unwrap_err().contains("cut short"));
    let mut wrong = tar.clone();
    wrong[0] = b'x';
    let (_folder, path) = folder_with("c.tar", &wrong);
    assert!(content(&path, "a").unwrap_err().contains("wrong checksum"));
    // A member of 8 GB minus one in a file of some kilobytes.
    let mut huge = tarred_header(b"a", 0o77_777_777_777, b'0');
    huge.extend([0; 4096]);
    let (_folder, path) = folder_with("d.tar", &huge);
    assert!(content(&path, "a").unwrap_err().contains("cut short"));
    let (_folder, path) = folder_with("e.tar", &tarred(&[("a", b"1"), ("a", b"2")]));
    assert!(content(&path, "a").unwrap_err().contains("several members"));
    let (_folder, path) = folder_with("f.tar.gz", b"\x1f\x8b");
    assert!(content(&path, "a").unwrap_err().contains("gunzip"));
}

#[test]
fn a_changed_container_is_read_again() {
    let (_folder, path) = folder_with("a.tar", &tarred(&[("a", b"first")]));
    assert_eq!(content(&path, "a").unwrap(), b"first");
    let other = path.with_extension("new");
    std::fs::write(&other, tarred(&[("b", b"other"), ("a", b"second")])).unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert_eq!(content(&path, "a").unwrap(), b"second");
}

#[test]
fn folders_and_files_that_are_really_called_so_win() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("images.zip!");
    std::fs::create_dir(&real).unwrap();
    std::fs::write(real.join("a.jpg"), b"plain").unwrap();
    let zip = zipped(&[("a.jpg", b"member", CompressionMethod::Stored)]);
    std::fs::write(folder.path().join("images.zip"), zip).unwrap();
    assert_eq!(read(&real.join("a.jpg"), MOST).unwrap(), b"plain");
    assert_eq!(length(&real.join("a.jpg")).unwrap(), 5);
    std::fs::remove_dir_all(&real).unwrap();
    assert_eq!(read(&real.join("a.jpg"), MOST).unwrap(), b"member");
    // Other endings are ordinary names.
    assert_eq!(MemberPath::of(&folder.path().join("images!/a.jpg")), None);
    let missing = read(&folder.path().join("none.zip!/a.jpg"), MOST).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("none.zip"), "{missing}");
    std::fs::create_dir(folder.path().join("folder.zip")).unwrap();
    let error = read(&folder.path().join("folder.zip!/a.jpg"), MOST).unwrap_err();
    assert!(error.to_string().contains("found a folder"), "{error}");
}

#[cfg(feature = "import")]
mod columns {
    use super::*;
    use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder};
    use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
    use arrow_ipc::writer::StreamWriter;
    use arrow_schema::{DataType, Field, Fields, Schema};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::{WriterProperties, WriterVersion};
    use std::sync::Arc;

    /// Row 3 has a path only, row 5 is null.
    fn batch(rows: std::ops::Range<usize>, bytes_first: bool) -> RecordBatch {
        let (mut numbers, mut names, mut plain) = (Int64Builder::new(), StringBuilder::new(), BinaryBuilder::new());
        let (mut bytes, mut paths, mut present) = (BinaryBuilder::new(), StringBuilder::new(), Vec::new());
        for row in rows {
            numbers.append_value(row as i64);
            names.append_option((row % 2 == 0).then(|| format!("name {row}")));
            plain.append_value(format!("plain {row}"));
            if row == 3 || row == 5 {
                bytes.append_null();
            } else {
                bytes.append_value(cell(row));
            }
            paths.append_value(format!("{row}.jpg"));
            present.push(row != 5);
        }
        let child = |name: &str, kind: DataType| Field::new(name, kind, true);
        let (bytes, paths): (ArrayRef, ArrayRef) = (Arc::new(bytes.finish()), Arc::new(paths.finish()));
        let (fields, arrays) = if bytes_first {
            (vec![child("bytes", DataType::Binary), child("path", DataType::Utf8)], vec![bytes, paths])
        } else {
            (vec![child("path", DataType::Utf8), child("bytes", DataType::Binary)], vec![paths, bytes])
        };
        let image = StructArray::new(Fields::from(fields), arrays, Some(present.into()));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("number", Arc::new(numbers.finish())),
            ("name", Arc::new(names.finish())),
            ("image", Arc::new(image)),
            ("plain", Arc::new(plain.finish())),
        ];
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn cell(row: usize) -> Vec<u8> {
        vec![row as u8; 100 + row]
    }

    fn arrow(bytes_first: bool) -> Vec<u8> {
        let batches = [batch(0..4, bytes_first), batch(4..4, bytes_first), batch(4..40, bytes_first)];
        let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn parquet(bytes_first: bool, properties: WriterProperties) -> Vec<u8> {
        let rows = batch(0..40, bytes_first);
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        bytes
    }

    fn check_cells(path: &Path) {
        for row in [39, 0, 4, 17, 2, 38] {
            assert_eq!(content(path, &format!("image/{row}")).unwrap(), cell(row), "{row}");
            assert_eq!(content(path, &format!("plain/{row}")).unwrap(), format!("plain {row}").as_bytes());
        }
        assert_eq!(length(&member(path, "image/17")).unwrap(), 117);
        for row in [3, 5] {
            assert!(content(path, &format!("image/{row}")).unwrap_err().contains("holds no bytes"));
        }
        assert!(content(path, "image/40").unwrap_err().contains("no row 40; the file has 40 rows"));
        assert!(content(path, "picture/0").unwrap_err().contains("the columns are number, name, image, plain"));
        assert!(content(path, "number/0").unwrap_err().contains("number"));
        for wrong in ["image", "image/", "image/-1", "image/+1", "/1", "image/1.jpg"] {
            assert!(content(path, wrong).unwrap_err().contains("COLUMN/ROW"), "{wrong}");
        }
        assert!(read(&member(path, "image/17"), 116).unwrap_err().to_string().contains("at most 116"));
    }

    #[test]
    fn cells_of_a_parquet_file_are_read_however_it_is_written() {
        let small = || {
            WriterProperties::builder()
                .set_max_row_group_row_count(Some(15))
                .set_data_page_row_count_limit(4)
                .set_write_batch_size(4)
        };
        let all = [
            WriterProperties::builder().build(),
            small().set_compression(Compression::SNAPPY).build(),
            small().set_dictionary_enabled(false).set_writer_version(WriterVersion::PARQUET_2_0).build(),
            small()
                .set_dictionary_page_size_limit(600)
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .build(),
        ];
        for properties in all {
            for bytes_first in [true, false] {
                let (_folder, path) =
                    folder_with("train-00000-of-00001.parquet", &parquet(bytes_first, properties.clone()));
                check_cells(&path);
            }
        }
    }

    #[test]
    fn cells_of_an_arrow_stream_are_read() {
        for bytes_first in [true, false] {
            let (_folder, path) = folder_with("data-00000-of-00001.arrow", &arrow(bytes_first));
            check_cells(&path);
        }
    }

    #[test]
    fn cut_and_damaged_columns_are_errors() {
        let files = [("a.parquet", parquet(true, WriterProperties::builder().build())), ("a.arrow", arrow(true))];
        for (name, whole) in files {
            let (_folder, path) = folder_with(name, &whole[..whole.len() * 2 / 3]);
            let error = content(&path, "image/0").unwrap_err();
            assert!(error.contains("expected a whole"), "{error}");
            // Any byte may be wrong: the outcome is some bytes or an error.
            for at in (0..whole.len()).step_by(7) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0xFF;
                std::fs::write(&path, &bytes).unwrap();
                if let Ok(found) = content(&path, "image/20") {
                    assert!(found.len() < whole.len());
                }
            }
        }
    }

    #[test]
    fn threads_read_the_rows_of_one_file_at_the_same_time() {
        use rayon::prelude::*;
        let (_folder, path) = folder_with("a.parquet", &parquet(true, WriterProperties::builder().build()));
        (6..40).into_par_iter().for_each(|row| {
            assert_eq!(content(&path, &format!("image/{row}")).unwrap(), cell(row));
        });
    }
}
