//! The open file: read and write transactions, and opening it again after an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};

use super::{failure, tables};
use crate::streams::StreamError;

/// The database file. After an input or output error redb refuses all further work until the file has been closed and
/// opened again; this handle allows that while others hold it.
pub struct Store {
    file: PathBuf,
    cache_bytes: usize,
    /// None: closed after an error.
    database: RwLock<Option<Database>>,
}

impl Store {
    /// Opens or creates the file and its tables. Repairs it after a crash, which reads all of it once.
    ///
    /// # Errors
    /// [`StreamError::InUse`], [`StreamError::Damaged`], [`StreamError::DiskFull`] or [`StreamError::Failed`].
    pub fn open(file: &Path, cache_bytes: usize) -> Result<Self, StreamError> {
        let database = open(file, cache_bytes)?;
        Ok(Self { file: file.to_owned(), cache_bytes, database: RwLock::new(Some(database)) })
    }

    /// Closes the file and opens it again.
    pub fn reopen(&self) -> Result<(), StreamError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The lock of the old handle goes with it.
        *database = None;
        *database = Some(open(&self.file, self.cache_bytes)?);
        Ok(())
    }

    /// True while the file is open.
    pub fn is_open(&self) -> bool {
        self.database().is_some()
    }

    /// Runs `work` on a snapshot of what is committed.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, StreamError>) -> Result<T, StreamError> {
        let database = self.database();
        let snapshot = database.as_ref().ok_or_else(failure::closed)?.begin_read().map_err(failure::in_use)?;
        work(&snapshot)
    }

    /// Runs `work` in a transaction and commits it durably; nothing is written where `work` fails.
    pub fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, StreamError>) -> Result<T, StreamError> {
        let database = self.database();
        let transaction = database.as_ref().ok_or_else(failure::closed)?.begin_write().map_err(failure::in_use)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(failure::in_use)?;
        Ok(done)
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(file: &Path, cache_bytes: usize) -> Result<Database, StreamError> {
    let database = Database::builder()
        .set_cache_size(cache_bytes)
        .set_repair_callback(|repair| {
            let percent = (repair.progress() * 100.0) as u32;
            tracing::info!(percent, "the embedded log was not closed properly: checking it");
        })
        .create(file)
        .map_err(|e| failure::at_open(e, file))?;
    let mut format = format_of(&database)?;
    if format == tables::FORMAT_WITHOUT_BOUNDS {
        tracing::info!("the embedded log is of an earlier version: counting what each partition holds");
        add_bounds(&database)?;
        format = tables::FORMAT_VERSION;
    }
    if format != tables::FORMAT_VERSION {
        return Err(StreamError::Damaged(format!(
            "`{}` has format {format}, this version reads {}; use the version of wasmill that wrote it",
            file.display(),
            tables::FORMAT_VERSION
        )));
    }
    Ok(database)
}

/// Format of a file; a fresh one gets its tables, so that readers never meet a missing one.
fn format_of(database: &Database) -> Result<u64, StreamError> {
    let snapshot = database.begin_read().map_err(failure::in_use)?;
    match snapshot.open_table(tables::META) {
        Ok(meta) => {
            let format = meta.get(tables::FORMAT).map_err(failure::in_use)?;
            return Ok(format.map_or(0, |f| f.value()));
        }
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(failure::in_use(error)),
    }
    let transaction = database.begin_write().map_err(failure::in_use)?;
    {
        let mut meta = transaction.open_table(tables::META).map_err(failure::in_use)?;
        meta.insert(tables::FORMAT, tables::FORMAT_VERSION).map_err(failure::in_use)?;
        transaction.open_table(tables::TOPICS).map_err(failure::in_use)?;
        transaction.open_table(tables::HEADS).map_err(failure::in_use)?;
        transaction.open_table(tables::SIZES).map_err(failure::in_use)?;
        transaction.open_table(tables::BOUNDS).map_err(failure::in_use)?;
        transaction.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
        transaction.open_table(tables::NEWEST).map_err(failure::in_use)?;
        transaction.open_table(tables::OFFSETS).map_err(failure::in_use)?;
        transaction.open_table(tables::STATE).map_err(failure::in_use)?;
    }
    transaction.commit().map_err(failure::in_use)?;
    Ok(tables::FORMAT_VERSION)
}

/// Adds what a file of the format before lacks. All of it, or nothing.
fn add_bounds(database: &Database) -> Result<(), StreamError> {
    let transaction = database.begin_write().map_err(failure::in_use)?;
    {
        let segments = transaction.open_table(tables::SEGMENTS).map_err(failure::in_use)?;
        let mut sizes = BTreeMap::<(u32, u32), u64>::new();
        for row in segments.iter().map_err(failure::in_use)? {
            let (key, blob) = row.map_err(failure::in_use)?;
            let (topic, partition, _) = key.value();
            *sizes.entry((topic, partition)).or_default() += blob.value().len() as u64;
        }
        let mut stored = transaction.open_table(tables::SIZES).map_err(failure::in_use)?;
        for (place, size) in sizes {
            stored.insert(place, size).map_err(failure::in_use)?;
        }
        transaction.open_table(tables::BOUNDS).map_err(failure::in_use)?;
        let mut meta = transaction.open_table(tables::META).map_err(failure::in_use)?;
        meta.insert(tables::FORMAT, tables::FORMAT_VERSION).map_err(failure::in_use)?;
    }
    transaction.commit().map_err(failure::in_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_format_before_is_counted_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log.redb");
        let before = Database::create(&file).unwrap();
        let transaction = before.begin_write().unwrap();
        {
            let mut meta = transaction.open_table(tables::META).unwrap();
            meta.insert(tables::FORMAT, tables::FORMAT_WITHOUT_BOUNDS).unwrap();
            let mut segments = transaction.open_table(tables::SEGMENTS).unwrap();
            for (partition, offset, blob) in [(0, 0, &b"three"[..]), (0, 7, b"more"), (1, 0, b"x")] {
                segments.insert((3, partition, offset), blob).unwrap();
            }
        }
        transaction.commit().unwrap();
        drop(before);
        let store = Store::open(&file, 1 << 20).unwrap();
        let sizes = store.read(|snapshot| {
            let sizes = snapshot.open_table(tables::SIZES).map_err(failure::in_use)?;
            snapshot.open_table(tables::BOUNDS).map_err(failure::in_use)?;
            Ok([(3, 0), (3, 1)].map(|place| sizes.get(place).unwrap().unwrap().value()))
        });
        assert_eq!(sizes.unwrap(), [9, 1]);
        drop(store);
        assert_eq!(format_of(&Database::open(&file).unwrap()).unwrap(), tables::FORMAT_VERSION);
    }
}
