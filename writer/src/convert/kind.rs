//! Files that are no text, told by how they begin: what they are, and what makes text of them.

use std::fmt;

use lastgood_protocol::name::DatasetName;

/// A kind of file that neither is JSON nor CSV, but often has what is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Compressed by gzip.
    Gzip,
    /// Compressed by Zstandard.
    Zstd,
    /// Compressed by bzip2.
    Bzip2,
    /// Compressed by xz.
    Xz,
    /// A workbook of Excel since 2007.
    Excel,
    /// A workbook of an Excel before 2007, or another document of those programs.
    OldExcel,
    /// A spreadsheet of LibreOffice.
    OpenDocument,
    /// Another archive.
    Zip,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow, or Feather.
    Arrow,
    /// Apache Avro.
    Avro,
    /// A database of SQLite.
    Sqlite,
    /// HDF5.
    Hdf5,
    /// A pickle of Python.
    Pickle,
}

/// How each begins that is told by nothing else.
const MAGIC: [(&[u8], FileKind); 14] = [
    (b"\x1f\x8b\x08", FileKind::Gzip),
    (b"\x28\xb5\x2f\xfd", FileKind::Zstd),
    (b"BZh", FileKind::Bzip2),
    (b"\xfd7zXZ\0", FileKind::Xz),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind::OldExcel),
    (b"PK\x03\x04", FileKind::Zip),
    (b"PAR1", FileKind::Parquet),
    (b"ARROW1\0\0", FileKind::Arrow),
    (b"FEA1", FileKind::Arrow),
    (b"Obj\x01", FileKind::Avro),
    (b"SQLite format 3\0", FileKind::Sqlite),
    (b"\x89HDF\r\n\x1a\n", FileKind::Hdf5),
    (b"\x80\x04\x95", FileKind::Pickle),
    (b"\x80\x05\x95", FileKind::Pickle),
];

impl FileKind {
    /// The kind of a file that begins like this; `None` when it may be text.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let (_, kind) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic))?;
        Some(if *kind == Self::Zip { Self::of_archive(head) } else { *kind })
    }

    /// What an archive is, by the names of the files at its beginning.
    fn of_archive(head: &[u8]) -> Self {
        let has = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        if has(b"application/vnd.oasis.opendocument.spreadsheet") {
            Self::OpenDocument
        } else if has(b"[Content_Types].xml") || has(b"xl/") {
            Self::Excel
        } else {
            Self::Zip
        }
    }

    /// What makes of it what can be published as `dataset`.
    pub(crate) fn remedy(self, dataset: &DatasetName) -> String {
        let unpacked = |program: &str| format!("unpack it on the way: {program} < FILE | lastgood publish {dataset}");
        let pandas = |read: &str| {
            format!(
                "convert it: python3 -c \"import pandas; pandas.{read}('FILE').to_csv('{dataset}.csv', index=False)\", then \
                 lastgood publish {dataset}={dataset}.csv"
            )
        };
        match self {
            Self::Gzip => unpacked("gzip -dc"),
            Self::Zstd => unpacked("zstd -dc"),
            Self::Bzip2 => unpacked("bzip2 -dc"),
            Self::Xz => unpacked("xz -dc"),
            Self::Zip => format!("take the file out of it: unzip -p FILE NAME | lastgood publish {dataset}"),
            Self::Excel | Self::OldExcel | Self::OpenDocument => {
                format!("save the sheet as CSV UTF-8 there, or {}", pandas("read_excel"))
            }
            Self::Parquet => pandas("read_parquet"),
            Self::Arrow => pandas("read_feather"),
            Self::Hdf5 => pandas("read_hdf"),
            Self::Pickle => pandas("read_pickle"),
            Self::Avro => {
                "export it as JSON Lines, such as with avro-tools tojson FILE, and add --format jsonl".to_owned()
            }
            Self::Sqlite => {
                format!("export a table: sqlite3 -json FILE 'SELECT * FROM NAME' | lastgood publish {dataset}")
            }
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "compressed by gzip",
            Self::Zstd => "compressed by Zstandard",
            Self::Bzip2 => "compressed by bzip2",
            Self::Xz => "compressed by xz",
            Self::Excel => "an Excel workbook (.xlsx)",
            Self::OldExcel => "an Excel workbook (.xls)",
            Self::OpenDocument => "an OpenDocument spreadsheet (.ods)",
            Self::Zip => "a ZIP archive",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow file (Feather)",
            Self::Avro => "an Avro file",
            Self::Sqlite => "an SQLite database",
            Self::Hdf5 => "an HDF5 file",
            Self::Pickle => "a Python pickle",
        })
    }
}
